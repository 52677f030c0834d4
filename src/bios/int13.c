/* INT 13h: disks, by cylinders, heads and sectors. Ralf Brown's Interrupt List names the functions. */
#include "bios/int13.h"

#include <errno.h>
#include <string.h>

#include "bios/rom.h"
#include "machine.h"
#include "memory.h"

#define FLOPPY_STATUS 0x41 /* of the BIOS data area */
#define HARD_STATUS 0x74
#define HARD_COUNT 0x75
#define EQUIPMENT 0x10
#define EQUIPMENT_FLOPPIES 0x00c1u

#define FILLER 0xf6 /* of a sector that was formatted, as the diskette parameters say */
#define CHUNK 32u   /* sectors that are transferred at once */

struct drive *int13_drive(const struct bios_call *call)
{
	return drives_find(call->machine->drives, call->d.l);
}

static bool is_floppy(const struct bios_call *call)
{
	return call->d.l < DRIVES_HARD;
}

enum disk_status int13_no_drive(const struct bios_call *call)
{
	return is_floppy(call) ? DISK_TIMEOUT : DISK_BAD_COMMAND;
}

enum bios_result int13_end(struct bios_call *call, enum disk_status status)
{
	*bios_byte(call->machine, is_floppy(call) ? FLOPPY_STATUS : HARD_STATUS) = (uint8_t)status;
	return status == DISK_OK ? bios_succeed(call) : bios_fail(call, (uint8_t)status);
}

static enum disk_status status_of(int result)
{
	return !result ? DISK_OK : result == -ERANGE ? DISK_NOT_FOUND : result == -EROFS ? DISK_WRITE_PROTECTED : DISK_CONTROLLER;
}

enum disk_status int13_transfer(struct bios_call *call, struct drive *drive, enum int13_transfer what,
				uint64_t sector, uint64_t count, uint64_t linear, uint64_t *done)
{
	uint8_t buf[CHUNK * SECTOR_SIZE];
	struct vcpu *vcpu = &call->machine->vcpu;

	for (*done = 0; *done < count;) {
		uint32_t n = count - *done < CHUNK ? (uint32_t)(count - *done) : CHUNK;
		size_t len = n * SECTOR_SIZE;
		int result;

		/* What is on the disk of a request that goes beyond its end is transferred. */
		if (sector >= drive->sectors)
			return DISK_NOT_FOUND;
		if (n > drive->sectors - sector) {
			n = (uint32_t)(drive->sectors - sector);
			len = n * SECTOR_SIZE;
		}
		if (what == INT13_WRITE) {
			if (memory_read(vcpu, linear, buf, len) != (ssize_t)len)
				return DISK_DMA_BOUNDARY;
			result = drive_write(drive, sector, n, buf);
		} else {
			result = drive_read(drive, sector, n, buf);
			if (!result && what == INT13_READ && memory_write(vcpu, linear, buf, len))
				return DISK_DMA_BOUNDARY;
		}
		if (result)
			return status_of(result);
		*done += n;
		sector += n;
		linear += len;
	}
	return DISK_OK;
}

static enum bios_result reset(struct bios_call *call)
{
	/* The diskettes' controller is there without any. */
	return int13_end(call, int13_drive(call) || is_floppy(call) ? DISK_OK : DISK_BAD_COMMAND);
}

static enum bios_result last_status(struct bios_call *call)
{
	uint8_t status = *bios_byte(call->machine, is_floppy(call) ? FLOPPY_STATUS : HARD_STATUS);

	call->a.h = status;
	bios_flag(call, FLAG_CARRY, status != DISK_OK);
	return BIOS_DONE;
}

/* The sector that CX and DH name. */
static enum disk_status find_sector(const struct bios_call *call, const struct drive *drive, uint64_t *sector)
{
	unsigned int cylinder = call->c.h | (call->c.l & 0xc0u) << 2, number = call->c.l & 0x3f;
	const struct geometry *geometry = &drive->geometry;
	/* A disk that may be a floppy has a floppy's tracks, but not for those who know it as a hard disk. */
	bool any_number = drive->kind == DISK_HARD && drive->disk->either;

