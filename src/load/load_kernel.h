/* What the loaders of kernels share: where the kernel, its modules and the information for it go. */
#ifndef LOAD_KERNEL_H
#define LOAD_KERNEL_H

#include "load/elf_read.h"

#define KERNEL_PAGE 0x1000u
#define KERNEL_STACK 0x1000u /* is left for it at least, below the tables at the end of memory */

struct kernel_module {
	uint32_t start, end; /* physical addresses */
	const char *arguments;
};

/* {machine, image, why, size} is a new one; kernel_free() it, also after errors. */
struct kernel {
	struct machine *machine;
	const struct image *image;
	char *why; /* for the functions below, which return 0 or a negative errno and why */
	size_t size;
	struct load_space space;
	struct elf elf;
	bool is_elf;
	uint32_t entry; /* a physical address */
	uint64_t start, end; /* of what is loaded of the image */
	struct kernel_module *modules;
	size_t module_count;
};

/* Reads the ELF headers; kernel_load_elf() then loads the segments. */
int kernel_read_elf(struct kernel *kernel);
int kernel_load_elf(struct kernel *kernel);
/* Loads `file_size` bytes at `offset` of the image to `start`, with zeros up to `len`; all lies in the image. */
int kernel_load_piece(struct kernel *kernel, size_t offset, size_t file_size, uint64_t start, uint64_t len);
/* The files of --initrd and --module, each to a page of its own behind the kernel. */
int kernel_load_modules(struct kernel *kernel);
/* Room for `len` bytes, not 0: at the end of the first 640 KiB, or else behind the kernel. */
int kernel_find_room(struct kernel *kernel, size_t len, uint32_t *at);
/* The same behind the kernel. */
int kernel_find_room_behind(struct kernel *kernel, size_t len, uint32_t *at);
/* Begins at `entry` in 32-bit mode without paging. */
int kernel_enter(struct kernel *kernel);
/* The end of the memory that modules and information may use. */
uint64_t kernel_memory_end(const struct kernel *kernel);
int kernel_refuse(struct kernel *kernel, const char *format, ...) __attribute__((format(printf, 2, 3)));
void kernel_free(struct kernel *kernel);

/* Bytes that are put together; `failed` when there was no memory for them. */
struct bytes {
	uint8_t *data;
	size_t size, capacity;
	bool failed;
};

/* Appends and returns the offset; with NULL zeros. */
size_t bytes_add(struct bytes *bytes, const void *data, size_t len);
size_t bytes_add_text(struct bytes *bytes, const char *text);
void bytes_align(struct bytes *bytes, size_t align);

#endif
