/* Writes pictures as PNG files (ISO/IEC 15948). */
#ifndef PNG_H
#define PNG_H

#include <stddef.h>
#include <stdint.h>

#define PICTURE_SIDE_MAX 8192

struct picture {
	unsigned int width, height; /* 1 to PICTURE_SIDE_MAX */
	unsigned int colours;	    /* 1 to 256 */
	uint8_t palette[256][3];    /* red, green, blue */
	uint8_t *pixels;	    /* width times height, each below `colours`; the upper left one first */
};

/*
 * Writes a file, and closes it. `fd` may be the negative errno of opening it, and `path` is its name for messages. 0,
 * or a negative errno and why, with nothing in the file.
 */
int png_write(int fd, const char *path, const struct picture *picture, char *why, size_t size);

#endif
