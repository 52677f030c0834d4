#define _GNU_SOURCE
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 0x4000u /* a few paths */
#define ALIGNMENT 8u

static char *memory;
static size_t used;
static bool is_closed;

void *sealed_copy(const void *data, size_t len)
{
	size_t room = (len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	char *copy;

	if (is_closed || len > SIZE || room > SIZE - used) {
		errno = ENOSPC;
		return NULL;
	}
	if (!memory) {
		void *mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

		if (mapped == MAP_FAILED)
			return NULL;
		memory = mapped;
	}
	copy = memory + used;
	used += room;
	return memcpy(copy, data, len);
}

int sealed_close(void)
{
	is_closed = true;
	return memory && mprotect(memory, SIZE, PROT_READ) ? -errno : 0;
}

int sealed_file_open(struct sealed_file *file, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *directory = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int result = 0;

	*file = (struct sealed_file){.directory = -1};
	file->name = sealed_copy(name, strlen(name) + 1);
	if (!directory || !file->name) {
		free(directory);
		return -ENOMEM;
	}
	file->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (file->directory < 0)
		result = -errno;
	free(directory);
	return result;
}
