/* What a disk is, and how it is divided into cylinders, heads and sectors, by its size and its contents. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "disks/disk.h"

/* ISO 9660: the first volume descriptor is sector 16, of 2048 bytes. */
#define ISO_DESCRIPTOR (16 * CD_SECTORS)

/* The BIOS parameter block of a FAT volume (Microsoft's "FAT32 file system specification"). */
#define BPB_SECTOR_SIZE 11
#define BPB_SECTORS 19 /* 16 bits; 0: they are more */
#define BPB_MEDIA 21
#define BPB_TRACK 24
#define BPB_HEADS 26
#define MEDIA_HARD_DISK 0xf8

#define PARTITIONS 0x1be
#define PARTITION_SIZE 16
#define PARTITION_COUNT 4

/* The largest that INT 13h takes. */
#define CYLINDERS_MAX 1024u
#define HEADS_MAX 255u
#define TRACK_MAX 63u

/* Which images without anything that tells may be of a floppy, and the diskette that they are taken for. */
#define EITHER_MAX 5760u
static const struct geometry floppy_144 = {80, 2, 18}, floppy_288 = {80, 2, 36};

static const struct geometry formats[] = {
	{40, 1, 8},  {40, 1, 9},  {40, 2, 8},  {40, 2, 9},  {80, 2, 8},  {80, 2, 9},  {80, 2, 10}, {80, 2, 15},
	{80, 2, 18}, {80, 2, 20}, {80, 2, 21}, {82, 2, 21}, {83, 2, 21}, {80, 2, 22}, {80, 2, 23}, {80, 2, 24},
	{80, 2, 36},
};

static uint16_t word(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t long_word(const uint8_t *at)
{
	return word(at) | (uint32_t)word(at + 2) << 16;
}

static uint64_t geometry_sectors(const struct geometry *geometry)
{
	return (uint64_t)geometry->cylinders * geometry->heads * geometry->sectors;
}

static const struct geometry *find_format(uint64_t sectors)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (geometry_sectors(&formats[i]) == sectors)
			return &formats[i];
	}
	return NULL;
}

uint8_t disk_floppy_type(const struct geometry *geometry)
{
	if (geometry->cylinders < 80)
		return 1; /* 360K */
	return geometry->sectors < 15 ? 3 : geometry->sectors == 15 ? 2 : geometry->sectors <= 24 ? 4 : 5;
}

static bool read_sector(struct disk *disk, uint64_t sector, uint8_t buf[SECTOR_SIZE])
{
	return !disk_read(disk, sector, 1, buf);
}

static bool is_iso(struct disk *disk)
{
	uint8_t descriptor[SECTOR_SIZE];

	return read_sector(disk, ISO_DESCRIPTOR, descriptor) && !memcmp(descriptor + 1, "CD001", 5);
}

/* A volume's boot sector begins with a jump over the block; many that were written by hand have no NOP behind it. */
static bool has_bpb(const uint8_t *boot)
{
	return (boot[0] == 0xeb || boot[0] == 0xe9) && word(boot + BPB_SECTOR_SIZE) == SECTOR_SIZE &&
	       (boot[BPB_MEDIA] == 0xf0 || boot[BPB_MEDIA] >= MEDIA_HARD_DISK) && word(boot + BPB_TRACK) &&
	       word(boot + BPB_TRACK) <= TRACK_MAX && word(boot + BPB_HEADS) && word(boot + BPB_HEADS) <= HEADS_MAX;
}

static bool is_floppy_bpb(const uint8_t *boot, struct geometry *geometry)
{
	unsigned int heads = word(boot + BPB_HEADS), track = word(boot + BPB_TRACK), count = word(boot + BPB_SECTORS);

	if (!has_bpb(boot) || boot[BPB_MEDIA] == MEDIA_HARD_DISK || heads > 2 || track < 8 || track > 36 || !count ||
	    count > EITHER_MAX)
		return false;
	*geometry = (struct geometry){(count + heads * track - 1) / (heads * track), (uint16_t)heads, (uint16_t)track};
	return geometry->cylinders <= 86;
}

static bool is_partition(const uint8_t *entry)
{
	return !(entry[0] & 0x7f) && entry[4] && long_word(entry + 8) && long_word(entry + 12);
}

/* Four entries that are used or empty, and one at least that is used: code looks different. */
static bool has_partitions(const uint8_t *boot)
{
	static const uint8_t empty[PARTITION_SIZE];
	unsigned int used = 0;

	if (word(boot + 510) != 0xaa55)
		return false;
	for (const uint8_t *entry = boot + PARTITIONS; entry < boot + 510; entry += PARTITION_SIZE) {
		if (is_partition(entry))
			used++;
		else if (memcmp(entry, empty, sizeof(empty)))
			return false;
	}
	return used;
}

/* Whether the address in cylinders, heads and sectors at `chs` is `lba` in that geometry. */
static bool agrees(const struct geometry *geometry, const uint8_t *chs, uint64_t lba)
{
	uint32_t cylinder = chs[2] | (chs[1] & 0xc0u) << 2, sector = chs[1] & 0x3fu;

	/* What is too far for it is all ones, or the last that there is. */
	return cylinder >= CYLINDERS_MAX - 2 ||
	       ((uint64_t)cylinder * geometry->heads + chs[0]) * geometry->sectors + sector - 1 == lba;
}