	if (drive->kind == DISK_CD)
		return DISK_BAD_COMMAND;
	if (!number || (number > geometry->sectors && !any_number) || call->d.h >= geometry->heads)
		return drive->kind == DISK_FLOPPY ? DISK_NOT_FOUND : DISK_BAD_COMMAND;
	*sector = ((uint64_t)cylinder * geometry->heads + call->d.h) * geometry->sectors + number - 1;
	return *sector < drive->sectors ? DISK_OK : DISK_NOT_FOUND;
}

/* Beyond the end of a track a transfer goes on with the next one. AL is how many sectors went well. */
static enum bios_result transfer(struct bios_call *call, enum int13_transfer what)
{
	struct drive *drive = int13_drive(call);
	uint64_t sector, done = 0;
	enum disk_status status;

	if (!drive)
		status = int13_no_drive(call);
	else if (!call->a.l)
		status = DISK_BAD_COMMAND;
	else
		status = find_sector(call, drive, &sector);
	if (status == DISK_OK)
		status = int13_transfer(call, drive, what, sector, call->a.l, call->es_base + call->b.x, &done);
	call->a.l = (uint8_t)done;
	return int13_end(call, status);
}

static enum bios_result read_sectors(struct bios_call *call)
{
	return transfer(call, INT13_READ);
}

static enum bios_result write_sectors(struct bios_call *call)
{
	return transfer(call, INT13_WRITE);
}

static enum bios_result verify_sectors(struct bios_call *call)
{
	return transfer(call, INT13_VERIFY);
}

/* A diskette's track is filled; a hard disk has its format. */
static enum bios_result format_track(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);
	enum disk_status status = drive ? DISK_OK : int13_no_drive(call);
	uint8_t buf[SECTOR_SIZE];
	uint64_t sector;

	if (status == DISK_OK) {
		call->c.l = (uint8_t)((call->c.l & 0xc0) | 1);
		status = find_sector(call, drive, &sector);
	}
	memset(buf, FILLER, sizeof(buf));
	for (unsigned int i = 0; status == DISK_OK && drive->kind == DISK_FLOPPY && i < drive->geometry.sectors; i++)
		status = status_of(drive_write(drive, sector + i, 1, buf));
	return int13_end(call, status);
}

static enum bios_result parameters(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);
	const struct geometry *geometry;
	unsigned int last;

	if (!drive || drive->kind == DISK_CD)
		return int13_end(call, DISK_BAD_COMMAND);
	geometry = &drive->geometry;
	last = (geometry->cylinders > 1024 ? 1024 : geometry->cylinders) - 1;
	call->a.l = 0;
	call->c.h = (uint8_t)last;
	call->c.l = (uint8_t)((last >> 2 & 0xc0) | geometry->sectors);
	call->d.h = (uint8_t)(geometry->heads - 1);
	call->d.l = (uint8_t)drives_count(call->machine->drives, drive->kind);
	if (drive->kind == DISK_FLOPPY) {
		call->b.x = disk_floppy_type(geometry);
		call->es = ROM_SEGMENT;
		call->di.x = ROM_DISKETTE_TABLE;
	}
	*bios_byte(call->machine, drive->kind == DISK_FLOPPY ? FLOPPY_STATUS : HARD_STATUS) = DISK_OK;
	return bios_succeed(call);
}

/* Functions of the controller, which have nothing to do. */
static enum bios_result nothing(struct bios_call *call)
{
	return int13_end(call, int13_drive(call) ? DISK_OK : int13_no_drive(call));
}

static enum bios_result seek(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);
	uint64_t sector;

	return int13_end(call, drive ? find_sector(call, drive, &sector) : int13_no_drive(call));
}

static enum bios_result disk_type(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);

	int13_end(call, DISK_OK);
	if (drive && drive->kind == DISK_FLOPPY) {
		call->a.h = 1; /* a diskette, with nothing that tells that it was changed */
	} else if (drive && drive->kind == DISK_HARD) {
		uint64_t sectors = drive->sectors > UINT32_MAX ? UINT32_MAX : drive->sectors;

		call->a.h = 3;
		call->c.x = (uint16_t)(sectors >> 16);
		call->d.x = (uint16_t)sectors;
	}
	return BIOS_DONE;
}

