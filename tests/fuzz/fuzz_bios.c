/* The BIOS's services, with any registers, structures in memory and disks. See pc.h. */
#include "pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	pc_start(&input);
	pc_call_bios(&input);
	pc_end();
	return 0;
}
