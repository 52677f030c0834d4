/* Boot sectors: what a BIOS does with the first sector of a disk. */
#include <errno.h>
#include <stdio.h>

#include "load/load.h"
#include "machine.h"
#include "options.h"

#define SECTOR_SIZE 512
#define BOOT_ADDRESS 0x7c00
#define BOOT_DRIVE 0x80 /* the first hard disk, in DL */

static int has_signature(const struct image *image)
{
	return image->size >= SECTOR_SIZE && image->data[510] == 0x55 && image->data[511] == 0xaa;
}

static int matches(const struct options *options, const struct image *image)
{
	/* Whoever says where it goes, where it begins or in which mode has a raw image. */
	return !options->load_given && !options->entry && !options->mode_given &&
	       has_signature(image);
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	int result;

	if (!has_signature(image)) {
		snprintf(why, size,
			 "%s is no boot sector: it %s; --type=raw takes it as it is", image->path,
			 image->size < SECTOR_SIZE ? "is shorter than 512 bytes"
						   : "does not have 55 aa at offset 510");
		return -ENOEXEC;
	}
	if (options_reject_raw(machine->options, false, why, size))
		return -EINVAL;
	result = load_copy(machine, BOOT_ADDRESS, image->data, SECTOR_SIZE, why, size);
	/* The stack grows down from the sector, as most BIOSes leave it. */
	if (!result)
		result = load_real_mode(machine, 0, BOOT_ADDRESS, BOOT_ADDRESS, why, size);
	if (!result) {
		machine->vcpu.regs->rdx = BOOT_DRIVE;
		if (machine->is_pc)
			machine->vcpu.regs->rflags |= RFLAGS_IF;
	}
	return result;
}

const struct image_type image_boot = {
	.name = "boot", .help = "the first sector, with 55 aa, at 0x7c00", .matches = matches, .load = load};
