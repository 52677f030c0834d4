/*
 * INT 13h AH=41h to 4Bh: disks by block numbers ("BIOS Enhanced Disk Drive Specification", Phoenix), and CDs
 * ("El Torito"). Diskettes take them, too, although AH=41h denies it: nothing is lost by that.
 */
#include <string.h>

#include "bios/int13.h"
#include "machine.h"
#include "memory.h"

#define VERSION 0x30 /* of the specification, 3.0 */
#define HAS_ACCESS 0x0001u
#define HAS_PARAMETERS 0x0004u

/* The address packet at DS:SI. */
struct packet {
	uint8_t size;
	uint8_t reserved;
	uint16_t count;
	uint16_t offset, segment;
	uint64_t block;
	uint64_t linear; /* if the packet is that long, and segment and offset are ffff */
} __attribute__((packed));
#define PACKET_SHORT 16u

/* AH=48h. */
struct parameters {
	uint16_t size;
	uint16_t flags;
	uint32_t cylinders, heads, track;
	uint64_t blocks;
	uint16_t block_size;
	uint32_t configuration;
} __attribute__((packed));
#define PARAMETERS_SHORT 26u
#define PARAMETERS_HAVE_GEOMETRY 0x0002u
#define PARAMETERS_REMOVABLE 0x0004u
#define NO_CONFIGURATION 0xffffffffu

/* AH=4Bh. */
struct emulation_packet {
	uint8_t size;
	uint8_t media;
	uint8_t drive;
	uint8_t controller;
	uint32_t block;
	uint16_t device;
	uint16_t cache_segment;
	uint16_t load_segment;
	uint16_t load_sectors;
	uint8_t cylinder, sector, head;
} __attribute__((packed));

static uint64_t at_si(const struct bios_call *call)
{
	return call->ds_base + call->si.x;
}

static unsigned int block_sectors(const struct drive *drive)
{
	return drive->kind == DISK_CD ? CD_SECTORS : 1;
}

static enum disk_status read_packet(const struct bios_call *call, struct packet *packet)
{
	ssize_t len = memory_read(&call->machine->vcpu, at_si(call), packet, sizeof(*packet));

	return len < (ssize_t)PACKET_SHORT || packet->size < PACKET_SHORT ? DISK_BAD_COMMAND : DISK_OK;
}

static uint64_t packet_linear(const struct packet *packet)
{
	if (packet->size >= sizeof(*packet) && packet->segment == 0xffff && packet->offset == 0xffff)
		return packet->linear;
	return ((uint32_t)packet->segment << 4) + packet->offset;
}

static enum bios_result transfer(struct bios_call *call, enum int13_transfer what)
{
	struct drive *drive = int13_drive(call);
	struct packet packet = {0};
	enum disk_status status = drive ? read_packet(call, &packet) : int13_no_drive(call);
	uint64_t done = 0;

	if (status != DISK_OK)
		return int13_end(call, status);
	if (packet.block > UINT64_MAX / CD_SECTORS) /* and sectors are counted from here on */
		status = DISK_NOT_FOUND;
	else
		status = int13_transfer(call, drive, what, packet.block * block_sectors(drive),
					(uint64_t)packet.count * block_sectors(drive), packet_linear(&packet), &done);
	if (status != DISK_OK) {
		packet.count = (uint16_t)(done / block_sectors(drive));
		memory_write(&call->machine->vcpu, at_si(call) + 2, &packet.count, sizeof(packet.count));
	}
	return int13_end(call, status);
}

enum bios_result int13_check_extensions(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);

	if (!drive || drive->kind == DISK_FLOPPY || call->b.x != 0x55aa)
		return int13_end(call, DISK_BAD_COMMAND);
	int13_end(call, DISK_OK);
	call->a.h = VERSION;
	call->b.x = 0xaa55;
	call->c.x = HAS_ACCESS | HAS_PARAMETERS;
	return BIOS_DONE;
}

enum bios_result int13_extended_read(struct bios_call *call)
{
	return transfer(call, INT13_READ);
}

