/*
 * The program's file, for a client that was given none: its name (qXfer:exec-file) and its content
 * (vFile, the manual's "Host I/O Packets"). One file, read only; any other name is not found.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* The errors of the manual's "Errno Values", which are no system's own. */
enum {
	FILEIO_ENOENT = 2,
	FILEIO_EBADF = 9,
	FILEIO_EINVAL = 22,
	FILEIO_EMFILE = 24,
	FILEIO_EROFS = 30,
	FILEIO_EUNKNOWN = 9999,
};

#define MODE_REGULAR_READABLE 0100444u /* the manual's "mode_t Values" */
#define STAT_SIZE 64

const struct gdbstub_file *file_served(const struct gdbstub *stub)
{
	return stub->ops->file ? stub->ops->file(stub->target) : NULL;
}

static int fail(struct gdbstub *stub, int error)
{
	reply_start(&stub->packets);
	reply_format(&stub->packets, "F-1,%x", (unsigned int)error);
	return 0;
}

static int succeed(struct gdbstub *stub, unsigned int result)
{
	reply_format(&stub->packets, "F%x", result);
	return 0;
}

/* A name in hex, up to a ',' or the end; moves *args there. Is it the file's? */
static bool parse_name(const struct gdbstub *stub, char **args, bool *ours)
{
	const char *name = file_served(stub)->name;
	char *text = *args;
	size_t digits = strcspn(text, ",");

	*args += digits;
	if (!digits || digits & 1 || !hex_decode((uint8_t *)text, text, digits / 2))
		return false;
	*ours = strlen(name) == digits / 2 && !memcmp(text, name, digits / 2);
	return true;
}

/* A file that is open in this session. */
static bool parse_descriptor(const struct gdbstub *stub, const char **args, unsigned int *fd)
{
	uint64_t number;

	if (!hex_number(args, &number) || number >= SESSION_FILES ||
	    !(stub->session.files >> number & 1))
		return false;
	*fd = (unsigned int)number;
	return true;
}

/* setfs: pid. There is one file system, whoever asks. */
static int set_file_system(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	uint64_t pid;

	(void)len;
	if (!hex_number(&p, &pid) || *p)
		return fail(stub, FILEIO_EINVAL);
	return succeed(stub, 0);
}

/* open: filename, flags, mode */
static int open_file(struct gdbstub *stub, char *args, size_t len)
{
	struct session *s = &stub->session;
	uint64_t flags, mode;
	const char *p;
	bool ours;

	(void)len;
	if (!parse_name(stub, &args, &ours))
		return fail(stub, FILEIO_EINVAL);
	p = args;
	if (*p++ != ',' || !hex_number(&p, &flags) || *p++ != ',' || !hex_number(&p, &mode) || *p)
		return fail(stub, FILEIO_EINVAL);
	if (!ours)
		return fail(stub, FILEIO_ENOENT);
	if (flags) /* all but O_RDONLY */
		return fail(stub, FILEIO_EROFS);
	for (unsigned int fd = 0; fd < SESSION_FILES; fd++) {
		if (s->files >> fd & 1)
			continue;
		s->files |= 1u << fd;
		return succeed(stub, fd);
	}
	return fail(stub, FILEIO_EMFILE);
}

static int close_file(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	unsigned int fd;

	(void)len;
	if (!parse_descriptor(stub, &p, &fd) || *p)
		return fail(stub, FILEIO_EBADF);
	stub->session.files &= ~(1u << fd);
	return succeed(stub, 0);
}

