/* What Multiboot 1 and 2 share: the header and the addresses in it, and the kernel's section headers. */
#ifndef MULTIBOOT_H
#define MULTIBOOT_H

#include "load/load_kernel.h"

#define MULTIBOOT1_MAGIC 0x1badb002u
#define MULTIBOOT2_MAGIC 0xe85250d6u
#define MULTIBOOT_LOADER "kvmgdb"

/* Where an image goes that is not loaded by ELF headers; load_end and bss_end are 0 where nothing is said. */
struct multiboot_addresses {
	uint32_t header, load, load_end, bss_end;
};

struct multiboot {
	struct kernel kernel;
	size_t header; /* its offset in the image */
	bool has_addresses, has_entry, loads_elf;
	struct multiboot_addresses addresses;
	uint32_t entry;
	/* The section headers of an ELF file, with the addresses that the symbols have got: */
	uint8_t *sections;
	size_t sections_size;
};

/*
 * The offset of the first header with this magic whose `words` add up to 0, at a multiple of `align` below `search`;
 * image->size if there is none.
 */
size_t multiboot_find(const struct image *image, uint32_t magic, size_t search, size_t align, size_t words);
/* Whether --type=auto should take it: its format is one that the header goes with. */
bool multiboot_suits(const struct options *options, const struct image *image, bool has_addresses);
/* Reads the ELF headers, if the image is not loaded by its addresses. */
int multiboot_begin(struct multiboot *multiboot);
/* The kernel and its modules; then the symbols, for which there need not be room. */
int multiboot_load(struct multiboot *multiboot);
/* Puts the information into memory and begins with its address in EBX. */
int multiboot_enter(struct multiboot *multiboot, const struct bytes *info, uint32_t at, uint32_t magic);
void multiboot_free(struct multiboot *multiboot);

#endif
