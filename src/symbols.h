/* The ELF file with the guest's symbols, which gdb reads through the stub. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include "gdbstub.h"

struct symbols {
	int fd;
	char *path;
	uint64_t size; /* of the file as it is */
	struct gdbstub_file file;
	/* What is served in the place of the file's own header, and behind its end. */
	uint8_t header[64], segment[56];
	size_t header_len, segment_len;
};

/*
 * Opens it, for good: gdb never gets another file. `offset` is how far from where it was linked the
 * guest's code runs, modulo 2^64. Returns 0, or a negative errno and why.
 */
int symbols_open(struct symbols *symbols, const char *path, uint64_t offset, char *why, size_t size);
/* Whether it is an ELF file of the 64-bit class. */
bool symbols_are_64(const struct symbols *symbols);
void symbols_close(struct symbols *symbols);

/* At most `size` bytes from `offset` on: how many, 0 at the end, or a negative errno. */
ssize_t symbols_read(const struct symbols *symbols, uint64_t offset, void *buf, size_t size);

#endif