/* Partitions end with the last head and the last sector of a cylinder, or used to. */
static bool guess_by_partitions(const uint8_t *boot, struct geometry *geometry)
{
	for (const uint8_t *entry = boot + PARTITIONS; entry < boot + 510; entry += PARTITION_SIZE) {
		uint64_t start = long_word(entry + 8), end = start + long_word(entry + 12) - 1;

		if (!is_partition(entry))
			continue;
		geometry->heads = (uint16_t)(entry[5] + 1);
		geometry->sectors = entry[6] & 0x3f;
		if (geometry->sectors && geometry->heads <= HEADS_MAX && agrees(geometry, entry + 1, start) &&
		    agrees(geometry, entry + 5, end))
			return true;
	}
	return false;
}

static bool guess_by_bpb(const uint8_t *boot, struct geometry *geometry)
{
	if (!has_bpb(boot))
		return false;
	geometry->heads = word(boot + BPB_HEADS);
	geometry->sectors = word(boot + BPB_TRACK);
	return true;
}

/* As many heads as it takes to have no more than 1024 cylinders ("LBA-assisted translation"). */
static void guess_by_size(uint64_t sectors, struct geometry *geometry)
{
	geometry->sectors = TRACK_MAX;
	geometry->heads = 16;
	while (geometry->heads < 128 && sectors / geometry->sectors / geometry->heads > CYLINDERS_MAX)
		geometry->heads *= 2;
	if (sectors / geometry->sectors / geometry->heads > CYLINDERS_MAX)
		geometry->heads = HEADS_MAX;
}

struct geometry disk_guess_geometry(struct disk *disk, uint64_t start, uint64_t sectors)
{
	struct geometry geometry = {0};
	uint8_t boot[SECTOR_SIZE];
	bool found = false;

	if (read_sector(disk, start, boot)) {
		bool partitioned = has_partitions(boot);

		found = partitioned ? guess_by_partitions(boot, &geometry) : guess_by_bpb(boot, &geometry);
		for (size_t i = 0; i < PARTITION_COUNT && partitioned && !found; i++) {
			const uint8_t *entry = boot + PARTITIONS + i * PARTITION_SIZE;
			uint8_t volume[SECTOR_SIZE];

			found = is_partition(entry) && read_sector(disk, start + long_word(entry + 8), volume) &&
				guess_by_bpb(volume, &geometry);
		}
	}
	if (!found)
		guess_by_size(sectors, &geometry);
	geometry.cylinders = (uint32_t)(sectors / geometry.sectors / geometry.heads);
	if (!geometry.cylinders)
		geometry.cylinders = 1;
	if (geometry.cylinders > CYLINDERS_MAX)
		geometry.cylinders = CYLINDERS_MAX;
	return geometry;
}

static void identify_floppy(struct disk *disk, const uint8_t *boot)
{
	const struct geometry *format = find_format(disk->sectors);

	if (!is_floppy_bpb(boot, &disk->geometry))
		disk->geometry = format ? *format : disk->sectors <= geometry_sectors(&floppy_144) ? floppy_144 : floppy_288;
}

static enum disk_kind guess_kind(struct disk *disk, const uint8_t *boot)
{
	struct geometry geometry;

	if (is_iso(disk))
		return DISK_CD;
	if (disk->sectors <= EITHER_MAX && is_floppy_bpb(boot, &geometry))
		return DISK_FLOPPY;
	if (disk->sectors > EITHER_MAX || has_partitions(boot) || has_bpb(boot))
		return DISK_HARD;
	disk->either = true;
	return find_format(disk->sectors) ? DISK_FLOPPY : DISK_HARD;
}

void disk_identify(struct disk *disk, const struct disk_spec *spec)
{
	uint8_t boot[SECTOR_SIZE] = {0};

	disk->sectors = (disk->size + SECTOR_SIZE - 1) / SECTOR_SIZE;
	read_sector(disk, 0, boot);
	disk->kind = spec->kind != DISK_AUTO ? spec->kind : guess_kind(disk, boot);
	/* A read across the end of a CD's last sector is one of that sector. */
	if (disk->kind == DISK_CD) {
		disk->sectors = (disk->sectors + CD_SECTORS - 1) / CD_SECTORS * CD_SECTORS;
		disk->access = DISK_READ_ONLY;
		return;
	}
	if (spec->geometry.sectors)
		disk->geometry = spec->geometry;
	else if (disk->kind == DISK_FLOPPY || disk->either)
		identify_floppy(disk, boot);
	else
		disk->geometry = disk_guess_geometry(disk, 0, disk->sectors);
	/* Images of floppies end with the last sector that is used. */
	if ((disk->kind == DISK_FLOPPY || disk->either) && disk->sectors < geometry_sectors(&disk->geometry))
		disk->sectors = geometry_sectors(&disk->geometry);
}

const char *disk_describe(const struct disk *disk, char *text, size_t size)
{
	static const char *const names[] = {[DISK_FLOPPY] = "floppy", [DISK_HARD] = "hard disk", [DISK_CD] = "CD"};
	static const char *const accesses[] = {[DISK_PRIVATE] = "", [DISK_READ_ONLY] = ", read-only",
					       [DISK_READ_WRITE] = ", written to"};

	if (disk->kind == DISK_CD)
		snprintf(text, size, "CD, %llu sectors", (unsigned long long)(disk->sectors / CD_SECTORS));
	else
		snprintf(text, size, "%s%s, %ux%ux%u, %llu sectors%s", names[disk->kind],
			 !disk->either ? "" : disk->kind == DISK_HARD ? " (or floppy)" : " (or hard disk)",
			 disk->geometry.cylinders, disk->geometry.heads, disk->geometry.sectors,
			 (unsigned long long)disk->sectors, accesses[disk->access]);
	return text;
}
