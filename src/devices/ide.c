#define _GNU_SOURCE
#include "devices/ide.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "devices/devices.h"
#include "devices/lines.h"
#include "machine.h"

#define LATENCY (20 * CLOCK_MICROSECOND) /* so that a driver that sets out to wait is in time for the interrupt */

#define DEVICE_FIXED 0xa0 /* bits that read as ones */
#define DEVICE_SECOND 0x10
#define DEVICE_LBA 0x40

#define CONTROL_HIGH_ORDER 0x80 /* the registers' values before the last are read */
#define CONTROL_RESET 0x04
#define CONTROL_NO_INTERRUPT 0x02

#define STATUS_IDLE (IDE_STATUS_READY | IDE_STATUS_SEEK_DONE)

static const uint16_t bases[IDE_CHANNELS] = {IDE_PRIMARY, IDE_SECONDARY};
static const uint8_t lines[IDE_CHANNELS] = {IRQ_DISK, IRQ_DISK + 1};

static unsigned int selected(const struct ide_channel *channel)
{
	return !!(channel->registers[IDE_DEVICE] & DEVICE_SECOND);
}

struct ide_device *ide_active(struct ide_channel *channel)
{
	return &channel->device[channel->active];
}

static bool is_cd(const struct ide_device *device)
{
	return device->drive.kind == DISK_CD;
}

/* The interrupt line follows from the channel's state. */
static void set_line(struct machine *machine, struct ide_channel *channel)
{
	line_set(machine, lines[channel - machine->ide.channel],
		 channel->interrupting && !(channel->control & CONTROL_NO_INTERRUPT));
}

static void interrupt(struct machine *machine, struct ide_channel *channel, bool on)
{
	channel->interrupting = on;
	set_line(machine, channel);
}

void ide_finish(struct machine *machine, struct ide_channel *channel, uint8_t status)
{
	channel->status = (uint8_t)(STATUS_IDLE | status);
	channel->next = IDE_NOTHING;
	interrupt(machine, channel, true);
}

void ide_fail(struct machine *machine, struct ide_channel *channel, uint8_t error)
{
	channel->error = error;
	channel->left = 0;
	ide_finish(machine, channel, IDE_STATUS_ERROR);
}

void ide_later(struct machine *machine, struct ide_channel *channel, enum ide_next next)
{
	channel->status = IDE_STATUS_BUSY;
	channel->next = next;
	channel->when = machine->clock.now + LATENCY;
	clock_plan(machine);
}

void ide_offer(struct ide_channel *channel, uint32_t len, bool is_write)
{
	channel->at = 0;
	channel->filled = len;
	channel->is_write = is_write;
}

/* What identifies a device after a reset. */
static void sign(struct ide_channel *channel)
{
	const struct ide_device *device = &channel->device[selected(channel)];

	channel->error = 1; /* no error was found */
	channel->registers[IDE_COUNT] = channel->registers[IDE_LOW] = 1;
	channel->registers[IDE_MIDDLE] = is_cd(device) ? 0x14 : 0;
	channel->registers[IDE_HIGH] = is_cd(device) ? 0xeb : 0;
	channel->status = is_cd(device) ? 0 : STATUS_IDLE;
}

static void reset_channel(struct machine *machine, struct ide_channel *channel)
{
	channel->next = IDE_NOTHING;
	channel->at = channel->filled = channel->left = 0;
	channel->registers[IDE_DEVICE] = 0;
	for (unsigned int i = 0; i < 2; i++)
		channel->device[i].heads = channel->device[i].sectors = channel->device[i].multiple = 0;
	sign(channel);
	interrupt(machine, channel, false);
}

static uint16_t heads_of(const struct ide_device *device)
{
	/* More than 16 there are only for INT 13h. */
	return device->heads ? device->heads : device->drive.geometry.heads <= 16 ? device->drive.geometry.heads : 16;
}

static uint16_t sectors_of(const struct ide_device *device)
{
	return device->heads			       ? device->sectors
	       : device->drive.geometry.heads <= 16 ? device->drive.geometry.sectors
						       : 63;
}

