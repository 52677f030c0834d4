/*
 * Linux's bzImage: by the 64-bit or 32-bit boot protocol, or from its 16-bit setup code on
 * (Documentation/arch/x86/boot.rst of Linux).
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "e820.h"
#include "load/load_kernel.h"
#include "machine.h"
#include "options.h"
#include "segment.h"

#define SECTOR 512
#define HEADER 0x1f1
#define MAGIC 0x53726448 /* "HdrS" */

/* The setup header, at HEADER. */
struct setup_header {
	uint8_t setup_sectors;
	uint16_t root_flags;
	uint32_t size;
	uint16_t ram_size, video_mode, root_device, boot_flag, jump;
	uint32_t magic;
	uint16_t version;
	uint32_t realmode_switch;
	uint16_t start_sys, kernel_version;
	uint8_t loader, load_flags;
	uint16_t setup_move_size;
	uint32_t code32, ramdisk, ramdisk_size, bootsect;
	uint16_t heap_end;
	uint8_t loader_version, loader_type;
	uint32_t command_line, ramdisk_max, alignment;
	uint8_t is_relocatable, min_alignment;
	uint16_t xload_flags;
	uint32_t command_line_max, subarchitecture;
	uint64_t subarchitecture_data;
	uint32_t payload, payload_size;
	uint64_t setup_data, preferred;
	uint32_t init_size, handover;
} __attribute__((packed));

#define BOOT_FLAG 0xaa55
#define LOADER_UNKNOWN 0xff
#define LOADED_HIGH 0x01u
#define CAN_USE_HEAP 0x80u
#define XLOAD_64 0x1u
#define VIDEO_NORMAL 0xffff
/* The protocol that brought a field, or the 32-bit entry. */
#define VERSION_HEAP 0x201
#define VERSION_COMMAND_LINE 0x202
#define VERSION_RAMDISK_MAX 0x203
#define VERSION_ENTRY_32 0x204
#define VERSION_COMMAND_LINE_MAX 0x206
#define VERSION_PREFERRED 0x20a
#define VERSION_ENTRY_64 0x20c

#define OLD_COMMAND_LINE_MAX 255
#define OLD_RAMDISK_MAX 0x37ffffffu

/* struct boot_params, "the zero page", with what is not 0 of it. */
#define PARAMS_SIZE 0x1000
#define PARAMS_VIDEO_PAGE 0x04
#define PARAMS_VIDEO_MODE 0x06
#define PARAMS_COLUMNS 0x07
#define PARAMS_EGA 0x0a
#define PARAMS_ROWS 0x0e
#define PARAMS_IS_VGA 0x0f
#define PARAMS_POINTS 0x10
#define PARAMS_MEMORY_KIB 0x1e0
#define PARAMS_MAP_COUNT 0x1e8
#define PARAMS_MAP 0x2d0
#define EGA_MEMORY_256K 3

#define HIGH_LOAD 0x100000u
#define LOW_LOAD 0x10000u
#define LOW_LOAD_MAX 0x80000u
#define BOOT_CODE 0x10 /* __BOOT_CS; __BOOT_DS is the next */
#define ENTRY_64 0x200 /* of the protected-mode part */

/* Where the setup code of all versions can be: its heap and stack end where the command line begins. */
#define SETUP_SEGMENT 0x9000
#define SETUP_MAX 0x8000u
#define SETUP_STACK 0xe000
#define SETUP_COMMAND_LINE 0xe000
#define OLD_COMMAND_LINE 0x20 /* before VERSION_COMMAND_LINE: a magic number, and where it is in the segment */
#define OLD_COMMAND_LINE_MAGIC 0xa33f

struct linux_kernel {
	struct kernel kernel;
	struct setup_header header;
	size_t header_size;
	size_t setup_size; /* bytes before the protected-mode part */
};

static bool read_header(const struct image *image, struct setup_header *header)
{
	size_t left = image->size > HEADER ? image->size - HEADER : 0;

	*header = (struct setup_header){0};
	if (image->size < HEADER + offsetof(struct setup_header, realmode_switch))
		return false;
	memcpy(header, image->data + HEADER, left < sizeof(*header) ? left : sizeof(*header));
	return header->magic == MAGIC && header->boot_flag == BOOT_FLAG && header->version >= 0x200;
}

