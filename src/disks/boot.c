/*
 * Boot sectors, and CDs by the "El Torito" bootable CD-ROM format specification (Phoenix, IBM; version 1.0), whose
 * figures the offsets are from.
 */
#define _GNU_SOURCE
#include "disks/boot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bios/bios.h"
#include "disks/drives.h"
#include "load/load.h"
#include "machine.h"

#define BOOT_ADDRESS 0x7c00
#define BLOCK_SIZE (CD_SECTORS * SECTOR_SIZE)

/* Volume descriptors (ISO 9660, 8.1). */
#define DESCRIPTOR_FIRST 16
#define DESCRIPTOR_END 255
#define DESCRIPTORS_MAX 64 /* looked at */
#define BOOT_RECORD_CATALOG 0x47

/* The catalog: a validation entry, then the one that is booted. */
#define VALIDATION_PLATFORM 1
#define PLATFORM_X86 0
#define ENTRY_SIZE 32
#define ENTRY_BOOTABLE 0x88
#define ENTRY_MEDIA 1
#define ENTRY_SEGMENT 2
#define ENTRY_COUNT 6
#define ENTRY_BLOCK 8
#define MEDIA_HARD_DISK 4

/* Of a CD's code: all that lies below the BIOS's data. */
#define LOAD_END 0x9f000u

static uint16_t word(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t long_word(const uint8_t *at)
{
	return word(at) | (uint32_t)word(at + 2) << 16;
}

/* Reads to guest memory; what lies behind the drive's end is left out. */
static int load_sectors(struct machine *machine, struct drive *drive, uint64_t sector, uint32_t count, uint64_t gpa,
			char *why, size_t size)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t buf[SECTOR_SIZE];
		int result = drive_read(drive, sector + i, 1, buf);

		if (result == -ERANGE && i)
			break;
		if (result) {
			snprintf(why, size, "cannot read sector %llu of %s: %s", (unsigned long long)(sector + i),
				 drive->disk->path, result == -ERANGE ? "there is none" : strerror(-result));
			return result;
		}
		result = load_copy(machine, gpa + (uint64_t)i * SECTOR_SIZE, buf, sizeof(buf), why, size);
		if (result)
			return result;
	}
	return 0;
}

static int begin(struct machine *machine, uint32_t linear, uint8_t number, char *why, size_t size)
{
	/* The stack grows down from the code, as most BIOSes leave it. */
	int result = load_real_mode_at(machine, linear, linear, why, size);

	if (result)
		return result;
	machine->vcpu.regs->rdx = number;
	if (machine->is_pc)
		machine->vcpu.regs->rflags |= RFLAGS_IF;
	return 0;
}

static int boot_sector(struct machine *machine, struct drive *drive, char *why, size_t size)
{
	uint8_t sector[SECTOR_SIZE];
	int result = drive_read(drive, 0, 1, sector);

	if (result) {
		snprintf(why, size, "cannot read %s: %s", drive->disk->path, strerror(-result));
		return result;
	}
	if (word(sector + 510) != 0xaa55) {
		snprintf(why, size, "%s is no boot sector: it %s; --type=raw takes it as it is", drive->disk->path,
			 drive->disk->size < SECTOR_SIZE ? "is shorter than 512 bytes"
							 : "does not have 55 aa at offset 510");
		return -ENOEXEC;
	}
	result = load_copy(machine, BOOT_ADDRESS, sector, sizeof(sector), why, size);
	return result ? result : begin(machine, BOOT_ADDRESS, drive->number, why, size);
}

static int cd_fail(const struct drive *drive, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s cannot be booted: %s", drive->disk->path, what);
	return -ENOEXEC;
}

static bool read_block(struct drive *drive, uint64_t block, uint8_t buf[BLOCK_SIZE])
{
	return !drive_read(drive, block * CD_SECTORS, CD_SECTORS, buf);
}

/* The block of the catalog, or 0. */
static uint32_t find_catalog(struct drive *drive)
{
	static const char name[] = "EL TORITO SPECIFICATION";
	uint8_t block[BLOCK_SIZE];

	for (unsigned int i = 0; i < DESCRIPTORS_MAX && read_block(drive, DESCRIPTOR_FIRST + i, block); i++) {
		if (memcmp(block + 1, "CD001", 5) || block[0] == DESCRIPTOR_END)
			break;
		if (!block[0] && !memcmp(block + 7, name, sizeof(name) - 1))
			return long_word(block + BOOT_RECORD_CATALOG);
	}
	return 0;
}