static enum bios_result disk_change(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);

	return int13_end(call, !drive ? int13_no_drive(call) : drive->kind == DISK_FLOPPY ? DISK_OK : DISK_BAD_COMMAND);
}

static enum bios_result set_media(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);
	unsigned int last = call->c.h | (call->c.l & 0xc0u) << 2;

	if (!drive || drive->kind != DISK_FLOPPY)
		return int13_end(call, drive ? DISK_BAD_COMMAND : int13_no_drive(call));
	if (last + 1 != drive->geometry.cylinders || (call->c.l & 0x3f) != drive->geometry.sectors)
		return int13_end(call, DISK_BAD_MEDIA);
	call->es = ROM_SEGMENT;
	call->di.x = ROM_DISKETTE_TABLE;
	return int13_end(call, DISK_OK);
}

static enum bios_result unknown(struct bios_call *call)
{
	int13_end(call, DISK_BAD_COMMAND);
	return BIOS_UNKNOWN;
}

const struct bios_service int13_services[] = {
	{0x00, "reset disks", reset},
	{0x01, "status of the last operation", last_status},
	{0x02, "read sectors", read_sectors},
	{0x03, "write sectors", write_sectors},
	{0x04, "verify sectors", verify_sectors},
	{0x05, "format track", format_track},
	{0x08, "drive parameters", parameters},
	{0x09, "set drive parameters", nothing},
	{0x0c, "seek", seek},
	{0x0d, "reset hard disks", nothing},
	{0x10, "test drive ready", nothing},
	{0x11, "recalibrate", nothing},
	{0x14, "controller diagnostic", nothing},
	{0x15, "disk type", disk_type},
	{0x16, "disk change", disk_change},
	{0x17, "set diskette type", disk_change},
	{0x18, "set media type", set_media},
	{0x41, "check extensions", int13_check_extensions},
	{0x42, "extended read", int13_extended_read},
	{0x43, "extended write", int13_extended_write},
	{0x44, "extended verify", int13_extended_verify},
	{0x45, "lock drive", int13_lock},
	{0x46, "eject", int13_eject},
	{0x47, "extended seek", int13_extended_seek},
	{0x48, "extended drive parameters", int13_extended_parameters},
	{0x49, "extended disk change", int13_media_change},
	{0x4b, "CD emulation status", int13_emulation},
	{BIOS_ANY, "unknown", unknown},
	{0},
};

/* A hard disk's parameters as INT 41h and INT 46h point to them. */
static void put_hard_table(uint8_t *table, const struct drive *drive)
{
	const struct geometry *geometry = &drive->geometry;

	memset(table, 0, ROM_HARD_DISK_TABLE_SIZE);
	table[0] = (uint8_t)geometry->cylinders;
	table[1] = (uint8_t)(geometry->cylinders >> 8);
	table[2] = (uint8_t)geometry->heads;
	table[5] = table[6] = 0xff;			/* no write precompensation */
	table[8] = geometry->heads > 8 ? 0xc8 : 0xc0; /* no retries */
	table[12] = table[0];
	table[13] = table[1];
	table[14] = (uint8_t)geometry->sectors;
}

void bios_tell_drives(struct machine *machine)
{
	struct drives *drives = machine->drives;
	unsigned int floppies = drives ? drives_count(drives, DISK_FLOPPY) : 0;
	uint16_t equipment = bios_word(machine, EQUIPMENT) & (uint16_t)~EQUIPMENT_FLOPPIES;

	if (floppies)
		equipment |= (uint16_t)(1 | (floppies - 1) << 6);
	bios_set_word(machine, EQUIPMENT, equipment);
	*bios_byte(machine, HARD_COUNT) = (uint8_t)(drives ? drives_count(drives, DISK_HARD) : 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct drive *drive = drives_find(drives, (uint8_t)(DRIVES_HARD + i));

		if (drive)
			put_hard_table(vm_host(&machine->vm, ROM_BASE + ROM_HARD_DISK_TABLES + i * ROM_HARD_DISK_TABLE_SIZE, NULL),
				       drive);
	}
}