static bool is_early(const struct setup_header *header)
{
	return header->version < VERSION_ENTRY_32 || !(header->load_flags & LOADED_HIGH);
}

static bool may_match(const struct options *options, const struct image *image, struct setup_header *header)
{
	return !options->load_given && !options->entry && !options->mode_given && read_header(image, header);
}

static int matches(const struct options *options, const struct image *image)
{
	struct setup_header header;

	return may_match(options, image, &header) && !is_early(&header) && header.version >= VERSION_PREFERRED;
}

/* Those that can only begin there, or do: iPXE has the format of protocol 2.07, and no other entry. */
static int matches16(const struct options *options, const struct image *image)
{
	struct setup_header header;

	return may_match(options, image, &header) && !matches(options, image);
}

/* What of the header is the kernel's: its end is where the jump at its beginning goes to. */
static void cut_header(struct linux_kernel *bz)
{
	size_t end = (size_t)(bz->header.jump >> 8) + offsetof(struct setup_header, magic);
	struct setup_header whole = bz->header;

	bz->header_size = end < sizeof(whole) ? end : sizeof(whole);
	if (bz->header_size < offsetof(struct setup_header, realmode_switch))
		bz->header_size = offsetof(struct setup_header, realmode_switch);
	bz->header = (struct setup_header){0};
	memcpy(&bz->header, &whole, bz->header_size);
}

static int begin(struct linux_kernel *bz)
{
	struct kernel *kernel = &bz->kernel;
	const struct image *image = kernel->image;
	struct setup_header *header = &bz->header;

	if (options_reject_raw(kernel->machine->options, false, kernel->why, kernel->size))
		return -EINVAL;
	if (!read_header(image, header))
		return kernel_refuse(kernel, "%s is no Linux kernel: it does not have HdrS at offset 0x202 and 55 aa at 510",
				     image->path);
	cut_header(bz);
	if (image->truncated)
		return kernel_refuse(kernel, "%s is larger than the guest's memory: give it more with --memory",
				     image->path);
	bz->setup_size = (header->setup_sectors ? header->setup_sectors + 1u : 5u) * SECTOR;
	if (bz->setup_size >= image->size)
		return kernel_refuse(kernel, "%s is cut off: its setup code has 0x%zx bytes", image->path,
				     bz->setup_size);
	return 0;
}

static size_t command_line_max(const struct setup_header *header)
{
	return header->version >= VERSION_COMMAND_LINE_MAX && header->command_line_max ? header->command_line_max
										       : OLD_COMMAND_LINE_MAX;
}

static int check_command_line(struct linux_kernel *bz, size_t max)
{
	if (strlen(load_append(bz->kernel.machine)) <= max)
		return 0;
	return kernel_refuse(&bz->kernel, "the command line is longer than the %zu characters that %s takes", max,
			     bz->kernel.image->path);
}

/* As high as it may be, so that it is in nobody's way. */
static int load_ramdisk(struct linux_kernel *bz, uint64_t end)
{
	struct kernel *kernel = &bz->kernel;
	struct setup_header *header = &bz->header;
	uint64_t start, max = header->version >= VERSION_RAMDISK_MAX ? header->ramdisk_max : OLD_RAMDISK_MAX;
	const struct load_file *file = kernel->image->files;

	header->ramdisk = header->ramdisk_size = 0;
	if (!kernel->image->file_count)
		return 0;
	if (end > max + 1)
		end = max + 1;
	if (load_space_find(&kernel->space, HIGH_MEMORY_START, end, file->size, KERNEL_PAGE, true, &start))
		return kernel_refuse(kernel, "there is no room for the %zu bytes of %s: give the guest more with --memory",
				     file->size, file->path);
	memcpy(vm_host(&kernel->machine->vm, start, NULL), file->data, file->size);
	header->ramdisk = (uint32_t)start;
	header->ramdisk_size = (uint32_t)file->size;
	return 0;
}