/* The sector that the registers name, or all ones. */
static uint64_t find_sector(const struct ide_channel *channel, const struct ide_device *device, bool extended)
{
	const uint8_t *now = channel->registers, *before = channel->before;
	uint64_t low = now[IDE_LOW] | (uint32_t)now[IDE_MIDDLE] << 8 | (uint32_t)now[IDE_HIGH] << 16;
	uint32_t cylinder = now[IDE_MIDDLE] | (uint32_t)now[IDE_HIGH] << 8, head = now[IDE_DEVICE] & 0xf;

	if (extended)
		return low | (uint64_t)before[IDE_LOW] << 24 | (uint64_t)before[IDE_MIDDLE] << 32 |
		       (uint64_t)before[IDE_HIGH] << 40;
	if (now[IDE_DEVICE] & DEVICE_LBA)
		return low | (uint64_t)head << 24;
	if (!now[IDE_LOW] || now[IDE_LOW] > sectors_of(device) || head >= heads_of(device))
		return UINT64_MAX;
	return ((uint64_t)cylinder * heads_of(device) + head) * sectors_of(device) + now[IDE_LOW] - 1;
}

static uint32_t find_count(const struct ide_channel *channel, bool extended)
{
	uint32_t count = channel->registers[IDE_COUNT] | (extended ? (uint32_t)channel->before[IDE_COUNT] << 8 : 0);

	return count ? count : extended ? 0x10000 : 0x100;
}

/* How far a command has come, or where it has failed, is to be read in the registers. */
static void tell_sector(struct ide_channel *channel)
{
	const struct ide_device *device = ide_active(channel);
	uint64_t sector = channel->sector;
	uint8_t *now = channel->registers;

	if (now[IDE_DEVICE] & DEVICE_LBA) {
		now[IDE_LOW] = (uint8_t)sector;
		now[IDE_MIDDLE] = (uint8_t)(sector >> 8);
		now[IDE_HIGH] = (uint8_t)(sector >> 16);
		now[IDE_DEVICE] = (uint8_t)((now[IDE_DEVICE] & 0xf0) | (sector >> 24 & 0xf));
	} else {
		uint64_t track = sector / sectors_of(device);

		now[IDE_LOW] = (uint8_t)(sector % sectors_of(device) + 1);
		now[IDE_MIDDLE] = (uint8_t)(track / heads_of(device));
		now[IDE_HIGH] = (uint8_t)(track / heads_of(device) >> 8);
		now[IDE_DEVICE] = (uint8_t)((now[IDE_DEVICE] & 0xf0) | track % heads_of(device));
	}
	now[IDE_COUNT] = (uint8_t)channel->left;
}

static uint32_t next_block(const struct ide_channel *channel)
{
	return channel->left < channel->block ? channel->left : channel->block;
}

static void read_block(struct machine *machine, struct ide_channel *channel)
{
	uint32_t count = next_block(channel);
	int result = drive_read(&ide_active(channel)->drive, channel->sector, count, channel->buffer);

	if (result) {
		ide_fail(machine, channel, result == -ERANGE ? IDE_ERROR_NOT_FOUND : IDE_ERROR_UNCORRECTABLE);
		return;
	}
	channel->sector += count;
	channel->left -= count;
	tell_sector(channel);
	ide_offer(channel, count * SECTOR_SIZE, false);
	ide_finish(machine, channel, IDE_STATUS_DATA);
}

static void want_block(struct ide_channel *channel)
{
	ide_offer(channel, next_block(channel) * SECTOR_SIZE, true);
	channel->status = STATUS_IDLE | IDE_STATUS_DATA;
}

static void write_block(struct machine *machine, struct ide_channel *channel)
{
	uint32_t count = channel->filled / SECTOR_SIZE;
	int result = drive_write(&ide_active(channel)->drive, channel->sector, count, channel->buffer);

	if (result) {
		ide_fail(machine, channel, result == -ERANGE ? IDE_ERROR_NOT_FOUND : IDE_ERROR_ABORT);
		return;
	}
	channel->sector += count;
	channel->left -= count;
	tell_sector(channel);
	ide_finish(machine, channel, 0);
	if (channel->left)
		want_block(channel);
}

/* All of the buffer has been read, or written. */
static void buffer_done(struct machine *machine, struct ide_channel *channel)
{
	bool is_write = channel->is_write;

	if (channel->is_packet)
		ide_later(machine, channel, is_write ? IDE_PACKET : IDE_PACKET_DATA);
	else if (is_write)
		ide_later(machine, channel, IDE_WRITTEN);
	else if (channel->left)
		ide_later(machine, channel, IDE_READ);
	else
		channel->status = STATUS_IDLE;
}

