#include "e820.h"

#include "kvm.h"

size_t e820_map(const struct vm *vm, struct e820_entry entries[E820_MAX])
{
	const struct e820_entry all[] = {
		{0, EBDA_START, E820_USABLE},
		{EBDA_START, EBDA_SIZE, E820_RESERVED},
		{0xf0000, 0x10000, E820_RESERVED}, /* the ROM */
		{HIGH_MEMORY_START, VM_LOW_MAX - HIGH_MEMORY_START, E820_USABLE},
		{VM_HIGH_START, vm->size - vm->low_size, E820_USABLE},
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct e820_entry entry = all[i];

		/* A machine without a PC's devices may have less. */
		if (entry.start < VM_HIGH_START) {
			if (entry.start >= vm->low_size)
				continue;
			if (entry.size > vm->low_size - entry.start)
				entry.size = vm->low_size - entry.start;
		}
		if (entry.size)
			entries[count++] = entry;
	}
	return count;
}
