/* The headers of ELF executables, checked. */
#ifndef ELF_READ_H
#define ELF_READ_H

#include "load/load.h"

/* A PT_LOAD of either class, with something in it. */
struct elf_segment {
	unsigned int number; /* of its program header */
	uint64_t offset, linear, physical, file_size, size;
};

struct elf {
	bool is64;
	uint64_t entry;
	uint64_t headers; /* offset of the program headers */
	unsigned int header_count;
	uint64_t sections;	      /* offset of the section headers, as the file says */
	unsigned int section_count, section_size, section_names;
	struct elf_segment *segments; /* by their physical addresses */
	size_t count;
};

bool elf_has_magic(const struct image *image);
/* What is to be loaded; elf_free() also after an error. Returns 0, or a negative errno and why. */
int elf_read(struct elf *elf, const struct image *image, char *why, size_t size);
void elf_free(struct elf *elf);
/* All segments into memory. */
int elf_copy(struct machine *machine, const struct elf *elf, const struct image *image, char *why, size_t size);
/*
 * The physical address of what was linked to e_entry. Where no segment was linked there, it is a physical address
 * already.
 */
int elf_physical_entry(const struct elf *elf, const struct image *image, uint64_t *entry, char *why, size_t size);
/* The segment that `linear` was linked in, or NULL. */
const struct elf_segment *elf_segment_at(const struct elf *elf, uint64_t linear);

/* A descriptor in a PT_NOTE of that name and type: its bytes and their number; NULL if there is none. */
const uint8_t *elf_note(const struct elf *elf, const struct image *image, const char *name, uint32_t type,
			size_t *len);

#endif
