/* ELF executables: what their headers say, with every number checked. */
#include "load/elf_read.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

bool elf_has_magic(const struct image *image)
{
	return image->size >= SELFMAG && !memcmp(image->data, ELFMAG, SELFMAG);
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

	if (!elf_has_magic(image)) {
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
		elf->sections = header.e_shoff;
		elf->section_count = header.e_shnum;
		elf->section_size = header.e_shentsize;
		elf->section_names = header.e_shstrndx;
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
		elf->sections = header.e_shoff;
		elf->section_count = header.e_shnum;
		elf->section_size = header.e_shentsize;
		elf->section_names = header.e_shstrndx;
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
			     struct elf_segment *segment)
{
	if (elf->is64) {
		Elf64_Phdr header;

		memcpy(&header, image->data + elf->headers + number * sizeof(header), sizeof(header));
		*segment = (struct elf_segment){number,	     header.p_offset, header.p_vaddr,
						   header.p_paddr, header.p_filesz, header.p_memsz};
		return header.p_type;
	} else {
		Elf32_Phdr header;

		memcpy(&header, image->data + elf->headers + number * sizeof(header), sizeof(header));
		*segment = (struct elf_segment){number,	     header.p_offset, header.p_vaddr,
						   header.p_paddr, header.p_filesz, header.p_memsz};
		return header.p_type;
	}
}

static int check_segment(const struct elf *elf, const struct image *image,
			 const struct elf_segment *segment, char *why, size_t size)
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
	const struct elf_segment *one = a, *other = b;

	return one->physical < other->physical ? -1 : one->physical > other->physical;
}

int elf_read(struct elf *elf, const struct image *image, char *why, size_t size)
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
		struct elf_segment *segment = &elf->segments[elf->count];
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
		const struct elf_segment *one = &elf->segments[i - 1], *other = &elf->segments[i];

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

void elf_free(struct elf *elf)
{
	free(elf->segments);
}

static int copy_segment(struct machine *machine, const struct image *image,
			const struct elf_segment *segment, char *why, size_t size)
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

int elf_copy(struct machine *machine, const struct elf *elf, const struct image *image, char *why, size_t size)
{
	int result = 0;

	for (size_t i = 0; !result && i < elf->count; i++)
		result = copy_segment(machine, image, &elf->segments[i], why, size);
	return result;
}

const struct elf_segment *elf_segment_at(const struct elf *elf, uint64_t linear)
{
	for (size_t i = 0; i < elf->count; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		if (linear >= segment->linear && linear - segment->linear < segment->size)
			return segment;
	}
	return NULL;
}

int elf_physical_entry(const struct elf *elf, const struct image *image, uint64_t *entry, char *why, size_t size)
{
	const struct elf_segment *segment = elf_segment_at(elf, elf->entry);

	*entry = elf->entry;
	if (segment) {
		*entry = elf->entry - segment->linear + segment->physical;
		return 0;
	}
	for (size_t i = 0; i < elf->count; i++) {
		segment = &elf->segments[i];
		if (elf->entry >= segment->physical && elf->entry - segment->physical < segment->size)
			return 0;
	}
	snprintf(why, size, "the entry 0x%llx of %s is in none of its segments",
		 (unsigned long long)elf->entry, image->path);
	return -ENOEXEC;
}

/* The same in both classes. The name and the descriptor begin at multiples of 4. */
static const uint8_t *find_note(const uint8_t *data, size_t len, const char *name, uint32_t type, size_t *found)
{
	Elf32_Nhdr note;

	while (len >= sizeof(note)) {
		size_t name_size, size;

		memcpy(&note, data, sizeof(note));
		data += sizeof(note);
		len -= sizeof(note);
		name_size = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		if (name_size > len || note.n_descsz > len - name_size)
			return NULL;
		if (note.n_type == type && note.n_namesz == strlen(name) + 1 &&
		    !memcmp(data, name, note.n_namesz)) {
			*found = note.n_descsz;
			return data + name_size;
		}
		size = name_size + (((size_t)note.n_descsz + 3) & ~(size_t)3);
		if (size > len)
			return NULL;
		data += size;
		len -= size;
	}
	return NULL;
}

const uint8_t *elf_note(const struct elf *elf, const struct image *image, const char *name, uint32_t type,
			size_t *len)
{
	for (unsigned int i = 0; i < elf->header_count; i++) {
		struct elf_segment segment;
		const uint8_t *found;

		if (read_segment(elf, image, i, &segment) != PT_NOTE || segment.offset > image->size ||
		    segment.file_size > image->size - segment.offset)
			continue;
		found = find_note(image->data + segment.offset, segment.file_size, name, type, len);
		if (found)
			return found;
	}
	return NULL;
}
