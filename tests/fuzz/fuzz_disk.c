/*
 * Disks with any contents: what they are taken for, booting from them, and reading and writing them in any places.
 * See pc.h.
 */
#include <stdlib.h>

#include "disks/boot.h"
#include "disks/drives.h"
#include "pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_disk(const struct disk *disk)
{
	const struct geometry *geometry = &disk->geometry;
	char text[96];

	if (disk->kind == DISK_AUTO || !disk->sectors || disk->sectors < disk->size / SECTOR_SIZE)
		abort();
	if (disk->kind != DISK_CD && (!geometry->cylinders || !geometry->heads || geometry->heads > 256 ||
				      !geometry->sectors || geometry->sectors > 63))
		abort();
	disk_describe(disk, text, sizeof(text));
}

/* What was written is read, and nothing else has changed; beyond the end there is nothing. */
static void transfer(struct input *input, struct drive *drive)
{
	static uint8_t before[4 * SECTOR_SIZE], buf[4 * SECTOR_SIZE], after[4 * SECTOR_SIZE];
	uint8_t how = take_byte(input);
	uint32_t count = (how & 1) + 1u;
	uint64_t sector = how & 2 ? drive->sectors - 1 - take_byte(input) : take(input, 4);
	size_t len;
	const uint8_t *bytes;
	int result;

	if (drive_read(drive, sector, count + 2, before)) {
		if (sector <= drive->sectors && count + 2 <= drive->sectors - sector)
			abort();
		return;
	}
	if (!(how & 4))
		return;
	bytes = take_bytes(input, how >> 3, &len);
	memcpy(buf, before + SECTOR_SIZE, count * SECTOR_SIZE);
	if (len)
		memcpy(buf, bytes, len);
	result = drive_write(drive, sector + 1, count, buf);
	if (!result)
		memcpy(before + SECTOR_SIZE, buf, count * SECTOR_SIZE);
	else if (drive->disk->access != DISK_READ_ONLY)
		abort();
	if (drive_read(drive, sector, count + 2, after) || memcmp(before, after, (count + 2) * SECTOR_SIZE))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	char why[200] = "";

	pc_start(&input);
	for (size_t i = 0; i < pc_drives.count; i++)
		check_disk(&pc_drives.disks[i]);
	if (boot_disk(&pc, why, sizeof(why)) && !*why)
		abort();
	for (size_t i = 0; input.left; i++) {
		struct drive *drive = drives_find(&pc_drives, take_byte(&input));

		if (!drive && pc_drives.drive_count)
			drive = &pc_drives.list[i % pc_drives.drive_count];
		if (drive)
			transfer(&input, drive);
		else
			break;
	}
	pc_end();
	return 0;
}
