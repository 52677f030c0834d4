#define _GNU_SOURCE
#include "disks/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BLOCK_SIZE 4096u /* of the overlay */
#define BLOCKS_MIN 64u

/*
 * A file of at most this size is read at once, so that an assembler that writes it anew does not disturb a guest
 * that runs. One that cannot be read again must not be larger than that.
 */
#define SMALL_FILE (4u << 20)
#define PIPE_MAX (1u << 30)

struct overlay_block {
	uint64_t number; /* of BLOCK_SIZE bytes from the disk's start */
	uint8_t *data;	 /* NULL: not used */
};

/* The block's place in the table, or the one that it would take. The table has room. */
static struct overlay_block *find_block(const struct overlay *overlay, uint64_t number)
{
	/* Fibonacci hashing; the capacity is a power of two. */
	size_t at = (size_t)(number * 0x9e3779b97f4a7c15ull >> 20) & (overlay->capacity - 1);

	while (overlay->blocks[at].data && overlay->blocks[at].number != number)
		at = (at + 1) & (overlay->capacity - 1);
	return &overlay->blocks[at];
}

static int grow(struct overlay *overlay)
{
	struct overlay larger = {.capacity = overlay->capacity ? 2 * overlay->capacity : BLOCKS_MIN,
				 .count = overlay->count};

	if (2 * (overlay->count + 1) <= overlay->capacity)
		return 0;
	larger.blocks = calloc(larger.capacity, sizeof(*larger.blocks));
	if (!larger.blocks)
		return -ENOMEM;
	for (size_t i = 0; i < overlay->capacity; i++) {
		if (overlay->blocks[i].data)
			*find_block(&larger, overlay->blocks[i].number) = overlay->blocks[i];
	}
	free(overlay->blocks);
	*overlay = larger;
	return 0;
}

void disk_forget(struct disk *disk)
{
	for (size_t i = 0; i < disk->overlay.capacity; i++)
		free(disk->overlay.blocks[i].data);
	free(disk->overlay.blocks);
	disk->overlay = (struct overlay){0};
}