enum bios_result int13_extended_write(struct bios_call *call)
{
	return transfer(call, INT13_WRITE);
}

enum bios_result int13_extended_verify(struct bios_call *call)
{
	return transfer(call, INT13_VERIFY);
}

enum bios_result int13_extended_seek(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);
	struct packet packet = {0};
	enum disk_status status = drive ? read_packet(call, &packet) : int13_no_drive(call);

	if (status == DISK_OK && packet.block >= drive->sectors / block_sectors(drive))
		status = DISK_NOT_FOUND;
	return int13_end(call, status);
}

/* Nobody can take a disk out. */
enum bios_result int13_lock(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);

	call->a.l = 0; /* not locked */
	return int13_end(call, drive && drive->kind == DISK_CD ? DISK_OK : DISK_BAD_COMMAND);
}

enum bios_result int13_eject(struct bios_call *call)
{
	return int13_end(call, int13_drive(call) ? DISK_NOT_REMOVABLE : int13_no_drive(call));
}

enum bios_result int13_media_change(struct bios_call *call)
{
	return int13_end(call, int13_drive(call) ? DISK_OK : int13_no_drive(call));
}

enum bios_result int13_extended_parameters(struct bios_call *call)
{
	struct drive *drive = int13_drive(call);
	struct parameters parameters = {.configuration = NO_CONFIGURATION};
	uint16_t size;

	if (!drive)
		return int13_end(call, int13_no_drive(call));
	if (memory_read(&call->machine->vcpu, at_si(call), &size, sizeof(size)) != sizeof(size) ||
	    size < PARAMETERS_SHORT)
		return int13_end(call, DISK_BAD_COMMAND);
	parameters.size = size < sizeof(parameters) ? PARAMETERS_SHORT : sizeof(parameters);
	parameters.blocks = drive->sectors / block_sectors(drive);
	parameters.block_size = (uint16_t)(SECTOR_SIZE * block_sectors(drive));
	if (drive->kind == DISK_CD) {
		parameters.flags = PARAMETERS_REMOVABLE;
		parameters.cylinders = parameters.heads = parameters.track = UINT32_MAX;
	} else {
		parameters.flags = PARAMETERS_HAVE_GEOMETRY;
		parameters.cylinders = drive->geometry.cylinders;
		parameters.heads = drive->geometry.heads;
		parameters.track = drive->geometry.sectors;
	}
	if (memory_write(&call->machine->vcpu, at_si(call), &parameters, parameters.size))
		return int13_end(call, DISK_BAD_COMMAND);
	return int13_end(call, DISK_OK);
}

/* AL=00h ends the emulation, AL=01h only tells of it. */
enum bios_result int13_emulation(struct bios_call *call)
{
	struct drives *drives = call->machine->drives;
	struct emulation_packet packet = {.size = sizeof(packet)};
	const struct emulation *emulation;

	if (!drives || !drives->from_cd || call->a.l > 1)
		return int13_end(call, DISK_BAD_COMMAND);
	emulation = &drives->emulation;
	packet.media = emulation->media;
	packet.drive = emulation->media ? emulation->drive.kind == DISK_HARD ? DRIVES_HARD : DRIVES_FLOPPY : DRIVES_CD;
	packet.block = emulation->block;
	packet.load_segment = emulation->load_segment;
	packet.load_sectors = emulation->load_sectors;
	if (emulation->media) {
		const struct geometry *geometry = &emulation->drive.geometry;

		packet.cylinder = (uint8_t)(geometry->cylinders - 1);
		packet.sector = (uint8_t)(((geometry->cylinders - 1) >> 2 & 0xc0) | geometry->sectors);
		packet.head = (uint8_t)(geometry->heads - 1);
	}
	if (memory_write(&call->machine->vcpu, at_si(call), &packet, sizeof(packet)))
		return int13_end(call, DISK_BAD_COMMAND);
	if (!call->a.l && emulation->media) {
		drives->emulation.media = 0;
		drives_assign(drives);
		bios_tell_drives(call->machine);
	}
	return int13_end(call, DISK_OK);
}
