/* Boot sectors, and disks with one: what a BIOS boots. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disks/boot.h"
#include "load/load.h"
#include "machine.h"
#include "options.h"

#define CD_NAME 0x8001 /* of the first volume descriptor (ISO 9660, 8.1) */

static bool is_boot_sector(const struct image *image)
{
	return image->size >= SECTOR_SIZE && image->data[510] == 0x55 && image->data[511] == 0xaa;
}

static bool is_cd(const struct image *image)
{
	return image->size >= CD_NAME + 5 && !memcmp(image->data + CD_NAME, "CD001", 5);
}

static int matches(const struct options *options, const struct image *image)
{
	/* Whoever says where it goes, where it begins or in which mode has a raw image. */
	return !options->load_given && !options->entry && !options->mode_given &&
	       (is_boot_sector(image) || is_cd(image));
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	(void)image;
	if (options_reject_raw(machine->options, false, why, size))
		return -EINVAL;
	return boot_disk(machine, why, size);
}

const struct image_type image_boot = {
	.name = "boot", .help = "a boot sector, or any of the three disks", .matches = matches, .load = load, .is_disk = true};
const struct image_type image_floppy = {
	.name = "floppy", .help = "a diskette, booted as drive 00h", .load = load, .is_disk = true, .disk_kind = DISK_FLOPPY};
const struct image_type image_hd = {
	.name = "hd", .help = "a hard disk, booted as drive 80h", .load = load, .is_disk = true, .disk_kind = DISK_HARD};
const struct image_type image_cd = {
	.name = "cd", .help = "a CD, booted by its El Torito catalog", .load = load, .is_disk = true, .disk_kind = DISK_CD};
