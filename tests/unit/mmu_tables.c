#include "mmu_tables.h"

#include <stdlib.h>

const struct region regions[REGIONS] = {
	{ 0, LOW_SIZE, 1 },
	{ MIDDLE, PAGE, LOW_SIZE + 1 },
	{ HIGH, PAGE, LOW_SIZE + PAGE + 1 },
};
uint8_t memory[LOW_SIZE + 2 * PAGE + 1];
unsigned int reads, bad_reads;
static int cookie;

uint8_t *locate(uint64_t gpa, uint64_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		const struct region *region = &regions[i];

		if (gpa >= region->start && gpa - region->start < region->size &&
		    region->size - (gpa - region->start) >= len)
			return memory + region->offset + (gpa - region->start);
	}
	return NULL;
}

/* What the code under test is given: it also watches what it is asked. */
static const void *physical(void *opaque, uint64_t gpa, size_t len)
{
	reads++;
	if (opaque != &cookie || (len != 4 && len != 8) || gpa % len || gpa >> 52)
		bad_reads++;
	return locate(gpa, len);
}

void put(uint64_t gpa, unsigned int size, uint64_t value)
{
	uint8_t *to = locate(gpa, size);

	if (!to) {
		comment("the test writes outside its memory, at 0x%" PRIx64, gpa);
		exit(1);
	}
	for (unsigned int i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

void clear(void)
{
	memset(memory, 0, sizeof(memory));
}

struct mmu mmu_with(uint64_t cr0, uint64_t cr3, uint64_t cr4, uint64_t efer)
{
	struct mmu mmu = {
		.cr0 = cr0,
		.cr3 = cr3,
		.cr4 = cr4,
		.efer = efer,
		.physical = physical,
		.opaque = &cookie,
	};

	return mmu;
}
uint64_t span(unsigned int low, unsigned int high)
{
	uint64_t bits = 0;

	for (unsigned int i = low; i <= high; i++)
		bits |= UINT64_C(1) << i;
	return bits;
}
