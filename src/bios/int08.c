/* INT 08h: IRQ 0, 18.2 times a second. The ROM then calls INT 1Ch and ends the interrupt. */
#include "bios/bios.h"
#include "machine.h"

#define TICKS 0x6c	   /* since midnight */
#define MIDNIGHT_PASSED 0x70
#define MOTOR_TIMEOUT 0x40
#define TICKS_PER_DAY 0x1800b0

static enum bios_result tick(struct bios_call *call)
{
	struct machine *machine = call->machine;
	uint32_t ticks = bios_long(machine, TICKS) + 1;
	uint8_t *motor = bios_byte(machine, MOTOR_TIMEOUT);

	if (ticks >= TICKS_PER_DAY) {
		ticks = 0;
		++*bios_byte(machine, MIDNIGHT_PASSED);
	}
	bios_set_long(machine, TICKS, ticks);
	if (*motor)
		--*motor;
	return BIOS_DONE;
}

const struct bios_service int08_services[] = {
	{BIOS_ANY, "timer tick", tick},
	{0},
};
