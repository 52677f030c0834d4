/* ELF executables: segments to their physical addresses, entered in the mode of the file's class. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/load.h"
#include "machine.h"
#include "message.h"
#include "options.h"

/* What is left for a stack where the image reaches up to the tables at the end of memory. */
#define STACK_MIN 0x1000

#define MULTIBOOT1_MAGIC 0x1badb002u
#define MULTIBOOT1_SEARCH 8192
#define MULTIBOOT2_MAGIC 0xe85250d6u
#define MULTIBOOT2_SEARCH 32768

/* A PT_LOAD of either class, with something in it. */
struct segment_header {
	unsigned int number; /* of its program header */
	uint64_t offset, linear, physical, file_size, size;
};

struct elf {
	bool is64;
	uint64_t entry;
	uint64_t headers; /* offset of the program headers */
	unsigned int header_count;
	struct segment_header *segments; /* by their physical addresses */
	size_t count;
};

static bool has_magic(const struct image *image)
{
	return image->size >= SELFMAG && !memcmp(image->data, ELFMAG, SELFMAG);
}

static int matches(const struct options *options, const struct image *image)
{
	(void)options;
	return has_magic(image);
}

/* The file ends before what it should have. */
static int refuse_short(const struct image *image, const char *what, char *why, size_t size)
{
	snprintf(why, size,
		 image->truncated ? "%s is larger than the guest's memory, and %s lies behind that: give it "
				    "more with --memory"
				  : "%s is cut off: %s reaches beyond its end",
		 image->path, what);
	return -ENOEXEC;
}

/* Why a file of this type cannot be loaded, or NULL. */
static const char *type_refusal(unsigned int type)
{
	switch (type) {
	case ET_EXEC:
		return NULL;
	case ET_REL:
		return "is an object file: link it";
	case ET_DYN:
		return "is a shared library or position-independent: link it with -static -no-pie";
	case ET_CORE:
		return "is a core dump";
	default:
		return "is no executable: its e_type is unknown";
	}
}

