#define _GNU_SOURCE
#include "load/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"
#include "options.h"

/* Enough to know any type by: CDs have their names behind 32 KiB. */
#define HEAD_SIZE (64u << 10)

const struct image_type *const image_types[] = {&image_elf, &image_boot, &image_floppy, &image_hd, &image_cd, &image_raw, NULL};

/* All of the file, however long a pipe or a device says it is, or a little more than `limit`. */
static int read_file(struct image *image, int fd, uint64_t limit, char *why, size_t size)
{
	size_t capacity = image->size;

	for (;;) {
		ssize_t n;

		if (image->size == capacity) {
			uint8_t *data;

			if (image->size > limit) {
				image->truncated = true;
				return 0;
			}
			capacity = capacity ? 2 * capacity : 64 * 1024;
			data = realloc(image->data, capacity);
			if (!data) {
				snprintf(why, size, "no memory to read %s", image->path);
				return -ENOMEM;
			}
			image->data = data;
		}
		n = read(fd, image->data + image->size, capacity - image->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			snprintf(why, size, "cannot read %s: %s", image->path, strerror(errno));
			return -errno;
		}
		if (!n)
			break;
		image->size += (size_t)n;
	}
	if (!image->size) {
		snprintf(why, size, "%s is empty", image->path);
		return -ENODATA;
	}
	return 0;
}

static int find_type(struct image *image, const struct options *options, char *why, size_t size)
{
	for (size_t i = 0; image_types[i]; i++) {
		if (strcmp(options->type, "auto") ? !strcmp(options->type, image_types[i]->name)
						  : image_types[i]->matches && image_types[i]->matches(options, image)) {
			image->type = image_types[i];
			return 0;
		}
	}
	snprintf(why, size, "'%s' is no type of image: try --help", options->type);
	return -EINVAL;
}

int image_open(struct image *image, const struct options *options, char *why, size_t size)
{
	int fd, result;

	*image = (struct image){.path = options->image, .fd = -1};
	if (!image->path) {
		image->path = options->disks[0];
		image->type = &image_boot;
		return 0;
	}
	fd = open(image->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, size, "cannot open %s: %s", image->path, strerror(errno));
		return -errno;
	}
	result = read_file(image, fd, HEAD_SIZE, why, size);
	if (!result)
		result = find_type(image, options, why, size);
	if (!result && image->type->is_disk && lseek(fd, 0, SEEK_END) > 0) {
		image->fd = fd;
		return 0;
	}
	if (!result && image->truncated) {
		image->truncated = false;
		result = read_file(image, fd, options->memory, why, size);
	}
	close(fd);
	if (result)
		image_close(image);
	return result;
}

void image_close(struct image *image)
{
	free(image->data);
	image->data = NULL;
	if (image->fd >= 0)
		close(image->fd);
	image->fd = -1;
}

bool image_is_pc(const struct image *image, const struct options *options)
{
	return options->machine == OPTIONS_MACHINE_AUTO ? !image->type->is_bare
							: options->machine == OPTIONS_MACHINE_PC;
}

int load_image(struct machine *machine, const struct image *image, char *why, size_t size)
{
	return image->type->load(machine, image, why, size);
}

int load_copy(struct machine *machine, uint64_t gpa, const void *data, size_t len, char *why,
	      size_t size)
{
	uint64_t left;
	void *host = vm_host(&machine->vm, gpa, &left);

	if (!host || left < len) {
		snprintf(why, size,
			 "%zu bytes at 0x%llx do not fit into the guest's memory of %llu bytes: give it "
			 "more with --memory",
			 len, (unsigned long long)gpa, (unsigned long long)machine->vm.size);
		return -ENOSPC;
	}
	memcpy(host, data, len);
	return 0;
}
