/* A disk of the guest's: an image file that is only read, and what the guest has written over it. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR_SIZE 512u
#define CD_SECTORS 4u /* of them make one of a CD */

enum disk_kind { DISK_AUTO, DISK_FLOPPY, DISK_HARD, DISK_CD };

enum disk_access {
	DISK_PRIVATE, /* writes are kept in memory, and thrown away at the end */
	DISK_READ_ONLY,
	DISK_READ_WRITE, /* writes go to the file */
};

/* All 0: not known. */
struct geometry {
	uint32_t cylinders;
	uint16_t heads;	  /* at most 256 */
	uint16_t sectors; /* of a track, at most 63 */
};

/* Blocks that the guest has written: a hash table by their numbers, never more than half full. */
struct overlay {
	struct overlay_block *blocks;
	size_t count, capacity;
};

struct disk {
	char *path;
	int fd;		/* -1: all of it is in `data` */
	uint8_t *data;
	uint64_t size;	/* of the file, in bytes */
	uint64_t sectors; /* that the guest sees; behind the file's end they are zeros */
	enum disk_kind kind;
	enum disk_access access;
	struct geometry geometry; /* not of a CD */
	bool either; /* a floppy or a hard disk: nothing in it tells, and it answers as both where it can */
	struct overlay overlay;
};

/* What the user has said of a disk; what he has not is found out. */
struct disk_spec {
	enum disk_kind kind;
	enum disk_access access;
	struct geometry geometry;
};

/*
 * Opens the file of that path, or reads it all if it is a pipe; or takes `fd`, if it is not -1, which then
 * belongs to the disk. Returns 0, or a negative errno and why.
 */
int disk_open(struct disk *disk, const char *path, int fd, const struct disk_spec *spec, char *why, size_t size);
/* The same of bytes that are in memory already: they are copied. */
int disk_open_memory(struct disk *disk, const char *path, const uint8_t *data, uint64_t len,
		     const struct disk_spec *spec, char *why, size_t size);
void disk_close(struct disk *disk);

/*
 * Sectors from `sector` on. 0; -ERANGE where there are not so many; -EROFS; another negative errno of the host's.
 */
int disk_read(struct disk *disk, uint64_t sector, uint32_t count, void *buf);
int disk_write(struct disk *disk, uint64_t sector, uint32_t count, const void *buf);
/* Throws away what the guest has written, but for what is in the file. */
void disk_forget(struct disk *disk);

/*
 * kind.c: fills in kind, geometry, either and sectors, but for what `spec` says, from the disk's contents; the
 * geometry of a hard disk that begins at `start` of the disk.
 */
void disk_identify(struct disk *disk, const struct disk_spec *spec);
struct geometry disk_guess_geometry(struct disk *disk, uint64_t start, uint64_t sectors);
/* A diskette's drive as INT 13h AH=08h names it: 1 to 5. */
uint8_t disk_floppy_type(const struct geometry *geometry);
/* "floppy, 80x2x18, 2880 sectors" */
const char *disk_describe(const struct disk *disk, char *text, size_t size);

#endif
