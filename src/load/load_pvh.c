/* PVH: ELF kernels with a note of Xen's that has their 32-bit entry (xen/include/public/arch-x86/hvm/start_info.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "e820.h"
#include "load/load_kernel.h"
#include "machine.h"
#include "options.h"

#define NOTE_NAME "Xen"
#define NOTE_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define START_MAGIC 0x336ec578u

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t memory_map_count, reserved;
};

struct module {
	uint64_t start, size, command_line, reserved;
};

struct memory_map {
	uint64_t start, size;
	uint32_t type, reserved;
};

/* Of 4 bytes, or of 8 in files of 64 bits. */
static bool find_entry(const struct elf *elf, const struct image *image, uint32_t *entry)
{
	size_t len;
	const uint8_t *note = elf_note(elf, image, NOTE_NAME, NOTE_ENTRY, &len);

	if (!note || len < sizeof(*entry))
		return false;
	memcpy(entry, note, sizeof(*entry));
	return true;
}

static int matches(const struct options *options, const struct image *image)
{
	struct elf elf;
	uint32_t entry;
	char why[256];
	bool found;

	if (options->load_given || options->entry || options->mode_given || !elf_has_magic(image))
		return false;
	found = !elf_read(&elf, image, why, sizeof(why)) && find_entry(&elf, image, &entry);
	elf_free(&elf);
	return found;
}

static void make_info(const struct kernel *kernel, uint32_t base, struct bytes *bytes)
{
	struct start_info info = {.magic = START_MAGIC, .version = 1, .module_count = (uint32_t)kernel->module_count};
	struct e820_entry map[E820_MAX];
	size_t list;

	bytes->size = 0;
	bytes_add(bytes, &info, sizeof(info));
	list = bytes_add(bytes, NULL, kernel->module_count * sizeof(struct module));
	info.modules = kernel->module_count ? base + list : 0;
	info.memory_map_count = (uint32_t)e820_map(&kernel->machine->vm, map);
	info.memory_map = base + bytes->size;
	for (size_t i = 0; i < info.memory_map_count; i++) {
		struct memory_map entry = {map[i].start, map[i].size, map[i].type, 0};

		bytes_add(bytes, &entry, sizeof(entry));
	}
	info.command_line = base + bytes_add_text(bytes, load_append(kernel->machine));
	for (size_t i = 0; i < kernel->module_count; i++) {
		const struct kernel_module *from = &kernel->modules[i];
		struct module module = {from->start, from->end - from->start,
					base + bytes_add_text(bytes, from->arguments), 0};

		if (!bytes->failed)
			memcpy(bytes->data + list + i * sizeof(module), &module, sizeof(module));
	}
	if (!bytes->failed)
		memcpy(bytes->data, &info, sizeof(info));
}

static int load_info(struct kernel *kernel, uint32_t *base)
{
	struct bytes bytes = {0};
	int result = 0;

	/* Once for its size, and again with the addresses. */
	make_info(kernel, 0, &bytes);
	if (!bytes.failed)
		result = kernel_find_room(kernel, bytes.size, base);
	if (!result)
		make_info(kernel, *base, &bytes);
	if (bytes.failed)
		result = kernel_refuse(kernel, "no memory to load %s", kernel->image->path);
	if (!result)
		memcpy(vm_host(&kernel->machine->vm, *base, NULL), bytes.data, bytes.size);
	free(bytes.data);
	return result;
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct kernel kernel = {.machine = machine, .image = image, .why = why, .size = size};
	uint32_t entry = 0, info = 0;
	int result;

	if (options_reject_raw(machine->options, false, why, size))
		return -EINVAL;
	result = kernel_read_elf(&kernel);
	if (!result && !find_entry(&kernel.elf, image, &entry))
		result = kernel_refuse(&kernel, "%s has no note with an entry for PVH", image->path);
	/* That of the file need not be anywhere. */
	kernel.elf.entry = kernel.elf.count ? kernel.elf.segments[0].linear : 0;
	if (!result)
		result = kernel_load_elf(&kernel);
	if (!result)
		result = kernel_load_modules(&kernel);
	if (!result)
		result = load_info(&kernel, &info);
	kernel.entry = entry;
	if (!result)
		result = kernel_enter(&kernel);
	if (!result)
		machine->vcpu.regs->rbx = info;
	kernel_free(&kernel);
	return result;
}

const struct image_type image_pvh = {
	.name = "pvh",
	.help = "an ELF executable with a PVH entry, as Linux's vmlinux",
	.matches = matches,
	.load = load,
	.takes = TAKES_APPEND | TAKES_INITRD | TAKES_MODULES,
	.has_symbols = true,
};
