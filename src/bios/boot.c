/* INT 18h and INT 19h: what a boot sector calls that cannot go on, or wants to be booted again. */
#include "bios/bios.h"
#include "disks/boot.h"
#include "machine.h"

static enum bios_result stop(struct bios_call *call)
{
	*call->stop = (struct gdbstub_stop){.reason = GDBSTUB_STOPPED, .signal = GDBSTUB_SIGNAL_NONE, .thread = 1};
	bios_pop_frame(call, true);
	return BIOS_STOP;
}

static enum bios_result no_boot(struct bios_call *call)
{
	machine_say(call->machine, "INT 18h at %04x:%04x: the guest cannot boot", call->cs,
		    (uint16_t)(call->ip - 2));
	return stop(call);
}

/* Memory and vectors stay as they are. */
static enum bios_result boot(struct bios_call *call)
{
	char why[200];

	if (!boot_disk(call->machine, why, sizeof(why)))
		return BIOS_STAY;
	machine_say(call->machine, "INT 19h at %04x:%04x: %s", call->cs, (uint16_t)(call->ip - 2), why);
	return stop(call);
}

const struct bios_service int18_services[] = {{BIOS_ANY, "no boot device", no_boot}, {0}};
const struct bios_service int19_services[] = {{BIOS_ANY, "boot", boot}, {0}};
