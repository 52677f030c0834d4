/* A CD behind an ATA channel: the commands of ATAPI (SFF-8020i, and MMC after it) that readers use. */
#include <errno.h>
#include <string.h>

#include "devices/devices.h"
#include "devices/ide.h"
#include "machine.h"

#define BLOCK_SIZE (CD_SECTORS * SECTOR_SIZE)

/* In the count register: what the data is. */
#define PHASE_TO_HOST 2
#define PHASE_DONE 3

/* Sense keys, and what is added to them. */
#define SENSE_NONE 0x00
#define SENSE_MEDIUM_ERROR 0x03
#define SENSE_ILLEGAL_REQUEST 0x05
#define CODE_UNRECOVERED_READ 0x11
#define CODE_INVALID_COMMAND 0x20
#define CODE_OUT_OF_RANGE 0x21
#define CODE_INVALID_FIELD 0x24

static uint32_t get_long(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_long(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint16_t get_word(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void fail(struct machine *machine, struct ide_channel *channel, uint8_t key, uint8_t code)
{
	ide_active(channel)->sense = key;
	ide_active(channel)->sense_code = code;
	channel->registers[IDE_COUNT] = PHASE_DONE;
	ide_fail(machine, channel, (uint8_t)(key << 4 | IDE_ERROR_ABORT));
}

static void done(struct machine *machine, struct ide_channel *channel)
{
	channel->registers[IDE_COUNT] = PHASE_DONE;
	ide_finish(machine, channel, 0);
}

/* `len` bytes of the buffer go to the guest, which has said how many it takes at once. */
static void give(struct machine *machine, struct ide_channel *channel, uint32_t len)
{
	channel->registers[IDE_COUNT] = PHASE_TO_HOST;
	channel->registers[IDE_MIDDLE] = (uint8_t)len;
	channel->registers[IDE_HIGH] = (uint8_t)(len >> 8);
	ide_offer(channel, len, false);
	ide_finish(machine, channel, IDE_STATUS_DATA);
}

/* An answer of `len` bytes, of which the guest wants `wanted` at most. */
static void answer(struct machine *machine, struct ide_channel *channel, uint32_t len, uint32_t wanted)
{
	channel->left = 0;
	if (wanted < len)
		len = wanted;
	if (len)
		give(machine, channel, len);
	else
		done(machine, channel);
}

void ide_packet_data(struct machine *machine, struct ide_channel *channel)
{
	uint32_t limit = channel->block, len;
	int result;

	if (!channel->left) {
		done(machine, channel);
		return;
	}
	/* Blocks of 2048 bytes, or parts of 512 of them for a guest that takes less at once. */
	len = channel->left < limit ? channel->left : limit;
	result = drive_read(&ide_active(channel)->drive, channel->sector, len / SECTOR_SIZE, channel->buffer);
	if (result) {
		fail(machine, channel, SENSE_MEDIUM_ERROR, CODE_UNRECOVERED_READ);
		return;
	}
	channel->sector += len / SECTOR_SIZE;
	channel->left -= len;
	give(machine, channel, len);
}

static void read_blocks(struct machine *machine, struct ide_channel *channel, uint32_t block, uint32_t count)
{
	const struct drive *drive = &ide_active(channel)->drive;
	uint32_t limit = channel->registers[IDE_MIDDLE] | (uint32_t)channel->registers[IDE_HIGH] << 8;
	uint64_t blocks = drive->sectors / CD_SECTORS;

	if (block > blocks || count > blocks - block) {
		fail(machine, channel, SENSE_ILLEGAL_REQUEST, CODE_OUT_OF_RANGE);
		return;
	}
	if (count > UINT32_MAX / BLOCK_SIZE || (limit && limit < SECTOR_SIZE)) {
		fail(machine, channel, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD);
		return;
	}
	limit = !limit || limit > BLOCK_SIZE ? BLOCK_SIZE : limit / SECTOR_SIZE * SECTOR_SIZE;
	channel->sector = (uint64_t)block * CD_SECTORS;
	channel->left = count * BLOCK_SIZE;
	channel->block = limit;
	ide_packet_data(machine, channel);
}

static void ready(struct machine *machine, struct ide_channel *channel, const uint8_t *packet)
{
	(void)packet;
	done(machine, channel);
}

static void request_sense(struct machine *machine, struct ide_channel *channel, const uint8_t *packet)
{
	struct ide_device *device = ide_active(channel);
	uint8_t wanted = packet[4];

	memset(channel->buffer, 0, 18);
	channel->buffer[0] = 0x70;
	channel->buffer[2] = device->sense;
	channel->buffer[7] = 10;
	channel->buffer[12] = device->sense_code;
	device->sense = device->sense_code = SENSE_NONE;
	answer(machine, channel, 18, wanted);
}

static void inquiry(struct machine *machine, struct ide_channel *channel, const uint8_t *packet)
{
	static const char names[] = "KVMGDB  CD              1.0 ";
	uint8_t wanted = packet[4];

	memset(channel->buffer, 0, 36);
	channel->buffer[0] = 5;	   /* a CD */
	channel->buffer[1] = 0x80; /* that can be removed */
	channel->buffer[3] = 0x21;
	channel->buffer[4] = 31;
	memcpy(channel->buffer + 8, names, sizeof(names) - 1);
	answer(machine, channel, 36, wanted);
}

static void read_capacity(struct machine *machine, struct ide_channel *channel, const uint8_t *packet)
{
	uint64_t blocks = ide_active(channel)->drive.sectors / CD_SECTORS;

	(void)packet;
	put_long(channel->buffer, blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)(blocks - 1));
	put_long(channel->buffer + 4, BLOCK_SIZE);
	answer(machine, channel, 8, 8);
}

static void read_10(struct machine *machine, struct ide_channel *channel, const uint8_t *packet)
{
	read_blocks(machine, channel, get_long(packet + 2), get_word(packet + 7));
}

static void read_12(struct machine *machine, struct ide_channel *channel, const uint8_t *packet)
{
	read_blocks(machine, channel, get_long(packet + 2), get_long(packet + 6));
}

/* One track, and where the disk ends. */
static void read_contents(struct machine *machine, struct ide_channel *channel, const uint8_t *packet)
{
	uint32_t wanted = get_word(packet + 7);
	uint8_t *buffer = channel->buffer;

	if (packet[1] & 2 || packet[2] & 0xf || packet[9] >> 6) { /* not by time, and no sessions */
		fail(machine, channel, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD);
		return;
	}
	memset(buffer, 0, 20);
	buffer[1] = 18;
	buffer[2] = buffer[3] = 1;
	buffer[5] = buffer[13] = 0x14; /* data */
	buffer[6] = 1;
	buffer[14] = 0xaa;
	put_long(buffer + 16, (uint32_t)(ide_active(channel)->drive.sectors / CD_SECTORS));
	answer(machine, channel, 20, wanted);
}

static const struct {
	uint8_t number;
	void (*serve)(struct machine *machine, struct ide_channel *channel, const uint8_t *packet);
} packets[] = {
	{0x00, ready}, /* TEST UNIT READY */
	{0x03, request_sense},
	{0x12, inquiry},
	{0x1b, ready}, /* START STOP UNIT */
	{0x1e, ready}, /* PREVENT ALLOW MEDIUM REMOVAL */
	{0x25, read_capacity},
	{0x28, read_10},
	{0x43, read_contents},
	{0xa8, read_12},
};

void ide_packet(struct machine *machine, struct ide_channel *channel)
{
	uint8_t packet[12];

	memcpy(packet, channel->buffer, sizeof(packet));
	for (unsigned int i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		if (packets[i].number == packet[0]) {
			packets[i].serve(machine, channel, packet);
			return;
		}
	}
	fail(machine, channel, SENSE_ILLEGAL_REQUEST, CODE_INVALID_COMMAND);
}
