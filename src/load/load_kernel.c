#include "load/load_kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e820.h"
#include "machine.h"

#define INFORMATION_MIN 0x10000u /* below that kernels like to have code for real mode */
#define INFORMATION_LOW_MAX 0x10000u /* bytes of it that the first 640 KiB are used for */

int kernel_refuse(struct kernel *kernel, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(kernel->why, kernel->size, format, args);
	va_end(args);
	return -ENOEXEC;
}

int kernel_read_elf(struct kernel *kernel)
{
	kernel->is_elf = true;
	return elf_read(&kernel->elf, kernel->image, kernel->why, kernel->size);
}

static int take(struct kernel *kernel, uint64_t start, uint64_t len)
{
	if (load_space_take(&kernel->space, start, len))
		return kernel_refuse(kernel, "no memory to load %s", kernel->image->path);
	if (!kernel->end || start < kernel->start)
		kernel->start = start;
	/* What lies above 4 GiB is in nobody's way. */
	if (start < kernel->machine->vm.low_size && start + len > kernel->end)
		kernel->end = start + len;
	return 0;
}

int kernel_load_elf(struct kernel *kernel)
{
	const struct elf *elf = &kernel->elf;
	uint64_t entry;
	int result = elf_copy(kernel->machine, elf, kernel->image, kernel->why, kernel->size);

	for (size_t i = 0; !result && i < elf->count; i++)
		result = take(kernel, elf->segments[i].physical, elf->segments[i].size);
	if (!result)
		result = elf_physical_entry(elf, kernel->image, &entry, kernel->why, kernel->size);
	if (!result && entry > UINT32_MAX)
		result = kernel_refuse(kernel, "the entry 0x%llx of %s is above 4 GiB", (unsigned long long)entry,
				       kernel->image->path);
	if (!result)
		kernel->entry = (uint32_t)entry;
	return result;
}

int kernel_load_piece(struct kernel *kernel, size_t offset, size_t file_size, uint64_t start, uint64_t len)
{
	uint64_t left;
	uint8_t *host = vm_host(&kernel->machine->vm, start, &left);

	if (!host || left < len || file_size > len) {
		snprintf(kernel->why, kernel->size,
			 "0x%llx bytes of %s at 0x%llx do not fit into the guest's memory of %llu bytes: give it "
			 "more with --memory",
			 (unsigned long long)len, kernel->image->path, (unsigned long long)start,
			 (unsigned long long)kernel->machine->vm.size);
		return -ENOSPC;
	}
	memcpy(host, kernel->image->data + offset, file_size);
	/* Behind that are zeros already: the memory is new. */
	return take(kernel, start, len);
}

uint64_t kernel_memory_end(const struct kernel *kernel)
{
	const struct load_entry entry = {.mode = 32};
	uint64_t used = load_flat_size(kernel->machine, &entry) + KERNEL_STACK;
	uint64_t low = kernel->machine->vm.low_size;

	return low > used ? low - used : 0;
}

/* The first room behind the kernel, or else anywhere above 1 MiB. */
static int find_behind(struct kernel *kernel, size_t len, const char *what, uint32_t *at)
{
	uint64_t max = kernel_memory_end(kernel), start, min = HIGH_MEMORY_START;

	if (kernel->end > min && kernel->end < max)
		min = kernel->end;
	if (load_space_find(&kernel->space, min, max, len, KERNEL_PAGE, false, &start) &&
	    load_space_find(&kernel->space, HIGH_MEMORY_START, max, len, KERNEL_PAGE, false, &start)) {
		snprintf(kernel->why, kernel->size,
			 "there is no room for the %zu bytes of %s: give the guest more with --memory", len, what);
		return -ENOSPC;
	}
	*at = (uint32_t)start;
	return 0;
}

int kernel_find_room_behind(struct kernel *kernel, size_t len, uint32_t *at)
{
	return find_behind(kernel, len, "what the kernel is told", at);
}

int kernel_find_room(struct kernel *kernel, size_t len, uint32_t *at)
{
	uint64_t max = kernel_memory_end(kernel), start;

	if (max > EBDA_START)
		max = EBDA_START;
	if (len > INFORMATION_LOW_MAX ||
	    load_space_find(&kernel->space, INFORMATION_MIN, max, len, 16, true, &start))
		return kernel_find_room_behind(kernel, len, at);
	*at = (uint32_t)start;
	return 0;
}

int kernel_load_modules(struct kernel *kernel)
{
	const struct image *image = kernel->image;
	int result = 0;

	kernel->modules = calloc(image->file_count + 1, sizeof(*kernel->modules));
	if (!kernel->modules)
		return kernel_refuse(kernel, "no memory for the modules of %s", image->path);
	for (size_t i = 0; !result && i < image->file_count; i++) {
		const struct load_file *file = &image->files[i];
		struct kernel_module *module = &kernel->modules[i];

		result = find_behind(kernel, file->size, file->path, &module->start);
		if (result)
			break;
		memcpy(vm_host(&kernel->machine->vm, module->start, NULL), file->data, file->size);
		module->end = (uint32_t)(module->start + file->size);
		module->arguments = file->arguments;
		kernel->module_count++;
	}
	return result;
}

int kernel_enter(struct kernel *kernel)
{
	const struct load_entry entry = {
		.mode = 32, .linear = kernel->entry, .image_end = kernel->end, .stack = KERNEL_STACK};

	if (!vm_host(&kernel->machine->vm, kernel->entry, NULL))
		return kernel_refuse(kernel, "there is no memory at the entry 0x%x of %s", kernel->entry,
				     kernel->image->path);
	return load_flat_mode(kernel->machine, &entry, kernel->why, kernel->size);
}

void kernel_free(struct kernel *kernel)
{
	load_space_free(&kernel->space);
	if (kernel->is_elf)
		elf_free(&kernel->elf);
	free(kernel->modules);
}

size_t bytes_add(struct bytes *bytes, const void *data, size_t len)
{
	size_t at = bytes->size;

	if (bytes->failed)
		return 0;
	if (len > bytes->capacity - at) {
		size_t capacity = 2 * (at + len);
		uint8_t *larger = realloc(bytes->data, capacity);

		if (!larger) {
			bytes->failed = true;
			return 0;
		}
		bytes->data = larger;
		bytes->capacity = capacity;
	}
	if (data)
		memcpy(bytes->data + at, data, len);
	else
		memset(bytes->data + at, 0, len);
	bytes->size += len;
	return at;
}

size_t bytes_add_text(struct bytes *bytes, const char *text)
{
	return bytes_add(bytes, text, strlen(text) + 1);
}

void bytes_align(struct bytes *bytes, size_t align)
{
	bytes_add(bytes, NULL, -bytes->size & (align - 1));
}