static void put16(uint8_t *params, size_t at, uint16_t value)
{
	memcpy(params + at, &value, sizeof(value));
}

static void make_params(const struct linux_kernel *bz, uint8_t *params)
{
	const struct vm *vm = &bz->kernel.machine->vm;
	uint32_t kib = (uint32_t)((vm->low_size - HIGH_MEMORY_START) >> 10);
	struct e820_entry map[E820_MAX];
	size_t count = e820_map(vm, map);

	memset(params, 0, PARAMS_SIZE);
	/* Text of 80 columns and 25 rows, as a PC begins. */
	params[PARAMS_VIDEO_MODE] = 3;
	params[PARAMS_COLUMNS] = 80;
	params[PARAMS_ROWS] = 25;
	params[PARAMS_IS_VGA] = 1;
	put16(params, PARAMS_VIDEO_PAGE, 0);
	put16(params, PARAMS_EGA, EGA_MEMORY_256K);
	put16(params, PARAMS_POINTS, 16);
	memcpy(params + PARAMS_MEMORY_KIB, &kib, sizeof(kib));
	params[PARAMS_MAP_COUNT] = (uint8_t)count;
	memcpy(params + PARAMS_MAP, map, count * sizeof(*map));
	memcpy(params + HEADER, &bz->header, bz->header_size);
}

/* The kernel at its preferred address, with room for what it unpacks itself into. */
static int load_high(struct linux_kernel *bz)
{
	struct kernel *kernel = &bz->kernel;
	struct setup_header *header = &bz->header;
	uint64_t at = HIGH_LOAD, len = kernel->image->size - bz->setup_size, room = len;

	if (header->version >= VERSION_PREFERRED) {
		if (header->preferred)
			at = header->preferred;
		if (header->init_size > room)
			room = header->init_size;
	}
	if (at > UINT32_MAX)
		return kernel_refuse(kernel, "%s wants to be loaded at 0x%llx, above 4 GiB", kernel->image->path,
				     (unsigned long long)at);
	kernel->entry = header->code32 = (uint32_t)at;
	return kernel_load_piece(kernel, bz->setup_size, len, at, room);
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct linux_kernel bz = {.kernel = {.machine = machine, .image = image, .why = why, .size = size}};
	struct kernel *kernel = &bz.kernel;
	struct load_entry entry = {.mode = 32, .code = BOOT_CODE, .stack = KERNEL_STACK};
	const char *command_line = load_append(machine);
	uint32_t params = 0, text = 0;
	uint64_t used, end;
	int result = begin(&bz);

	if (!result && is_early(&bz.header))
		result = kernel_refuse(kernel, "%s has only a 16-bit entry: give --type=linux16", image->path);
	if (!result)
		result = check_command_line(&bz, command_line_max(&bz.header));
	if (!result && bz.header.version >= VERSION_ENTRY_64 && bz.header.xload_flags & XLOAD_64)
		entry.mode = 64;
	used = load_flat_size(machine, &entry) + KERNEL_STACK;
	end = machine->vm.low_size > used ? machine->vm.low_size - used : 0;
	if (!result)
		result = load_high(&bz);
	if (!result && load_space_take(&kernel->space, end, used))
		result = kernel_refuse(kernel, "no memory to load %s", image->path);
	if (!result)
		result = kernel_find_room(kernel, PARAMS_SIZE, &params);
	if (!result)
		result = kernel_find_room(kernel, strlen(command_line) + 1, &text);
	if (!result)
		result = load_ramdisk(&bz, end);
	entry.linear = kernel->entry + (entry.mode == 64 ? ENTRY_64 : 0);
	entry.image_end = kernel->end;
	if (!result && !vm_host(&machine->vm, entry.linear, NULL))
		result = kernel_refuse(kernel, "there is no memory at the entry 0x%llx of %s",
				       (unsigned long long)entry.linear, image->path);
	if (!result) {
		memcpy(vm_host(&machine->vm, text, NULL), command_line, strlen(command_line) + 1);
		bz.header.loader = LOADER_UNKNOWN;
		bz.header.command_line = text;
		make_params(&bz, vm_host(&machine->vm, params, NULL));
		result = load_flat_mode(machine, &entry, why, size);
	}
	if (!result)
		machine->vcpu.regs->rsi = params;
	kernel_free(kernel);
	return result;
}

