/* ELF executables: segments to their physical addresses, entered in the mode of the file's class. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "load/elf_read.h"
#include "machine.h"
#include "message.h"
#include "options.h"

/* What is left for a stack where the image reaches up to the tables at the end of memory. */
#define STACK_MIN 0x1000

static int matches(const struct options *options, const struct image *image)
{
	(void)options;
	return elf_has_magic(image);
}

/* Seen at its p_vaddr, too, which no page of memory at its own address has taken. */
static bool is_mapped(const struct machine *machine, const struct elf_segment *segment)
{
	return !load_is_identity(machine, segment->linear);
}

static int add_map(struct load_map *map, const struct image *image, const struct elf_segment *segment,
		   char *why, size_t size)
{
	const uint64_t last = segment->linear + (segment->size - 1);
	const char *problem = NULL;

	*map = (struct load_map){segment->linear, segment->physical, segment->size};
	if ((segment->linear ^ segment->physical) & 0xfff)
		problem = "has another offset in its page than p_paddr";
	else if ((uint64_t)((int64_t)(segment->linear << 16) >> 16) != segment->linear ||
		 (uint64_t)((int64_t)(last << 16) >> 16) != last)
		problem = "is no address of 64-bit mode with 4 levels of page tables";
	if (!problem)
		return 0;
	snprintf(why, size, "program header %u of %s cannot be mapped: its p_vaddr 0x%llx %s",
		 segment->number, image->path, (unsigned long long)segment->linear, problem);
	return -ENOEXEC;
}

/*
 * Where the file begins: e_entry is an address as the code was linked, and without page tables the code
 * runs where it was loaded.
 */
static int find_entry(const struct machine *machine, const struct elf *elf, const struct image *image,
		      int mode, uint64_t *entry, char *why, size_t size)
{
	const struct elf_segment *segment = elf_segment_at(elf, elf->entry);

	if (!segment || mode != 64 || !is_mapped(machine, segment))
		return elf_physical_entry(elf, image, entry, why, size);
	*entry = elf->entry;
	return 0;
}

static int entry_mode(const struct options *options, const struct elf *elf)
{
	return options->mode_given ? options->mode : elf->is64 ? 64 : 32;
}

static int enter(struct machine *machine, const struct elf *elf, const struct image *image,
		 struct load_map *maps, char *why, size_t size)
{
	struct load_entry entry = {
		.mode = entry_mode(machine->options, elf), .stack = STACK_MIN, .maps = maps};
	int result = find_entry(machine, elf, image, entry.mode, &entry.linear, why, size);

	if (result)
		return result;
	if (entry.mode == 16)
		return load_real_mode_at(machine, entry.linear, elf->segments[0].physical, why, size);
	for (size_t i = 0; i < elf->count; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		if (segment->physical < machine->vm.low_size)
			entry.image_end = segment->physical + segment->size;
		if (entry.mode != 64 || !is_mapped(machine, segment))
			continue;
		result = add_map(&maps[entry.map_count++], image, segment, why, size);
		if (result)
			return result;
	}
	return load_flat_mode(machine, &entry, why, size);
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct load_map *maps = NULL;
	struct elf elf;
	int result;

	if (options_reject_raw(machine->options, true, why, size))
		return -EINVAL;
	result = elf_read(&elf, image, why, size);
	if (!result)
		result = elf_copy(machine, &elf, image, why, size);
	if (!result) {
		maps = calloc(elf.count, sizeof(*maps));
		if (maps) {
			result = enter(machine, &elf, image, maps, why, size);
		} else {
			snprintf(why, size, "no memory for the segments of %s", image->path);
			result = -ENOMEM;
		}
	}
	free(maps);
	elf_free(&elf);
	return result;
}

static void tell(const struct machine *machine, const struct image *image)
{
	const struct options *options = machine->options;
	uint64_t entry;
	struct elf elf;
	char why[256];
	int mode;

	if (elf_read(&elf, image, why, sizeof(why)))
		goto out;
	mode = entry_mode(options, &elf);
	for (size_t i = 0; options->verbose && i < elf.count; i++)
		message("program header %u: 0x%llx bytes at 0x%llx, linked at 0x%llx",
			elf.segments[i].number, (unsigned long long)elf.segments[i].size,
			(unsigned long long)elf.segments[i].physical,
			(unsigned long long)elf.segments[i].linear);
	if (!find_entry(machine, &elf, image, mode, &entry, why, sizeof(why)) && entry != elf.entry)
		message("%s begins at 0x%llx, without the paging that its entry 0x%llx was linked for",
			image->path, (unsigned long long)entry, (unsigned long long)elf.entry);
	if (image_multiboot.matches(&(struct options){0}, image) ||
	    image_multiboot2.matches(&(struct options){0}, image))
		message("%s has a Multiboot header, but begins without Multiboot's information, in %d-bit "
			"mode%s",
			image->path, mode,
			mode == 64 ? "; --mode=32 is the mode that Multiboot begins in" : "");
out:
	elf_free(&elf);
}

const struct image_type image_elf = {
	.name = "elf",
	.help = "a static ELF executable for i386 or x86-64",
	.matches = matches,
	.load = load,
	.tell = tell,
	.has_symbols = true,
};
