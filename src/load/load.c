#define _GNU_SOURCE
#include "load/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/elf_read.h"
#include "machine.h"
#include "options.h"

/* Enough to know any type by: CDs have their names behind 32 KiB. */
#define HEAD_SIZE (64u << 10)

const struct image_type *const image_types[] = {
	&image_multiboot, &image_multiboot2, &image_pvh, &image_elf, &image_linux, &image_linux16, &image_com,
	&image_ihex, &image_boot, &image_floppy, &image_hd, &image_cd, &image_rom, &image_raw, NULL};

/*
 * The rest of the file, however long a pipe or a device says it is, behind the *len bytes that were read already; or a
 * little more than `limit` in all: -EFBIG.
 */
static int read_rest(int fd, const char *path, uint64_t limit, uint8_t **data, size_t *len, char *why, size_t size)
{
	size_t capacity = *len;

	for (;;) {
		ssize_t n;

		if (*len == capacity) {
			uint8_t *larger;

			if (*len > limit)
				return -EFBIG;
			capacity = capacity ? 2 * capacity : 64 * 1024;
			larger = realloc(*data, capacity);
			if (!larger) {
				snprintf(why, size, "no memory to read %s", path);
				return -ENOMEM;
			}
			*data = larger;
		}
		n = read(fd, *data + *len, capacity - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			snprintf(why, size, "cannot read %s: %s", path, strerror(errno));
			return -errno;
		}
		if (!n)
			break;
		*len += (size_t)n;
	}
	if (*len)
		return 0;
	snprintf(why, size, "%s is empty", path);
	return -ENODATA;
}

static int open_file(const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	snprintf(why, size, "cannot open %s: %s", path, strerror(errno));
	return -errno;
}

static int read_image(struct image *image, int fd, uint64_t limit, char *why, size_t size)
{
	int result = read_rest(fd, image->path, limit, &image->data, &image->size, why, size);

	image->truncated = result == -EFBIG;
	return image->truncated ? 0 : result;
}

/* `text` is a path and, for a module, arguments behind it. */
static int read_file(struct image *image, const char *option, const char *text, bool has_arguments,
		     uint64_t limit, char *why, size_t size)
{
	struct load_file *file = &image->files[image->file_count++];
	const char *end = has_arguments ? strchr(text, ' ') : NULL;
	int fd, result;

	*file = (struct load_file){.option = option, .arguments = end ? end + 1 : ""};
	file->path = end ? strndup(text, (size_t)(end - text)) : strdup(text);
	if (!file->path) {
		snprintf(why, size, "no memory to read %s", text);
		return -ENOMEM;
	}
	fd = open_file(file->path, why, size);
	if (fd < 0)
		return fd;
	result = read_rest(fd, file->path, limit, &file->data, &file->size, why, size);
	close(fd);
	if (result == -EFBIG)
		snprintf(why, size, "%s is larger than the guest's memory: give it more with --memory",
			 file->path);
	return result;
}

static int read_files(struct image *image, const struct options *options, char *why, size_t size)
{
	int result = 0;

	image->files = calloc(options->module_count + 1, sizeof(*image->files));
	if (!image->files) {
		snprintf(why, size, "no memory for the modules");
		return -ENOMEM;
	}
	if (options->initrd)
		result = read_file(image, "--initrd", options->initrd, false, options->memory, why, size);
	for (size_t i = 0; !result && i < options->module_count; i++)
		result = read_file(image, "--module", options->modules[i], true, options->memory, why, size);
	return result;
}

static int check_options(const struct image *image, const struct options *options, char *why, size_t size)
{
	const struct {
		bool given;
		unsigned int takes;
		const char *name;
	} given[] = {
		{options->append, TAKES_APPEND, "--append"},
		{options->initrd, TAKES_INITRD, "--initrd"},
		{options->module_count, TAKES_MODULES, "--module"},
	};

	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
		if (!given[i].given || image->type->takes & given[i].takes)
			continue;
		snprintf(why, size, "%s is of type %s, which takes no %s", image->path, image->type->name,
			 given[i].name);
		return -EINVAL;
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
		return check_options(image, options, why, size);
	}
	fd = open_file(image->path, why, size);
	if (fd < 0)
		return fd;
	result = read_image(image, fd, HEAD_SIZE, why, size);
	/* Its notes may be anywhere. */
	if (!result && image->truncated && elf_has_magic(image))
		result = read_image(image, fd, options->memory, why, size);
	if (!result)
		result = find_type(image, options, why, size);
	if (!result)
		result = check_options(image, options, why, size);
	if (!result && image->type->is_disk && lseek(fd, 0, SEEK_END) > 0) {
		image->fd = fd;
		return 0;
	}
	if (!result && image->truncated)
		result = read_image(image, fd, options->memory, why, size);
	close(fd);
	if (!result)
		result = read_files(image, options, why, size);
	if (result)
		image_close(image);
	return result;
}

void image_close(struct image *image)
{
	for (size_t i = 0; i < image->file_count; i++) {
		free(image->files[i].path);
		free(image->files[i].data);
	}
	free(image->files);
	free(image->data);
	image->files = NULL;
	image->file_count = 0;
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

const char *load_append(const struct machine *machine)
{
	return machine->options->append ? machine->options->append : "";
}