/* pread: fd, count, offset. A reply may be shorter than what was asked for. */
static int read_file(struct gdbstub *stub, char *args, size_t len)
{
	struct packets *p = &stub->packets;
	uint64_t count, offset, size = file_served(stub)->size;
	const char *from = args;
	char head[16], *room;
	size_t done = 0;
	unsigned int fd;

	(void)len;
	if (!parse_descriptor(stub, &from, &fd))
		return fail(stub, FILEIO_EBADF);
	if (*from++ != ',' || !hex_number(&from, &count) || *from++ != ',' ||
	    !hex_number(&from, &offset) || *from)
		return fail(stub, FILEIO_EINVAL);
	/* Of the size that was told, whatever has become of the file since. */
	if (offset > size)
		offset = size;
	if (count > size - offset)
		count = size - offset;
	room = reply_room(p, strlen("F00000;"));
	while (done < count) {
		size_t part = count - done < sizeof(stub->scratch) ? count - done : sizeof(stub->scratch);
		ssize_t got = stub->ops->file_read(stub->target, offset + done, stub->scratch, part);
		size_t taken;

		if (got < 0 && !done)
			return fail(stub, FILEIO_EUNKNOWN);
		if (got <= 0)
			break;
		taken = reply_binary(p, stub->scratch, (size_t)got);
		done += taken;
		if (taken < (size_t)got)
			break;
	}
	snprintf(head, sizeof(head), "F%05zx;", done);
	memcpy(room, head, strlen(head));
	return 0;
}

/* At most 8 bytes. */
static uint8_t *put(uint8_t *to, uint64_t value, size_t size)
{
	while (size--)
		*to++ = (uint8_t)(value >> 8 * size);
	return to;
}

/* The manual's "struct stat": big-endian, whatever the target is. */
static int reply_stat(struct gdbstub *stub)
{
	const struct gdbstub_file *file = file_served(stub);
	uint8_t stat[STAT_SIZE], *to = stat;

	to = put(to, 0, 4); /* st_dev: not the console */
	to = put(to, 1, 4); /* st_ino */
	to = put(to, MODE_REGULAR_READABLE, 4);
	to = put(to, 1, 4); /* st_nlink */
	to = put(to, 0, 4); /* st_uid */
	to = put(to, 0, 4); /* st_gid */
	to = put(to, 0, 4); /* st_rdev */
	to = put(to, file->size, 8);
	to = put(to, 0x1000, 8); /* st_blksize */
	to = put(to, (file->size + 511) / 512, 8);
	for (int i = 0; i < 3; i++) /* st_atime, st_mtime, st_ctime */
		to = put(to, (uint64_t)file->modified, 4);
	reply_format(&stub->packets, "F%x;", STAT_SIZE);
	reply_binary(&stub->packets, stat, sizeof(stat));
	return 0;
}

static int stat_descriptor(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	unsigned int fd;

	(void)len;
	if (!parse_descriptor(stub, &p, &fd) || *p)
		return fail(stub, FILEIO_EBADF);
	return reply_stat(stub);
}

static int stat_name(struct gdbstub *stub, char *args, size_t len)
{
	bool ours;

	(void)len;
	if (!parse_name(stub, &args, &ours) || *args)
		return fail(stub, FILEIO_EINVAL);
	return ours ? reply_stat(stub) : fail(stub, FILEIO_ENOENT);
}

static const struct command operations[] = {
	{.name = "setfs:", .handler = set_file_system},
	{.name = "open:", .handler = open_file},
	{.name = "close:", .handler = close_file},
	{.name = "pread:", .handler = read_file},
	{.name = "fstat:", .handler = stat_descriptor},
	{.name = "stat:", .handler = stat_name},
	{0},
};

int file_packet(struct gdbstub *stub, char *args, size_t len)
{
	const struct command *operation = command_find(operations, args);
	size_t skip;

	if (!operation || !file_served(stub))
		return 1;
	skip = strlen(operation->name);
	return operation->handler(stub, args + skip, len - skip);
}

/* The annex is a process, of which there is one. */
int file_name(struct gdbstub *stub, char *args, size_t len)
{
	const struct gdbstub_file *file = file_served(stub);
	const char *p = args;
	uint64_t pid;

	(void)len;
	if (!file)
		return 1;
	if (*p != ':' && !hex_number(&p, &pid))
		return -EINVAL;
	if (*p++ != ':')
		return -EINVAL;
	return reply_transfer(stub, p, file->name, strlen(file->name));
}
