/* Images: reading one, finding out its type, and putting it into a fresh machine. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct options;

struct image {
	const char *path;
	uint8_t *data;
	size_t size;
	bool truncated; /* at more than the guest's memory: a disk, whose first sector is enough */
	const struct image_type *type;
};

struct image_type {
	const char *name;
	const char *help;
	/* For --type=auto: whether it looks like one. NULL: never taken by itself. */
	int (*matches)(const struct options *options, const struct image *image);
	/* Fills memory and registers. Returns 0, or a negative errno and why. */
	int (*load)(struct machine *machine, const struct image *image, char *why, size_t size);
};

/* The types that there are, in the order in which --type=auto tries them; a NULL ends them. */
extern const struct image_type *const image_types[];
extern const struct image_type image_raw, image_boot; /* load_raw.c, load_boot.c */

/* Reads the file and decides its type. Returns 0, or a negative errno and why. */
int image_open(struct image *image, const struct options *options, char *why, size_t size);
void image_close(struct image *image);
int load_image(struct machine *machine, const struct image *image, char *why, size_t size);

/* For the loaders: copies to guest-physical memory; -ENOSPC and why where there is none. */
int load_copy(struct machine *machine, uint64_t gpa, const void *data, size_t len, char *why,
	      size_t size);
/* For the loaders: 16-bit mode, all segments 0, at cs:ip and with a stack below 0000:sp. */
int load_real_mode(struct machine *machine, uint16_t cs, uint16_t ip, uint16_t sp, char *why,
		   size_t size);

#endif
