/* INT 18h and INT 19h: what a boot sector calls that cannot go on. */
#include "bios/bios.h"
#include "machine.h"

static enum bios_result no_boot(struct bios_call *call)
{
	machine_say(call->machine, "INT 18h at %04x:%04x: the guest cannot boot", call->cs,
		    (uint16_t)(call->ip - 2));
	*call->stop = (struct gdbstub_stop){.reason = GDBSTUB_STOPPED, .signal = GDBSTUB_SIGNAL_NONE, .thread = 1};
	bios_pop_frame(call, true);
	return BIOS_STOP;
}

const struct bios_service int18_services[] = {{BIOS_ANY, "no boot device", no_boot}, {0}};
