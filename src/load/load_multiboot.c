/* Multiboot 1 (GNU: Multiboot Specification version 0.6.96). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "e820.h"
#include "load/multiboot.h"
#include "machine.h"
#include "options.h"

#define SEARCH 8192
#define ENTRY_MAGIC 0x2badb002u

/* Of the header, what must be understood. Modules are at pages and memory is told in any case. */
#define NEEDS_MASK 0xffffu
#define NEEDS_PAGES 0x1u
#define NEEDS_MEMORY 0x2u
#define NEEDS_VIDEO 0x4u
#define HAS_ADDRESSES 0x10000u

struct header {
	uint32_t magic, flags, checksum;
	uint32_t header_address, load_address, load_end, bss_end, entry;
};

/* Of the information, what is there. */
#define TELLS_MEMORY 0x1u
#define TELLS_COMMAND_LINE 0x4u
#define TELLS_MODULES 0x8u
#define TELLS_SECTIONS 0x20u
#define TELLS_MAP 0x40u
#define TELLS_LOADER 0x200u
#define TELLS_FRAMEBUFFER 0x1000u

struct info {
	uint32_t flags, lower, upper, boot_device, command_line;
	uint32_t module_count, modules;
	uint32_t section_count, section_size, sections, section_names;
	uint32_t map_size, map;
	uint32_t drives_size, drives, configuration, loader, apm;
	uint8_t vbe[16];
	uint64_t framebuffer;
	uint32_t pitch, width, height;
	uint8_t bits, type, color[6];
} __attribute__((packed));

struct map_entry {
	uint32_t size; /* of what follows */
	struct e820_entry entry;
} __attribute__((packed));

struct module {
	uint32_t start, end, arguments, reserved;
};

#define TEXT_MEMORY 0xb8000
#define TEXT_COLUMNS 80
#define TEXT_ROWS 25
#define FRAMEBUFFER_TEXT 2

static bool find(const struct image *image, size_t *at, struct header *header)
{
	size_t left;

	*at = multiboot_find(image, MULTIBOOT1_MAGIC, SEARCH, 4, 3);
	left = image->size - *at;
	*header = (struct header){0};
	memcpy(header, image->data + *at, left < sizeof(*header) ? left : sizeof(*header));
	return left;
}

static int matches(const struct options *options, const struct image *image)
{
	struct header header;
	size_t at;

	return find(image, &at, &header) && multiboot_suits(options, image, header.flags & HAS_ADDRESSES);
}

static void make_info(const struct multiboot *multiboot, uint32_t flags, uint32_t base, struct bytes *bytes)
{
	const struct kernel *kernel = &multiboot->kernel;
	const struct vm *vm = &kernel->machine->vm;
	struct info info = {.flags = TELLS_MEMORY | TELLS_COMMAND_LINE | TELLS_MODULES | TELLS_MAP | TELLS_LOADER};
	struct e820_entry map[E820_MAX];
	size_t count = e820_map(vm, map), list;

	bytes->size = 0;
	bytes_add(bytes, &info, sizeof(info));
	bytes_align(bytes, 4);
	info.lower = EBDA_START >> 10;
	if (vm->low_size > HIGH_MEMORY_START)
		info.upper = (uint32_t)((vm->low_size - HIGH_MEMORY_START) >> 10);
	info.map = base + (uint32_t)bytes->size;
	info.map_size = (uint32_t)(count * sizeof(struct map_entry));
	for (size_t i = 0; i < count; i++) {
		struct map_entry entry = {sizeof(map[i]), map[i]};

		bytes_add(bytes, &entry, sizeof(entry));
	}
	list = bytes_add(bytes, NULL, kernel->module_count * sizeof(struct module));
	info.modules = base + (uint32_t)list;
	info.module_count = (uint32_t)kernel->module_count;
	if (multiboot->sections) {
		info.flags |= TELLS_SECTIONS;
		info.section_count = kernel->elf.section_count;
		info.section_size = kernel->elf.section_size;
		info.section_names = kernel->elf.section_names;
		bytes_align(bytes, 8);
		info.sections = base + (uint32_t)bytes_add(bytes, multiboot->sections, multiboot->sections_size);
	}
	if (flags & NEEDS_VIDEO) {
		info.flags |= TELLS_FRAMEBUFFER;
		info.framebuffer = TEXT_MEMORY;
		info.pitch = 2 * TEXT_COLUMNS;
		info.width = TEXT_COLUMNS;
		info.height = TEXT_ROWS;
		info.bits = 16;
		info.type = FRAMEBUFFER_TEXT;
	}
	info.command_line = base + (uint32_t)bytes_add_text(bytes, load_append(kernel->machine));
	info.loader = base + (uint32_t)bytes_add_text(bytes, MULTIBOOT_LOADER);
	for (size_t i = 0; i < kernel->module_count; i++) {
		const struct kernel_module *from = &kernel->modules[i];
		struct module module = {from->start, from->end,
					base + (uint32_t)bytes_add_text(bytes, from->arguments), 0};

		if (!bytes->failed)
			memcpy(bytes->data + list + i * sizeof(module), &module, sizeof(module));
	}
	if (!bytes->failed)
		memcpy(bytes->data, &info, sizeof(info));
}

static int begin(struct multiboot *multiboot, const struct header *header)
{
	struct bytes bytes = {0};
	uint32_t at = 0;
	int result;

	/* Once for its size, and again with the addresses. */
	make_info(multiboot, header->flags, 0, &bytes);
	result = bytes.failed ? -ENOMEM : kernel_find_room(&multiboot->kernel, bytes.size, &at);
	if (!result)
		make_info(multiboot, header->flags, at, &bytes);
	if (bytes.failed)
		result = kernel_refuse(&multiboot->kernel, "no memory to load %s", multiboot->kernel.image->path);
	if (!result)
		result = multiboot_enter(multiboot, &bytes, at, ENTRY_MAGIC);
	free(bytes.data);
	return result;
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct multiboot multiboot = {.kernel = {.machine = machine, .image = image, .why = why, .size = size}};
	uint32_t unknown;
	struct header header;
	int result = 0;

	if (options_reject_raw(machine->options, false, why, size))
		return -EINVAL;
	if (!find(image, &multiboot.header, &header))
		return kernel_refuse(&multiboot.kernel, "%s has no Multiboot header in its first %u bytes", image->path,
				     SEARCH);
	unknown = header.flags & NEEDS_MASK & ~(NEEDS_PAGES | NEEDS_MEMORY | NEEDS_VIDEO);
	if (unknown)
		result = kernel_refuse(&multiboot.kernel, "the Multiboot header of %s has flags that are not known: 0x%x",
				       image->path, unknown);
	multiboot.has_addresses = multiboot.has_entry = header.flags & HAS_ADDRESSES;
	multiboot.addresses = (struct multiboot_addresses){header.header_address, header.load_address,
							   header.load_end, header.bss_end};
	multiboot.entry = header.entry;
	if (!result && multiboot.has_addresses && image->size - multiboot.header < sizeof(header))
		result = kernel_refuse(&multiboot.kernel, "%s is cut off: its Multiboot header reaches beyond its end",
				       image->path);
	if (!result)
		result = multiboot_begin(&multiboot);
	if (!result)
		result = multiboot_load(&multiboot);
	if (!result)
		result = begin(&multiboot, &header);
	multiboot_free(&multiboot);
	return result;
}

const struct image_type image_multiboot = {
	.name = "multiboot",
	.help = "a kernel with a Multiboot 1 header",
	.matches = matches,
	.load = load,
	.takes = TAKES_APPEND | TAKES_MODULES,
	.has_symbols = true,
};
