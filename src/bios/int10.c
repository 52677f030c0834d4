/* INT 10h: the screen. */
#include "bios/bios.h"
#include "machine.h"

static enum bios_result teletype(struct bios_call *call)
{
	console_write(&call->machine->console, (const char *)&call->a.l, 1);
	return BIOS_DONE;
}

const struct bios_service int10_services[] = {
	{0x0e, "write character", teletype},
	{0},
};
