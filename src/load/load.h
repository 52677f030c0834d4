/* Images: reading one, finding out its type, and putting it into a fresh machine. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disks/disk.h"

struct machine;
struct options;

/* A file that goes with the image: a module or an initial RAM disk. */
struct load_file {
	const char *option; /* what it was given by, --module or --initrd */
	char *path;
	const char *arguments; /* of a module: what stands behind its path, or "" */
	uint8_t *data;
	size_t size;
};

struct image {
	const char *path;
	uint8_t *data;
	size_t size;
	bool truncated; /* at more than the guest's memory */
	int fd;		/* of a disk, of which `data` is the beginning; -1: all there is has been read */
	const struct image_type *type;
	struct load_file *files; /* --initrd, then each --module */
	size_t file_count;
};

/* The options that not every type of image takes. */
#define TAKES_APPEND 0x1u
#define TAKES_INITRD 0x2u
#define TAKES_MODULES 0x4u

struct image_type {
	const char *name;
	const char *help;
	/* For --type=auto: whether it looks like one. NULL: never taken by itself. */
	int (*matches)(const struct options *options, const struct image *image);
	/* Fills memory and registers. Returns 0, or a negative errno and why. */
	int (*load)(struct machine *machine, const struct image *image, char *why, size_t size);
	/* Once, after the first load: what the user should know of it. NULL: nothing. */
	void (*tell)(const struct machine *machine, const struct image *image);
	unsigned int takes; /* TAKES_* */
	bool is_firmware; /* it is what the PC has for a BIOS */
	bool is_bare;	  /* it expects a CPU and memory, and nothing of a PC */
	bool has_symbols; /* the file is one for --symbols, too */
	bool is_disk;	  /* it is booted as the first disk, of this kind */
	enum disk_kind disk_kind;
};

/* The types that there are, in the order in which --type=auto tries them; a NULL ends them. */
extern const struct image_type *const image_types[];
extern const struct image_type image_boot, image_cd, image_com, image_elf, image_floppy, image_hd, image_ihex, image_linux,
	image_linux16, image_multiboot, image_multiboot2, image_pvh, image_raw, image_rom; /* in load_boot.c and so on */

/* Reads the file, of a disk the beginning, and decides its type. Returns 0, or a negative errno and why. */
int image_open(struct image *image, const struct options *options, char *why, size_t size);
void image_close(struct image *image);
/* Whether the machine for it is a PC: --machine, or what its type expects. */
bool image_is_pc(const struct image *image, const struct options *options);
int load_image(struct machine *machine, const struct image *image, char *why, size_t size);

/* For the loaders: copies to guest-physical memory; -ENOSPC and why where there is none. */
int load_copy(struct machine *machine, uint64_t gpa, const void *data, size_t len, char *why,
	      size_t size);
/* The text of --append, or "". */
const char *load_append(const struct machine *machine);

/* load_space.c: what of the memory below VM_LOW_MAX is taken already. {0} is all free; load_space_free() it. */
struct load_space {
	struct load_range {
		uint64_t start, end;
	} *ranges; /* by their starts; they may overlap */
	size_t count, capacity;
};

/* Takes some, whether it is free or not; 0 or -ENOMEM. */
int load_space_take(struct load_space *space, uint64_t start, uint64_t len);
/*
 * Finds room for `len` bytes, not 0, between `min` and `max` (exclusive), with a multiple of `align`, a power of
 * 2, at its start, which is as low as it can be, or with `high` as high. Takes it. 0 or -ENOSPC.
 */
int load_space_find(struct load_space *space, uint64_t min, uint64_t max, uint64_t len, uint64_t align,
		    bool high, uint64_t *start);
/* The end of what is taken highest, or 0. */
uint64_t load_space_end(const struct load_space *space);
void load_space_free(struct load_space *space);

/*
 * load_mode.c, for the loaders: the CPU's state at the entry. 16-bit mode: all segments 0 but CS, and a
 * stack below the image, which begins at `image_start`. load_real_mode_at() takes a linear entry.
 */
int load_real_mode(struct machine *machine, uint16_t cs, uint16_t ip, uint64_t image_start, char *why,
		   size_t size);
int load_real_mode_at(struct machine *machine, uint64_t linear, uint64_t image_start, char *why,
		      size_t size);

/* Bytes of the image that are to be seen at another address than their physical one. */
struct load_map {
	uint64_t linear, physical; /* with the same offset in their pages */
	uint64_t len;		   /* not 0; linear + len - 1 is an address, too */
};

struct load_entry {
	int mode; /* 32 or 64 */
	uint16_t code; /* the selector of CS, that of the others being the next one; 0: 8 */
	uint64_t linear;
	uint64_t image_end; /* of what lies in the memory below VM_LOW_MAX; 0: nothing does */
	uint64_t stack;	    /* bytes that must be left for it between that and the tables */
	const struct load_map *maps; /* for 64-bit mode, beside all of memory at its own addresses */
	size_t map_count;
};

/* 32-bit mode with flat segments, or 64-bit mode: a GDT and page tables at the end of low memory. */
int load_flat_mode(struct machine *machine, const struct load_entry *entry, char *why, size_t size);
/* How many bytes that takes at the end of low memory, but for the stack. */
uint64_t load_flat_size(const struct machine *machine, const struct load_entry *entry);
/* Whether 64-bit mode begins with `linear` mapped to the physical address that is the same number. */
bool load_is_identity(const struct machine *machine, uint64_t linear);

#endif
