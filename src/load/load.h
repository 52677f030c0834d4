/* Images: reading one, finding out its type, and putting it into a fresh machine. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disks/disk.h"

struct machine;
struct options;

struct image {
	const char *path;
	uint8_t *data;
	size_t size;
	bool truncated; /* at more than the guest's memory */
	int fd;		/* of a disk, of which `data` is the beginning; -1: all there is has been read */
	const struct image_type *type;
};

struct image_type {
	const char *name;
	const char *help;
	/* For --type=auto: whether it looks like one. NULL: never taken by itself. */
	int (*matches)(const struct options *options, const struct image *image);
	/* Fills memory and registers. Returns 0, or a negative errno and why. */
	int (*load)(struct machine *machine, const struct image *image, char *why, size_t size);
	/* Once, after the first load: what the user should know of it. NULL: nothing. */
	void (*tell)(const struct machine *machine, const struct image *image);
	bool is_bare;	  /* it expects a CPU and memory, and nothing of a PC */
	bool has_symbols; /* the file is one for --symbols, too */
	bool is_disk;	  /* it is booted as the first disk, of this kind */
	enum disk_kind disk_kind;
};

/* The types that there are, in the order in which --type=auto tries them; a NULL ends them. */
extern const struct image_type *const image_types[];
extern const struct image_type image_elf, image_boot, image_raw; /* in load_elf.c and so on */
extern const struct image_type image_floppy, image_hd, image_cd;

/* Reads the file, of a disk the beginning, and decides its type. Returns 0, or a negative errno and why. */
int image_open(struct image *image, const struct options *options, char *why, size_t size);
void image_close(struct image *image);
/* Whether the machine for it is a PC: --machine, or what its type expects. */
bool image_is_pc(const struct image *image, const struct options *options);
int load_image(struct machine *machine, const struct image *image, char *why, size_t size);

/* For the loaders: copies to guest-physical memory; -ENOSPC and why where there is none. */
int load_copy(struct machine *machine, uint64_t gpa, const void *data, size_t len, char *why,
	      size_t size);
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
	uint64_t linear;
	uint64_t image_end; /* of what lies in the memory below VM_LOW_MAX; 0: nothing does */
	uint64_t stack;	    /* bytes that must be left for it between that and the tables */
	const struct load_map *maps; /* for 64-bit mode, beside all of memory at its own addresses */
	size_t map_count;
};

/* 32-bit mode with flat segments, or 64-bit mode: a GDT and page tables at the end of low memory. */
int load_flat_mode(struct machine *machine, const struct load_entry *entry, char *why, size_t size);
/* Whether 64-bit mode begins with `linear` mapped to the physical address that is the same number. */
bool load_is_identity(const struct machine *machine, uint64_t linear);

#endif