static bool is_valid(const uint8_t *entry)
{
	uint16_t sum = 0;

	for (unsigned int i = 0; i < ENTRY_SIZE; i += 2)
		sum = (uint16_t)(sum + word(entry + i));
	return entry[0] == 1 && word(entry + 30) == 0xaa55 && !sum;
}

/* The drive that the CD's image stands for. */
static void make_emulation(struct drive *cd, const uint8_t *entry, struct emulation *emulation)
{
	static const struct geometry floppies[] = {{0}, {80, 2, 15}, {80, 2, 18}, {80, 2, 36}};
	struct drive *drive = &emulation->drive;

	*emulation = (struct emulation){.media = entry[ENTRY_MEDIA] & 0xf, .block = long_word(entry + ENTRY_BLOCK),
					.load_segment = word(entry + ENTRY_SEGMENT),
					.load_sectors = word(entry + ENTRY_COUNT)};
	*drive = (struct drive){.disk = cd->disk, .start = (uint64_t)emulation->block * CD_SECTORS};
	if (!emulation->media)
		return;
	drive->sectors = drive->start < cd->sectors ? cd->sectors - drive->start : 0;
	if (emulation->media == MEDIA_HARD_DISK) {
		drive->kind = DISK_HARD;
		drive->geometry = disk_guess_geometry(cd->disk, drive->start, drive->sectors);
	} else {
		const struct geometry *geometry = &floppies[emulation->media];
		uint64_t all = (uint64_t)geometry->cylinders * geometry->heads * geometry->sectors;

		drive->kind = DISK_FLOPPY;
		drive->geometry = *geometry;
		if (drive->sectors > all)
			drive->sectors = all;
	}
}

static int boot_cd(struct machine *machine, struct drive *drive, char *why, size_t size)
{
	struct drives *drives = machine->drives;
	struct emulation emulation;
	uint8_t block[BLOCK_SIZE];
	uint32_t catalog = find_catalog(drive), linear, count;
	struct drive cd = *drive;
	int result;

	if (!catalog)
		return cd_fail(drive, "it has no El Torito boot record", why, size);
	if (!read_block(drive, catalog, block))
		return cd_fail(drive, "its boot catalog is not on it", why, size);
	if (!is_valid(block) || block[VALIDATION_PLATFORM] != PLATFORM_X86)
		return cd_fail(drive, "its boot catalog is not for PCs, or damaged", why, size);
	if (block[ENTRY_SIZE] != ENTRY_BOOTABLE || (block[ENTRY_SIZE + ENTRY_MEDIA] & 0xf) > MEDIA_HARD_DISK)
		return cd_fail(drive, "the first entry of its boot catalog is not bootable", why, size);
	make_emulation(drive, block + ENTRY_SIZE, &emulation);
	linear = emulation.load_segment ? emulation.load_segment * 16u : BOOT_ADDRESS;
	count = emulation.load_sectors ? emulation.load_sectors : 1;
	if (linear < 0x500 || linear >= LOAD_END)
		return cd_fail(drive, "its boot catalog has a load segment where no memory is free", why, size);
	if (count > (LOAD_END - linear) / SECTOR_SIZE)
		count = (LOAD_END - linear) / SECTOR_SIZE;
	result = load_sectors(machine, &cd, emulation.drive.start, count, linear, why, size);
	if (!result)
		result = begin(machine, linear,
			       emulation.media ? emulation.media == MEDIA_HARD_DISK ? DRIVES_HARD : DRIVES_FLOPPY : cd.number,
			       why, size);
	if (result)
		return result;
	drives->emulation = emulation;
	drives->from_cd = true;
	drives_assign(drives);
	if (machine->is_pc)
		bios_tell_drives(machine);
	return 0;
}

int boot_disk(struct machine *machine, char *why, size_t size)
{
	struct drives *drives = machine->drives;

	for (size_t i = 0; drives && i < drives->drive_count; i++) {
		struct drive *drive = &drives->list[i];

		if (drive->disk == &drives->disks[0] && drive->kind == drive->disk->kind && drive->disk->kind != DISK_CD)
			return boot_sector(machine, drive, why, size);
		if (drive->disk == &drives->disks[0] && drive->kind == DISK_CD)
			return boot_cd(machine, drive, why, size);
	}
	snprintf(why, size, "there is no disk to boot from");
	return -ENODEV;
}
