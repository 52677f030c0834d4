/* The guest's drives: which disk is in which, by the numbers that INT 13h has in DL. */
#ifndef DRIVES_H
#define DRIVES_H

#include "disks/disk.h"

struct image;
struct options;

#define DRIVES_FLOPPY 0x00u
#define DRIVES_HARD 0x80u
#define DRIVES_CD 0xe0u

/* Disks at most: two floppies, four hard disks, two CDs, and one that a CD has the image of. */
#define DISKS_MAX 8
#define DRIVES_MAX 12

struct drive {
	uint8_t number;
	enum disk_kind kind;
	struct disk *disk;
	uint64_t start, sectors; /* the part of the disk that it is: all, but for a CD's image */
	struct geometry geometry;
};

/* What a CD boots as (the "El Torito" specification); `drive` says which floppy or hard disk it stands for. */
struct emulation {
	uint8_t media; /* 0: none, 1 to 3: floppies, 4: a hard disk */
	uint32_t block; /* of the CD, where the image begins */
	uint16_t load_segment, load_sectors;
	struct drive drive;
};

struct drives {
	struct disk disks[DISKS_MAX]; /* the first is the one to boot from */
	size_t count;
	bool boots; /* IMAGE is one of them, or there is no IMAGE */
	bool from_cd; /* the guest has been booted by `emulation` */
	struct emulation emulation;
	struct drive list[DRIVES_MAX];
	size_t drive_count;
};

/* Opens all disks of the command line, IMAGE among them if it is one. Returns 0, or a negative errno and why. */
int drives_open(struct drives *drives, const struct options *options, const struct image *image, char *why,
		size_t size);
void drives_close(struct drives *drives);
/* As after power-on; unless `keep` is set what the guest has written is thrown away. */
void drives_reset(struct drives *drives, bool keep);
/* Numbers the drives, with the one of `emulation`, if it has a medium, before others of its kind. */
void drives_assign(struct drives *drives);
/* NULL: there is none of that number. */
struct drive *drives_find(struct drives *drives, uint8_t number);
unsigned int drives_count(const struct drives *drives, enum disk_kind kind);

/* As disk_read() and disk_write(), by sectors of 512 bytes. */
int drive_read(struct drive *drive, uint64_t sector, uint32_t count, void *buf);
int drive_write(struct drive *drive, uint64_t sector, uint32_t count, const void *buf);

#endif