static void data(struct machine *machine, struct ide_channel *channel, const struct port_access *access)
{
	uint32_t there = channel->filled - channel->at, len = access->size < there ? access->size : there;

	if (!access->write)
		memset(access->data, 0xff, access->size);
	if (!(channel->status & IDE_STATUS_DATA) || access->write != channel->is_write)
		return;
	if (access->write)
		memcpy(channel->buffer + channel->at, access->data, len);
	else
		memcpy(access->data, channel->buffer + channel->at, len);
	channel->at += len;
	if (channel->at == channel->filled)
		buffer_done(machine, channel);
}

enum form { FORM_NONE, FORM_BITS28, FORM_BITS48 };

static void read_sectors(struct machine *machine, struct ide_channel *channel)
{
	channel->block = 1;
	ide_later(machine, channel, IDE_READ);
}

static void read_multiple(struct machine *machine, struct ide_channel *channel)
{
	channel->block = ide_active(channel)->multiple;
	if (channel->block)
		ide_later(machine, channel, IDE_READ);
	else
		ide_fail(machine, channel, IDE_ERROR_ABORT);
}

static void write_sectors(struct machine *machine, struct ide_channel *channel)
{
	(void)machine;
	channel->block = 1;
	want_block(channel);
}

static void write_multiple(struct machine *machine, struct ide_channel *channel)
{
	channel->block = ide_active(channel)->multiple;
	if (channel->block)
		want_block(channel);
	else
		ide_fail(machine, channel, IDE_ERROR_ABORT);
}

/* VERIFY and SEEK: the sectors are there. */
static void check_sectors(struct machine *machine, struct ide_channel *channel)
{
	const struct drive *drive = &ide_active(channel)->drive;

	if (channel->sector >= drive->sectors || channel->left > drive->sectors - channel->sector)
		ide_fail(machine, channel, IDE_ERROR_NOT_FOUND);
	else
		ide_later(machine, channel, IDE_DONE);
}

static void seek(struct machine *machine, struct ide_channel *channel)
{
	channel->left = 1;
	check_sectors(machine, channel);
}

static void nothing(struct machine *machine, struct ide_channel *channel)
{
	ide_later(machine, channel, IDE_DONE);
}

static void check_power(struct machine *machine, struct ide_channel *channel)
{
	channel->registers[IDE_COUNT] = 0xff; /* active */
	ide_later(machine, channel, IDE_DONE);
}

static void diagnose(struct machine *machine, struct ide_channel *channel)
{
	channel->registers[IDE_DEVICE] = 0;
	sign(channel);
	ide_later(machine, channel, IDE_DONE);
}

static void set_geometry(struct machine *machine, struct ide_channel *channel)
{
	struct ide_device *device = ide_active(channel);

	if (!channel->registers[IDE_COUNT]) {
		ide_fail(machine, channel, IDE_ERROR_ABORT);
		return;
	}
	device->heads = (uint16_t)((channel->registers[IDE_DEVICE] & 0xf) + 1);
	device->sectors = channel->registers[IDE_COUNT];
	ide_later(machine, channel, IDE_DONE);
}

static void set_multiple(struct machine *machine, struct ide_channel *channel)
{
	uint8_t count = channel->registers[IDE_COUNT];

	if (count > IDE_BLOCK_MAX || count & (count - 1)) {
		ide_fail(machine, channel, IDE_ERROR_ABORT);
		return;
	}
	ide_active(channel)->multiple = count;
	ide_later(machine, channel, IDE_DONE);
}

#define SET_TRANSFER_MODE 0x03

static void set_features(struct machine *machine, struct ide_channel *channel)
{
	static const uint8_t known[] = {0x02, 0x82, 0x55, 0xaa, 0x66, 0xcc}; /* caches, and defaults */
	uint8_t what = channel->registers[IDE_FEATURES];

	/* Of the transfer modes those without DMA. */
	if (memchr(known, what, sizeof(known)) ||
	    (what == SET_TRANSFER_MODE && channel->registers[IDE_COUNT] < 0x10))
		ide_later(machine, channel, IDE_DONE);
	else
		ide_fail(machine, channel, IDE_ERROR_ABORT);
}

static void identify(struct machine *machine, struct ide_channel *channel)
{
	ide_identify(ide_active(channel), channel->buffer);
	ide_offer(channel, SECTOR_SIZE, false);
	channel->left = 0;
	ide_finish(machine, channel, IDE_STATUS_DATA);
}

