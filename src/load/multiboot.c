#include "load/multiboot.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "options.h"

size_t multiboot_find(const struct image *image, uint32_t magic, size_t search, size_t align, size_t words)
{
	uint32_t header[4];

	for (size_t at = 0; at < search && at + words * sizeof(*header) <= image->size; at += align) {
		uint32_t sum = 0;

		memcpy(header, image->data + at, words * sizeof(*header));
		for (size_t i = 0; i < words; i++)
			sum += header[i];
		if (header[0] == magic && !sum)
			return at;
	}
	return image->size;
}

bool multiboot_suits(const struct options *options, const struct image *image, bool has_addresses)
{
	/* Whoever says where it begins, or in which mode, wants that. */
	if (options->load_given || options->entry || options->mode_given)
		return false;
	if (elf_has_magic(image))
		return true;
	/* On a disk it is the file system that has the kernel. */
	return has_addresses && !(image->size >= 512 && image->data[510] == 0x55 && image->data[511] == 0xaa);
}

int multiboot_begin(struct multiboot *multiboot)
{
	struct kernel *kernel = &multiboot->kernel;

	multiboot->loads_elf = !multiboot->has_addresses;
	if (multiboot->loads_elf && !elf_has_magic(kernel->image))
		return kernel_refuse(kernel, "%s is no ELF executable, and its Multiboot header does not say where it "
					     "is to be loaded",
				     kernel->image->path);
	return multiboot->loads_elf ? kernel_read_elf(kernel) : 0;
}

static int load_by_addresses(struct multiboot *multiboot)
{
	const struct multiboot_addresses *addresses = &multiboot->addresses;
	struct kernel *kernel = &multiboot->kernel;
	const struct image *image = kernel->image;
	uint32_t before = addresses->header - addresses->load;
	size_t offset = multiboot->header - before, file_size;
	uint64_t len;

	if (addresses->header < addresses->load || before > multiboot->header)
		return kernel_refuse(kernel, "%s is to be loaded at 0x%x, with its Multiboot header, at offset 0x%zx, at "
					     "0x%x, which cannot be",
				     image->path, addresses->load, multiboot->header, addresses->header);
	file_size = image->size - offset;
	if (addresses->load_end) {
		if (addresses->load_end < addresses->load)
			return kernel_refuse(kernel, "the Multiboot header of %s has an end 0x%x below the beginning 0x%x",
					     image->path, addresses->load_end, addresses->load);
		if (addresses->load_end - addresses->load > file_size)
			return kernel_refuse(kernel, "%s is cut off: its Multiboot header has 0x%x bytes to be loaded",
					     image->path, addresses->load_end - addresses->load);
		file_size = addresses->load_end - addresses->load;
	} else if (image->truncated) {
		return kernel_refuse(kernel, "%s is larger than the guest's memory: give it more with --memory",
				     image->path);
	}
	len = file_size;
	if (addresses->bss_end && addresses->bss_end - (uint64_t)addresses->load > len) {
		if (addresses->bss_end < addresses->load)
			return kernel_refuse(kernel, "the Multiboot header of %s has an end 0x%x below the beginning 0x%x",
					     image->path, addresses->bss_end, addresses->load);
		len = addresses->bss_end - (uint64_t)addresses->load;
	}
	if (!len)
		return kernel_refuse(kernel, "the Multiboot header of %s has nothing to be loaded", image->path);
	return kernel_load_piece(kernel, offset, file_size, addresses->load, len);
}

/* The fields of a section header, whose sizes depend on the class. */
struct section {
	uint32_t type;
	uint64_t address, offset, size;
};

static void read_section(const uint8_t *header, bool is64, struct section *section)
{
	Elf64_Shdr large;
	Elf32_Shdr small;

	if (is64) {
		memcpy(&large, header, sizeof(large));
		*section = (struct section){large.sh_type, large.sh_addr, large.sh_offset, large.sh_size};
	} else {
		memcpy(&small, header, sizeof(small));
		*section = (struct section){small.sh_type, small.sh_addr, small.sh_offset, small.sh_size};
	}
}

static void set_address(uint8_t *header, bool is64, uint32_t address)
{
	uint64_t large = address;

	if (is64)
		memcpy(header + offsetof(Elf64_Shdr, sh_addr), &large, sizeof(large));
	else
		memcpy(header + offsetof(Elf32_Shdr, sh_addr), &address, sizeof(address));
}

/* Headers that are no good are left out: no kernel needs its symbols. */
static void load_sections(struct multiboot *multiboot)
{
	struct kernel *kernel = &multiboot->kernel;
	const struct image *image = kernel->image;
	const struct elf *elf = &kernel->elf;
	size_t each = elf->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr), len = elf->section_count * each;
	struct section section;
	uint32_t at;

	if (!len || elf->section_size != each || elf->sections > image->size || len > image->size - elf->sections)
		return;
	multiboot->sections = malloc(len);
	if (!multiboot->sections)
		return;
	memcpy(multiboot->sections, image->data + elf->sections, len);
	multiboot->sections_size = len;
	for (size_t i = 0; i < elf->section_count; i++) {
		read_section(multiboot->sections + i * each, elf->is64, &section);
		if ((section.type != SHT_SYMTAB && section.type != SHT_STRTAB) || section.address || !section.size ||
		    section.offset > image->size || section.size > image->size - section.offset ||
		    kernel_find_room_behind(kernel, section.size, &at))
			continue;
		memcpy(vm_host(&kernel->machine->vm, at, NULL), image->data + section.offset, section.size);
		set_address(multiboot->sections + i * each, elf->is64, at);
	}
}

int multiboot_load(struct multiboot *multiboot)
{
	struct kernel *kernel = &multiboot->kernel;
	int result = multiboot->loads_elf ? kernel_load_elf(kernel) : load_by_addresses(multiboot);

	if (multiboot->has_entry)
		kernel->entry = multiboot->entry;
	if (!result)
		result = kernel_load_modules(kernel);
	if (!result && multiboot->loads_elf)
		load_sections(multiboot);
	return result;
}

int multiboot_enter(struct multiboot *multiboot, const struct bytes *info, uint32_t at, uint32_t magic)
{
	struct kernel *kernel = &multiboot->kernel;
	int result = kernel_enter(kernel);

	if (result)
		return result;
	memcpy(vm_host(&kernel->machine->vm, at, NULL), info->data, info->size);
	kernel->machine->vcpu.regs->rax = magic;
	kernel->machine->vcpu.regs->rbx = at;
	return 0;
}

void multiboot_free(struct multiboot *multiboot)
{
	free(multiboot->sections);
	kernel_free(&multiboot->kernel);
}
