/* A PC's devices: ports in any order with any values, the VGA's memory, keys, and time that goes by. See pc.h. */
#include "pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	pc_start(&input);
	pc_use_ports(&input);
	pc_end();
	return 0;
}