/* What is in the file, and zeros behind its end, wherever that is by now. */
static int read_file(const struct disk *disk, uint64_t offset, uint8_t *buf, size_t len)
{
	if (disk->fd < 0) {
		size_t there = offset >= disk->size ? 0 : disk->size - offset < len ? (size_t)(disk->size - offset) : len;

		memcpy(buf, disk->data + (there ? offset : 0), there);
		memset(buf + there, 0, len - there);
		return 0;
	}
	while (len) {
		ssize_t n = pread(disk->fd, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		buf += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	memset(buf, 0, len);
	return 0;
}

static int write_file(const struct disk *disk, uint64_t offset, const uint8_t *buf, size_t len)
{
	while (len) {
		ssize_t n = pwrite(disk->fd, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static bool is_inside(const struct disk *disk, uint64_t sector, uint32_t count)
{
	return sector <= disk->sectors && count <= disk->sectors - sector;
}

int disk_read(struct disk *disk, uint64_t sector, uint32_t count, void *buf)
{
	uint64_t offset = sector * SECTOR_SIZE, end = offset + (uint64_t)count * SECTOR_SIZE;
	int result;

	if (!is_inside(disk, sector, count))
		return -ERANGE;
	result = read_file(disk, offset, buf, (size_t)(end - offset));
	if (result || !disk->overlay.count)
		return result;
	for (uint64_t number = offset / BLOCK_SIZE; number * BLOCK_SIZE < end; number++) {
		const struct overlay_block *block = find_block(&disk->overlay, number);
		uint64_t from = number * BLOCK_SIZE, to = from + BLOCK_SIZE;

		if (!block->data)
			continue;
		from = from < offset ? offset : from;
		to = to > end ? end : to;
		memcpy((uint8_t *)buf + (from - offset), block->data + from % BLOCK_SIZE, (size_t)(to - from));
	}
	return 0;
}

/* `len` bytes that lie in one block. */
static int write_block(struct disk *disk, uint64_t offset, const uint8_t *buf, size_t len)
{
	struct overlay_block *block;
	int result = grow(&disk->overlay);

	if (result)
		return result;
	block = find_block(&disk->overlay, offset / BLOCK_SIZE);
	if (!block->data) {
		uint8_t *data = malloc(BLOCK_SIZE);

		if (!data)
			return -ENOMEM;
		result = read_file(disk, offset / BLOCK_SIZE * BLOCK_SIZE, data, BLOCK_SIZE);
		if (result) {
			free(data);
			return result;
		}
		*block = (struct overlay_block){offset / BLOCK_SIZE, data};
		disk->overlay.count++;
	}
	memcpy(block->data + offset % BLOCK_SIZE, buf, len);
	return 0;
}

int disk_write(struct disk *disk, uint64_t sector, uint32_t count, const void *buf)
{
	uint64_t offset = sector * SECTOR_SIZE, end = offset + (uint64_t)count * SECTOR_SIZE;
	const uint8_t *bytes = buf;
	int result = 0;

	if (!is_inside(disk, sector, count))
		return -ERANGE;
	if (disk->access == DISK_READ_ONLY)
		return -EROFS;
	if (disk->access == DISK_READ_WRITE)
		return write_file(disk, offset, bytes, (size_t)(end - offset));
	while (offset < end && !result) {
		size_t len = BLOCK_SIZE - offset % BLOCK_SIZE;

		if (len > end - offset)
			len = (size_t)(end - offset);
		result = write_block(disk, offset, bytes, len);
		bytes += len;
		offset += len;
	}
	return result;
}

static int no_memory(const struct disk *disk, char *why, size_t size)
{
	snprintf(why, size, "no memory to read %s", disk->path);
	return -ENOMEM;
}

/* All that comes out of a pipe, or of a device without a size. */
static int read_pipe(struct disk *disk, char *why, size_t size)
{
	size_t capacity = 0;
	ssize_t n;

	do {
		if (disk->size == capacity) {
			uint8_t *data;

			capacity = capacity ? 2 * capacity : 64 * 1024;
			if (capacity > PIPE_MAX) {
				snprintf(why, size, "%s gives more than %u bytes, and is no file", disk->path, PIPE_MAX);
				return -EFBIG;
			}
			data = realloc(disk->data, capacity);
			if (!data)
				return no_memory(disk, why, size);
			disk->data = data;
		}
		n = read(disk->fd, disk->data + disk->size, capacity - disk->size);
		if (n > 0)
			disk->size += (uint64_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0) {
		snprintf(why, size, "cannot read %s: %s", disk->path, strerror(errno));
		return -errno;
	}
	return 0;
}

static int read_small(struct disk *disk, char *why, size_t size)
{
	uint8_t *data = malloc((size_t)disk->size);
	int result;

	if (!data)
		return no_memory(disk, why, size);
	result = read_file(disk, 0, data, (size_t)disk->size);
	if (result) {
		free(data);
		snprintf(why, size, "cannot read %s: %s", disk->path, strerror(-result));
		return result;
	}
	disk->data = data;
	return 0;
}

static int read_all(struct disk *disk, const struct disk_spec *spec, char *why, size_t size)
{
	off_t end = lseek(disk->fd, 0, SEEK_END);
	bool seekable = end >= 0;
	int result = 0;

	if (spec->access == DISK_READ_WRITE) {
		if (!seekable) {
			snprintf(why, size, "%s is no file that could be written to", disk->path);
			return -ESPIPE;
		}
		if (flock(disk->fd, LOCK_EX | LOCK_NB)) {
			snprintf(why, size, "cannot write to %s: it is in use", disk->path);
			return -errno;
		}
	}
	/* A device that is nothing but a stream has a size of 0, too. */
	disk->size = seekable ? (uint64_t)end : 0;
	if (!disk->size)
		result = read_pipe(disk, why, size);
	else if (disk->size <= SMALL_FILE && spec->access != DISK_READ_WRITE)
		result = read_small(disk, why, size);
	if (result)
		return result;
	if (!disk->size) {
		snprintf(why, size, "%s is empty", disk->path);
		return -ENODATA;
	}
	if (disk->data) {
		close(disk->fd);
		disk->fd = -1;
	}
	return 0;
}

int disk_open(struct disk *disk, const char *path, int fd, const struct disk_spec *spec, char *why, size_t size)
{
	int result;

	*disk = (struct disk){.path = strdup(path), .fd = fd, .access = spec->access};
	if (!disk->path) {
		disk_close(disk);
		snprintf(why, size, "no memory");
		return -ENOMEM;
	}
	if (fd < 0) {
		disk->fd = open(path, (spec->access == DISK_READ_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		if (disk->fd < 0) {
			result = -errno;
			snprintf(why, size, "cannot open %s: %s", path, strerror(errno));
			disk_close(disk);
			return result;
		}
	}
	result = read_all(disk, spec, why, size);
	if (result)
		disk_close(disk);
	else
		disk_identify(disk, spec);
	return result;
}

int disk_open_memory(struct disk *disk, const char *path, const uint8_t *data, uint64_t len,
		     const struct disk_spec *spec, char *why, size_t size)
{
	*disk = (struct disk){.path = strdup(path), .fd = -1, .access = spec->access, .size = len,
			      .data = malloc((size_t)len)};
	if (!disk->path || !disk->data) {
		disk_close(disk);
		snprintf(why, size, "no memory to read %s", path);
		return -ENOMEM;
	}
	memcpy(disk->data, data, (size_t)len);
	disk_identify(disk, spec);
	return 0;
}

void disk_close(struct disk *disk)
{
	disk_forget(disk);
	if (disk->fd >= 0)
		close(disk->fd);
	disk->fd = -1;
	free(disk->data);
	free(disk->path);
	disk->data = NULL;
	disk->path = NULL;
}
