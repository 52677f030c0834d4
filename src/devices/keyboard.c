/* The keyboard. */
#include "devices/devices.h"

bool keyboard_may_come(const struct machine *machine)
{
	(void)machine;
	return false;
}
