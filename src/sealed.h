/*
 * Memory below 4 GiB that nothing in this process changes any more once it is sealed: what a seccomp filter can
 * know of the argument behind a pointer is where it is. The filter (sandbox_rules.c) lets neither the memory's
 * protection nor its mapping be changed, and nothing else be put in its place.
 */
#ifndef SEALED_H
#define SEALED_H

#include <stddef.h>

/* A copy, with 8-byte alignment; NULL with errno set, when it is sealed or full. Stays till the process ends. */
void *sealed_copy(const void *data, size_t len);
/* From here on it can only be read. 0, or a negative errno. */
int sealed_close(void);

/* A file by its folder, so that it is found wherever this process has its root by then. */
struct sealed_file {
	int directory;	  /* O_PATH; -1: none */
	const char *name; /* in sealed memory */
};

/* The folder must be there. 0, or a negative errno. */
int sealed_file_open(struct sealed_file *file, const char *path);

#endif