static int read_header(struct elf *elf, const struct image *image, char *why, size_t size)
{
	const uint8_t *ident = image->data;
	unsigned int type, machine;
	size_t header_size;
	uint32_t version;
	const char *refusal;

	if (!has_magic(image)) {
		snprintf(why, size,
			 "%s is no ELF file: it does not begin with 7f 45 4c 46; --type=raw takes it as "
			 "it is",
			 image->path);
		return -ENOEXEC;
	}
	if (image->size < EI_NIDENT)
		return refuse_short(image, "the ELF header", why, size);
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64) {
		snprintf(why, size, "%s is of ELF class %u, and neither of 32 nor of 64 bits", image->path,
			 ident[EI_CLASS]);
		return -ENOEXEC;
	}
	if (ident[EI_DATA] != ELFDATA2LSB) {
		snprintf(why, size, "%s is %s, and x86 is little-endian", image->path,
			 ident[EI_DATA] == ELFDATA2MSB ? "big-endian" : "of an unknown byte order");
		return -ENOEXEC;
	}
	elf->is64 = ident[EI_CLASS] == ELFCLASS64;
	if (elf->is64) {
		Elf64_Ehdr header;

		if (image->size < sizeof(header))
			return refuse_short(image, "the ELF header", why, size);
		memcpy(&header, image->data, sizeof(header));
		type = header.e_type;
		machine = header.e_machine;
		version = header.e_version;
		elf->entry = header.e_entry;
		elf->headers = header.e_phoff;
		elf->header_count = header.e_phnum;
		header_size = header.e_phentsize;
	} else {
		Elf32_Ehdr header;

		if (image->size < sizeof(header))
			return refuse_short(image, "the ELF header", why, size);
		memcpy(&header, image->data, sizeof(header));
		type = header.e_type;
		machine = header.e_machine;
		version = header.e_version;
		elf->entry = header.e_entry;
		elf->headers = header.e_phoff;
		elf->header_count = header.e_phnum;
		header_size = header.e_phentsize;
	}
	if (ident[EI_VERSION] != EV_CURRENT || version != EV_CURRENT) {
		snprintf(why, size, "%s is of an unknown ELF version", image->path);
		return -ENOEXEC;
	}
	if (machine != (elf->is64 ? EM_X86_64 : EM_386)) {
		snprintf(why, size, "%s is for another machine: its e_machine is %u, and %s-bit x86 is %u",
			 image->path, machine, elf->is64 ? "64" : "32", elf->is64 ? EM_X86_64 : EM_386);
		return -ENOEXEC;
	}
	refusal = type_refusal(type);
	if (refusal) {
		snprintf(why, size, "%s %s", image->path, refusal);
		return -ENOEXEC;
	}
	if (!elf->header_count || elf->header_count == PN_XNUM) {
		snprintf(why, size, "%s has %s program headers", image->path,
			 elf->header_count ? "too many" : "no");
		return -ENOEXEC;
	}
	if (header_size != (elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) {
		snprintf(why, size, "%s has program headers of %zu bytes instead of %zu", image->path,
			 header_size, elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
		return -ENOEXEC;
	}
	if (elf->headers > image->size || elf->header_count * header_size > image->size - elf->headers)
		return refuse_short(image, "its table of program headers", why, size);
	return 0;
}

/* Program header `number`, which is there; returns its p_type. */
static uint32_t read_segment(const struct elf *elf, const struct image *image, unsigned int number,
			     struct segment_header *segment)
{
	if (elf->is64) {
		Elf64_Phdr header;

		memcpy(&header, image->data + elf->headers + number * sizeof(header), sizeof(header));
		*segment = (struct segment_header){number,	     header.p_offset, header.p_vaddr,
						   header.p_paddr, header.p_filesz, header.p_memsz};
		return header.p_type;
	} else {
		Elf32_Phdr header;

		memcpy(&header, image->data + elf->headers + number * sizeof(header), sizeof(header));
		*segment = (struct segment_header){number,	     header.p_offset, header.p_vaddr,
						   header.p_paddr, header.p_filesz, header.p_memsz};
		return header.p_type;
	}
}

static int check_segment(const struct elf *elf, const struct image *image,
			 const struct segment_header *segment, char *why, size_t size)
{
	const uint64_t last_address = elf->is64 ? UINT64_MAX : UINT32_MAX;
	const char *field = NULL;
	char what[32];

	if (segment->file_size > segment->size) {
		snprintf(why, size,
			 "program header %u of %s has a p_filesz of 0x%llx and a smaller p_memsz of 0x%llx",
			 segment->number, image->path, (unsigned long long)segment->file_size,
			 (unsigned long long)segment->size);
		return -ENOEXEC;
	}
	if (segment->offset > image->size || segment->file_size > image->size - segment->offset) {
		snprintf(what, sizeof(what), "program header %u", segment->number);
		return refuse_short(image, what, why, size);
	}
	if (segment->size && segment->size - 1 > last_address - segment->linear)
		field = "p_vaddr";
	if (segment->size && segment->size - 1 > last_address - segment->physical)
		field = "p_paddr";
	if (field) {
		snprintf(why, size,
			 "program header %u of %s has a p_memsz of 0x%llx that leads beyond the last address "
			 "from its %s",
			 segment->number, image->path, (unsigned long long)segment->size, field);
		return -ENOEXEC;
	}
	return 0;
}

static int by_physical(const void *a, const void *b)
{
	const struct segment_header *one = a, *other = b;

	return one->physical < other->physical ? -1 : one->physical > other->physical;
}

/* What is to be loaded; elf_free() also after an error. */
static int elf_read(struct elf *elf, const struct image *image, char *why, size_t size)
{
	bool has_physical = false;
	int result;

	*elf = (struct elf){0};
	result = read_header(elf, image, why, size);
	if (result)
		return result;
	elf->segments = calloc(elf->header_count, sizeof(*elf->segments));
	if (!elf->segments) {
		snprintf(why, size, "no memory for the program headers of %s", image->path);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < elf->header_count; i++) {
		struct segment_header *segment = &elf->segments[elf->count];
		uint32_t type = read_segment(elf, image, i, segment);

		if (type == PT_INTERP || type == PT_DYNAMIC) {
			snprintf(why, size,
				 "%s is linked dynamically, by its program header %u: link it with -static",
				 image->path, i);
			return -ENOEXEC;
		}
		if (type != PT_LOAD)
			continue;
		result = check_segment(elf, image, segment, why, size);
		if (result)
			return result;
		has_physical |= segment->physical != 0;
		elf->count += segment->size != 0;
	}
	if (!elf->count) {
		snprintf(why, size, "%s has nothing to be loaded: no PT_LOAD with a p_memsz", image->path);
		return -ENOEXEC;
	}
	/* Some linkers leave the field alone. */
	for (size_t i = 0; elf->count > 1 && !has_physical && i < elf->count; i++)
		elf->segments[i].physical = elf->segments[i].linear;
	qsort(elf->segments, elf->count, sizeof(*elf->segments), by_physical);
	for (size_t i = 1; i < elf->count; i++) {
		const struct segment_header *one = &elf->segments[i - 1], *other = &elf->segments[i];

		if (other->physical - one->physical < one->size) {
			snprintf(why, size,
				 "program headers %u and %u of %s overlap at physical address 0x%llx",
				 one->number, other->number, image->path,
				 (unsigned long long)other->physical);
			return -ENOEXEC;
		}
	}
	return 0;
}

static void elf_free(struct elf *elf)
{
	free(elf->segments);
}

static int copy_segment(struct machine *machine, const struct image *image,
			const struct segment_header *segment, char *why, size_t size)
{
	uint64_t left;
	uint8_t *host = vm_host(&machine->vm, segment->physical, &left);

	if (!host || left < segment->size) {
		bool far = segment->physical == segment->linear && segment->physical >= VM_LOW_MAX;

		snprintf(why, size,
			 "program header %u of %s: 0x%llx bytes at physical address 0x%llx do not fit into "
			 "the guest's memory of %llu bytes: %s",
			 segment->number, image->path, (unsigned long long)segment->size,
			 (unsigned long long)segment->physical, (unsigned long long)machine->vm.size,
			 far ? "give it another load address, with AT in the linker script"
			     : "give it more with --memory");
		return -ENOSPC;
	}
	/* Behind that are zeros already: the memory is new, and segments do not overlap. */
	memcpy(host, image->data + segment->offset, segment->file_size);
	return 0;
}

/* Seen at its p_vaddr, too, which no page of memory at its own address has taken. */
static bool is_mapped(const struct machine *machine, const struct segment_header *segment)
{
	return !load_is_identity(machine, segment->linear);
}

static int add_map(struct load_map *map, const struct image *image, const struct segment_header *segment,
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
 * runs where it was loaded. Where no segment was linked there, it is a physical address already.
 */
static int find_entry(const struct machine *machine, const struct elf *elf, const struct image *image,
		      int mode, uint64_t *entry, char *why, size_t size)
{
	*entry = elf->entry;
	for (size_t i = 0; i < elf->count; i++) {
		const struct segment_header *segment = &elf->segments[i];

		if (elf->entry < segment->linear || elf->entry - segment->linear >= segment->size)
			continue;
		if (mode != 64 || !is_mapped(machine, segment))
			*entry = elf->entry - segment->linear + segment->physical;
		return 0;
	}
	for (size_t i = 0; i < elf->count; i++) {
		const struct segment_header *segment = &elf->segments[i];

		if (elf->entry >= segment->physical && elf->entry - segment->physical < segment->size)
			return 0;
	}
	snprintf(why, size, "the entry 0x%llx of %s is in none of its segments",
		 (unsigned long long)elf->entry, image->path);
	return -ENOEXEC;
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
		const struct segment_header *segment = &elf->segments[i];

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
	for (size_t i = 0; !result && i < elf.count; i++)
		result = copy_segment(machine, image, &elf.segments[i], why, size);
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

/* The first words of a header add up to 0, by a checksum among them. */
static bool has_multiboot(const struct image *image, uint32_t magic, size_t search, size_t align,
			  size_t words)
{
	uint32_t header[4];

	for (size_t at = 0; at < search && at + words * sizeof(*header) <= image->size; at += align) {
		uint32_t sum = 0;

		memcpy(header, image->data + at, words * sizeof(*header));
		for (size_t i = 0; i < words; i++)
			sum += header[i];
		if (header[0] == magic && !sum)
			return true;
	}
	return false;
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
	if (has_multiboot(image, MULTIBOOT1_MAGIC, MULTIBOOT1_SEARCH, 4, 3) ||
	    has_multiboot(image, MULTIBOOT2_MAGIC, MULTIBOOT2_SEARCH, 8, 4))
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
