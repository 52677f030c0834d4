/* The map of physical memory that a PC's firmware gives: where memory is, and what of it is free. */
#ifndef E820_H
#define E820_H

#include <stddef.h>
#include <stdint.h>

struct vm;

enum e820_type { E820_USABLE = 1, E820_RESERVED = 2 };

/* As INT 15h AX=E820h, multiboot and Linux give it. */
struct e820_entry {
	uint64_t start, size; /* bytes, not 0 */
	uint32_t type;	      /* enum e820_type */
} __attribute__((packed));

#define E820_MAX 8

/* The end of what is free of the first 640 KiB: behind it lies the BIOS's extended data area. */
#define LOW_MEMORY_END 0xa0000u
#define EBDA_SIZE 0x400u
#define EBDA_START (LOW_MEMORY_END - EBDA_SIZE)
#define HIGH_MEMORY_START 0x100000u

/* Fills `entries`, by address, and returns how many of E820_MAX there are. */
size_t e820_map(const struct vm *vm, struct e820_entry entries[E820_MAX]);

#endif