/* The buffer takes the packet, of 12 bytes. */
static void packet(struct machine *machine, struct ide_channel *channel)
{
	(void)machine;
	channel->is_packet = true;
	channel->registers[IDE_COUNT] = 1; /* it is a command that is to come */
	ide_offer(channel, 12, true);
	channel->status = STATUS_IDLE | IDE_STATUS_DATA;
}

static void reset_device(struct machine *machine, struct ide_channel *channel)
{
	(void)machine;
	sign(channel);
}

enum { FOR_DISKS = 1, FOR_CDS = 2, FOR_ALL = 3 };

/* By number; ATA/ATAPI-6, 8. */
static const struct {
	uint8_t first, last;
	uint8_t whose;
	enum form form; /* FORM_NONE: the registers do not name sectors */
	void (*begin)(struct machine *machine, struct ide_channel *channel);
} commands[] = {
	{0x08, 0x08, FOR_CDS, FORM_NONE, reset_device},
	{0x10, 0x1f, FOR_DISKS, FORM_NONE, nothing}, /* RECALIBRATE */
	{0x20, 0x21, FOR_DISKS, FORM_BITS28, read_sectors},
	{0x24, 0x24, FOR_DISKS, FORM_BITS48, read_sectors},
	{0x29, 0x29, FOR_DISKS, FORM_BITS48, read_multiple},
	{0x30, 0x31, FOR_DISKS, FORM_BITS28, write_sectors},
	{0x34, 0x34, FOR_DISKS, FORM_BITS48, write_sectors},
	{0x39, 0x39, FOR_DISKS, FORM_BITS48, write_multiple},
	{0x40, 0x41, FOR_DISKS, FORM_BITS28, check_sectors},
	{0x42, 0x42, FOR_DISKS, FORM_BITS48, check_sectors},
	{0x70, 0x7f, FOR_DISKS, FORM_BITS28, seek},
	{0x90, 0x90, FOR_ALL, FORM_NONE, diagnose},
	{0x91, 0x91, FOR_DISKS, FORM_NONE, set_geometry},
	{0xa0, 0xa0, FOR_CDS, FORM_NONE, packet},
	{0xa1, 0xa1, FOR_CDS, FORM_NONE, identify},
	{0xc4, 0xc4, FOR_DISKS, FORM_BITS28, read_multiple},
	{0xc5, 0xc5, FOR_DISKS, FORM_BITS28, write_multiple},
	{0xc6, 0xc6, FOR_DISKS, FORM_NONE, set_multiple},
	{0xe0, 0xe3, FOR_ALL, FORM_NONE, nothing}, /* STANDBY and IDLE */
	{0xe5, 0xe5, FOR_ALL, FORM_NONE, check_power},
	{0xe7, 0xe7, FOR_ALL, FORM_NONE, nothing}, /* FLUSH CACHE */
	{0xea, 0xea, FOR_DISKS, FORM_NONE, nothing}, /* FLUSH CACHE EXT */
	{0xec, 0xec, FOR_DISKS, FORM_NONE, identify},
	{0xef, 0xef, FOR_ALL, FORM_NONE, set_features},
};

static void command(struct machine *machine, struct ide_channel *channel, uint8_t number)
{
	const struct ide_device *device = &channel->device[selected(channel)];

	if (!device->drive.disk || channel->status & IDE_STATUS_BUSY)
		return;
	channel->active = selected(channel);
	channel->error = 0;
	channel->is_packet = false;
	interrupt(machine, channel, false);
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (number < commands[i].first || number > commands[i].last ||
		    !(commands[i].whose & (is_cd(device) ? FOR_CDS : FOR_DISKS)))
			continue;
		if (commands[i].form != FORM_NONE) {
			channel->sector = find_sector(channel, device, commands[i].form == FORM_BITS48);
			channel->left = find_count(channel, commands[i].form == FORM_BITS48);
		}
		commands[i].begin(machine, channel);
		return;
	}
	/* A CD tells what it is by its refusal of IDENTIFY DEVICE. */
	if (is_cd(device) && number == 0xec)
		sign(channel);
	ide_fail(machine, channel, IDE_ERROR_ABORT);
}