static int enter16(struct machine *machine, char *why, size_t size)
{
	struct kvm_sregs sregs;
	int result = load_real_mode(machine, SETUP_SEGMENT + SECTOR / 16, 0, 0, why, size);

	if (result)
		return result;
	sregs = *machine->vcpu.sregs;
	for (enum segment s = SEGMENT_SS; s <= SEGMENT_GS; s++)
		segment_set_real(segment_of(&sregs, s), s, SETUP_SEGMENT);
	machine->vcpu.regs->rsp = SETUP_STACK;
	result = vcpu_set_sregs(&machine->vcpu, &sregs);
	if (result)
		snprintf(why, size, "KVM refuses the segment registers: %s", strerror(-result));
	return result;
}

static int load16(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct linux_kernel bz = {.kernel = {.machine = machine, .image = image, .why = why, .size = size}};
	struct kernel *kernel = &bz.kernel;
	struct setup_header *header = &bz.header;
	const uint32_t setup = SETUP_SEGMENT << 4, text = setup + SETUP_COMMAND_LINE;
	size_t max = EBDA_START - text - 1;
	const char *command_line = load_append(machine);
	int result = begin(&bz);
	bool high = header->load_flags & LOADED_HIGH;
	uint8_t *host;

	if (!result && bz.setup_size > SETUP_MAX)
		result = kernel_refuse(kernel, "%s has setup code of 0x%zx bytes, more than the 0x%x that there is room for",
				       image->path, bz.setup_size, SETUP_MAX);
	if (!result && !high && image->size - bz.setup_size > LOW_LOAD_MAX)
		result = kernel_refuse(kernel, "%s is too large to be loaded below 640K, where it wants to be", image->path);
	if (!result)
		result = check_command_line(&bz, command_line_max(header) < max ? command_line_max(header) : max);
	if (!result)
		result = kernel_load_piece(kernel, bz.setup_size, image->size - bz.setup_size,
					   high ? HIGH_LOAD : LOW_LOAD, image->size - bz.setup_size);
	if (!result)
		result = load_ramdisk(&bz, machine->vm.low_size);
	if (!result)
		result = kernel_load_piece(kernel, 0, bz.setup_size, setup, bz.setup_size);
	if (!result && machine->vm.low_size < HIGH_LOAD)
		result = kernel_refuse(kernel, "Linux needs more than 1M of memory");
	if (!result) {
		header->loader = LOADER_UNKNOWN;
		header->video_mode = VIDEO_NORMAL;
		if (header->version >= VERSION_HEAP) {
			header->heap_end = SETUP_STACK - SECTOR;
			header->load_flags |= CAN_USE_HEAP;
		}
		if (header->version >= VERSION_COMMAND_LINE)
			header->command_line = text;
		host = vm_host(&machine->vm, setup, NULL);
		memcpy(host + HEADER, header, bz.header_size);
		if (header->version < VERSION_COMMAND_LINE) {
			put16(host, OLD_COMMAND_LINE, OLD_COMMAND_LINE_MAGIC);
			put16(host, OLD_COMMAND_LINE + 2, SETUP_COMMAND_LINE);
		}
		memcpy(vm_host(&machine->vm, text, NULL), command_line, strlen(command_line) + 1);
		result = enter16(machine, why, size);
	}
	kernel_free(kernel);
	return result;
}

const struct image_type image_linux = {
	.name = "linux",
	.help = "a Linux bzImage, from its 64-bit entry on, or its 32-bit one",
	.matches = matches,
	.load = load,
	.takes = TAKES_APPEND | TAKES_INITRD,
};

const struct image_type image_linux16 = {
	.name = "linux16",
	.help = "a Linux bzImage, from its 16-bit entry on",
	.matches = matches16,
	.load = load16,
	.takes = TAKES_APPEND | TAKES_INITRD,
};
