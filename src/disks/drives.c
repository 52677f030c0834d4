#define _GNU_SOURCE
#include "disks/drives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/load.h"
#include "message.h"
#include "options.h"

static const struct {
	enum disk_kind kind;
	uint8_t first;
	unsigned int max;
	const char *name;
} kinds[] = {
	{DISK_FLOPPY, DRIVES_FLOPPY, 2, "floppies"},
	{DISK_HARD, DRIVES_HARD, 4, "hard disks"},
	{DISK_CD, DRIVES_CD, 2, "CDs"},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

unsigned int drives_count(const struct drives *drives, enum disk_kind kind)
{
	unsigned int count = 0;

	for (size_t i = 0; i < drives->drive_count; i++)
		count += drives->list[i].kind == kind;
	return count;
}

static void add(struct drives *drives, const struct drive *drive)
{
	for (size_t i = 0; i < KINDS; i++) {
		unsigned int count = drives_count(drives, kinds[i].kind);

		if (kinds[i].kind != drive->kind || count == kinds[i].max || drives->drive_count == DRIVES_MAX)
			continue;
		drives->list[drives->drive_count] = *drive;
		drives->list[drives->drive_count].number = (uint8_t)(kinds[i].first + count);
		drives->drive_count++;
		return;
	}
}

static void add_disk(struct drives *drives, struct disk *disk, enum disk_kind kind)
{
	add(drives, &(struct drive){.kind = kind, .disk = disk, .sectors = disk->sectors, .geometry = disk->geometry});
}

void drives_assign(struct drives *drives)
{
	drives->drive_count = 0;
	if (drives->emulation.media)
		add(drives, &drives->emulation.drive);
	for (size_t i = 0; i < drives->count; i++)
		add_disk(drives, &drives->disks[i], drives->disks[i].kind);
	/* Programs know by heart whether they boot from 00h or 80h. */
	for (size_t i = 0; i < drives->count; i++) {
		enum disk_kind other = drives->disks[i].kind == DISK_HARD ? DISK_FLOPPY : DISK_HARD;

		if (drives->disks[i].either && !drives_count(drives, other))
			add_disk(drives, &drives->disks[i], other);
	}
}

struct drive *drives_find(struct drives *drives, uint8_t number)
{
	for (size_t i = 0; drives && i < drives->drive_count; i++) {
		if (drives->list[i].number == number)
			return &drives->list[i];
	}
	return NULL;
}

static bool is_inside(const struct drive *drive, uint64_t sector, uint32_t count)
{
	return sector <= drive->sectors && count <= drive->sectors - sector;
}

int drive_read(struct drive *drive, uint64_t sector, uint32_t count, void *buf)
{
	return is_inside(drive, sector, count) ? disk_read(drive->disk, drive->start + sector, count, buf) : -ERANGE;
}

int drive_write(struct drive *drive, uint64_t sector, uint32_t count, const void *buf)
{
	return is_inside(drive, sector, count) ? disk_write(drive->disk, drive->start + sector, count, buf) : -ERANGE;
}

void drives_reset(struct drives *drives, bool keep)
{
	if (!drives)
		return;
	for (size_t i = 0; i < drives->count && !keep; i++)
		disk_forget(&drives->disks[i]);
	drives->emulation = (struct emulation){0};
	drives->from_cd = false;
	drives_assign(drives);
}

/* C/H/S, each a number in its range. */
static bool parse_geometry(const char *text, struct geometry *geometry)
{
	unsigned int cylinders, heads, sectors;
	int end = 0;

	if (strspn(text, "0123456789/") != strlen(text) ||
	    sscanf(text, "%5u/%3u/%2u%n", &cylinders, &heads, &sectors, &end) != 3 || text[end] || !cylinders ||
	    cylinders > 65535 || !heads || heads > 255 || !sectors || sectors > 63)
		return false;
	*geometry = (struct geometry){cylinders, (uint16_t)heads, (uint16_t)sectors};
	return true;
}

static bool parse_word(const char *word, struct disk_spec *spec)
{
	static const char *const kind_words[] = {[DISK_FLOPPY] = "floppy", [DISK_HARD] = "hd", [DISK_CD] = "cd"};
	static const char *const access_words[] = {[DISK_READ_ONLY] = "ro", [DISK_READ_WRITE] = "rw"};

	for (size_t i = DISK_FLOPPY; i <= DISK_CD; i++) {
		if (!strcmp(word, kind_words[i])) {
			spec->kind = (enum disk_kind)i;
			return true;
		}
	}
	for (size_t i = DISK_READ_ONLY; i <= DISK_READ_WRITE; i++) {
		if (!strcmp(word, access_words[i])) {
			spec->access = (enum disk_access)i;
			return true;
		}
	}
	return !strncmp(word, "chs=", 4) && parse_geometry(word + 4, &spec->geometry);
}

/* "FILE,hd,rw": only words that are known are cut off, so a file's name may have commas. Returns the name. */
static char *parse(const char *text, struct disk_spec *spec)
{
	char *path = strdup(text), *comma;

	*spec = (struct disk_spec){0};
	while (path && (comma = strrchr(path, ',')) && comma != path && parse_word(comma + 1, spec))
		*comma = 0;
	return path;
}

static int open_one(struct drives *drives, const char *text, char *why, size_t size)
{
	struct disk_spec spec;
	char *path = parse(text, &spec);
	int result = -ENOMEM;

	if (path)
		result = disk_open(&drives->disks[drives->count], path, -1, &spec, why, size);
	else
		snprintf(why, size, "no memory");
	free(path);
	if (!result)
		drives->count++;
	return result;
}

static int open_image(struct drives *drives, const struct image *image, char *why, size_t size)
{
	const struct disk_spec spec = {.kind = image->type->disk_kind};
	struct disk *disk = &drives->disks[0];
	int fd = image->fd < 0 ? -1 : fcntl(image->fd, F_DUPFD_CLOEXEC, 0), result;

	result = fd >= 0 ? disk_open(disk, image->path, fd, &spec, why, size)
			 : disk_open_memory(disk, image->path, image->data, image->size, &spec, why, size);
	if (!result)
		drives->count++;
	return result;
}

static int check_counts(const struct drives *drives, char *why, size_t size)
{
	for (size_t i = 0; i < KINDS; i++) {
		unsigned int count = 0;

		for (size_t j = 0; j < drives->count; j++)
			count += drives->disks[j].kind == kinds[i].kind;
		if (count > kinds[i].max) {
			snprintf(why, size, "%u %s, and %u are all that a PC has", count, kinds[i].name, kinds[i].max);
			return -EINVAL;
		}
	}
	return 0;
}

int drives_open(struct drives *drives, const struct options *options, const struct image *image, char *why,
		size_t size)
{
	int result = 0;
	char text[96];

	*drives = (struct drives){.boots = image->type->is_disk};
	if (options->image && image->type->is_disk)
		result = open_image(drives, image, why, size);
	for (size_t i = 0; i < options->disk_count && !result; i++) {
		if (drives->count == DISKS_MAX) {
			snprintf(why, size, "more than %d disks", DISKS_MAX);
			result = -EINVAL;
		} else {
			result = open_one(drives, options->disks[i], why, size);
		}
	}
	if (!result)
		result = check_counts(drives, why, size);
	if (result) {
		drives_close(drives);
		return result;
	}
	drives_assign(drives);
	for (size_t i = 0; i < drives->drive_count && options->verbose; i++)
		message("drive %02xh: %s: %s", drives->list[i].number, drives->list[i].disk->path,
			disk_describe(drives->list[i].disk, text, sizeof(text)));
	return 0;
}

void drives_close(struct drives *drives)
{
	for (size_t i = 0; i < drives->count; i++)
		disk_close(&drives->disks[i]);
	drives->count = drives->drive_count = 0;
}