static void set_control(struct machine *machine, struct ide_channel *channel, uint8_t value)
{
	bool was_reset = channel->control & CONTROL_RESET;

	channel->control = value;
	if (value & CONTROL_RESET) {
		channel->status = IDE_STATUS_BUSY;
		channel->next = IDE_NOTHING;
	} else if (was_reset) {
		reset_channel(machine, channel);
	}
	set_line(machine, channel);
}

static uint8_t read_register(struct machine *machine, struct ide_channel *channel, unsigned int number)
{
	/* A device that is not there answers with zeros, for which the other one sees. */
	if (!channel->device[selected(channel)].drive.disk && number != IDE_DEVICE)
		return 0;
	switch (number) {
	case IDE_CONTROL:
		return channel->status;
	case IDE_COMMAND:
		interrupt(machine, channel, false);
		return channel->status;
	case IDE_FEATURES:
		return channel->error;
	case IDE_DEVICE:
		return channel->registers[number] | DEVICE_FIXED;
	default:
		return channel->control & CONTROL_HIGH_ORDER ? channel->before[number] : channel->registers[number];
	}
}

static void write_register(struct machine *machine, struct ide_channel *channel, unsigned int number, uint8_t value)
{
	if (number == IDE_CONTROL) {
		set_control(machine, channel, value);
		return;
	}
	channel->control &= (uint8_t)~CONTROL_HIGH_ORDER;
	if (channel->status & IDE_STATUS_BUSY)
		return;
	if (number == IDE_COMMAND) {
		command(machine, channel, value);
		return;
	}
	channel->before[number] = channel->registers[number];
	channel->registers[number] = value;
}

void ide_access(struct machine *machine, const struct port_access *access)
{
	struct ide_channel *channel = NULL;
	unsigned int number = 0;

	for (unsigned int i = 0; i < IDE_CHANNELS; i++) {
		number = access->port - bases[i];
		channel = &machine->ide.channel[i];
		if (number <= IDE_COMMAND || number == IDE_CONTROL)
			break;
	}
	if (number == IDE_DATA)
		data(machine, channel, access);
	else if (access->write)
		write_register(machine, channel, number, access->data[0]);
	else
		access->data[0] = read_register(machine, channel, number);
}

/* Hard disks begin with the first channel's, CDs with the second's. */
void ide_reset(struct machine *machine)
{
	const struct drives *drives = machine->drives;

	/* All but the buffers, of which nothing is to be read before something was put there. */
	for (unsigned int i = 0; i < IDE_CHANNELS; i++)
		memset(&machine->ide.channel[i], 0, offsetof(struct ide_channel, buffer));
	for (int cds = 1; cds >= 0; cds--) {
		unsigned int next = cds ? 2 : 0;

		for (size_t i = 0; drives && i < drives->drive_count; i++) {
			const struct drive *drive = &drives->list[i];

			if (drive->kind != (cds ? DISK_CD : DISK_HARD))
				continue;
			while (next < 4 && machine->ide.channel[next / 2].device[next % 2].drive.disk)
				next++;
			if (next < 4)
				machine->ide.channel[next / 2].device[next % 2].drive = *drive;
		}
	}
	for (unsigned int i = 0; i < IDE_CHANNELS; i++)
		reset_channel(machine, &machine->ide.channel[i]);
}

uint64_t ide_next(const struct machine *machine)
{
	uint64_t next = CLOCK_NEVER;

	for (unsigned int i = 0; i < IDE_CHANNELS; i++) {
		const struct ide_channel *channel = &machine->ide.channel[i];

		if (channel->next != IDE_NOTHING && channel->when < next)
			next = channel->when;
	}
	return next;
}

void ide_update(struct machine *machine)
{
	for (unsigned int i = 0; i < IDE_CHANNELS; i++) {
		struct ide_channel *channel = &machine->ide.channel[i];
		enum ide_next next = channel->next;

		if (next == IDE_NOTHING || channel->when > machine->clock.now)
			continue;
		channel->next = IDE_NOTHING;
		switch (next) {
		case IDE_READ:
			read_block(machine, channel);
			break;
		case IDE_WRITTEN:
			write_block(machine, channel);
			break;
		case IDE_PACKET:
			ide_packet(machine, channel);
			break;
		case IDE_PACKET_DATA:
			ide_packet_data(machine, channel);
			break;
		default:
			ide_finish(machine, channel, 0);
			break;
		}
	}
}
