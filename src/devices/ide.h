/* The two channels of a PC's disk controller (ATA/ATAPI-6, programmed input and output alone). */
#ifndef IDE_H
#define IDE_H

#include <stdbool.h>
#include <stdint.h>

#include "disks/drives.h"

#define IDE_PRIMARY 0x1f0 /* the data port; the others follow */
#define IDE_SECONDARY 0x170
#define IDE_CONTROL 0x206 /* from the data port on: the port of the control block */
#define IDE_CHANNELS 2
#define IDE_BLOCK_MAX 16u /* sectors that go between two interrupts */

/* The registers that are written twice for block numbers of 48 bits, by their offset from the data port. */
enum { IDE_DATA, IDE_FEATURES, IDE_COUNT, IDE_LOW, IDE_MIDDLE, IDE_HIGH, IDE_DEVICE, IDE_COMMAND, IDE_REGISTERS };

struct machine;
struct ide_channel;

/* What happens next, when the time for it has come. */
enum ide_next { IDE_NOTHING, IDE_DONE, IDE_READ, IDE_WRITTEN, IDE_PACKET, IDE_PACKET_DATA };

struct ide_device {
	struct drive drive;  /* .disk is NULL: there is none */
	uint16_t heads, sectors; /* as the guest has set them; 0: as the drive has them */
	uint8_t multiple;    /* sectors of a block of READ MULTIPLE; 0: not set */
	uint8_t sense, sense_code; /* of a CD: what went wrong last */
};

struct ide_channel {
	struct ide_device device[2];
	unsigned int active; /* the device that the last command was for */
	uint8_t registers[IDE_REGISTERS], before[IDE_REGISTERS];
	uint8_t status, error, control;
	bool interrupting;
	enum ide_next next;
	uint64_t when;	   /* that comes, in the guest's time */
	bool is_write;	   /* of what is in the buffer */
	bool is_packet;	   /* a CD's command */
	uint64_t sector;   /* the next one, of 512 bytes */
	uint32_t left;	   /* sectors of the command that were not transferred yet; of a packet, bytes */
	uint32_t block;	   /* sectors that go at once */
	uint32_t at, filled; /* bytes of the buffer: the next one, and the end */
	uint8_t buffer[IDE_BLOCK_MAX * SECTOR_SIZE];
};

struct ide {
	struct ide_channel channel[IDE_CHANNELS];
};

#define IDE_STATUS_BUSY 0x80
#define IDE_STATUS_READY 0x40
#define IDE_STATUS_SEEK_DONE 0x10
#define IDE_STATUS_DATA 0x08
#define IDE_STATUS_ERROR 0x01

#define IDE_ERROR_ABORT 0x04
#define IDE_ERROR_NOT_FOUND 0x10
#define IDE_ERROR_UNCORRECTABLE 0x40

/* For ide_packet.c and ide_identify.c. */
struct ide_device *ide_active(struct ide_channel *channel);
/* The command, or the block, is done: with these bits of the status, and an interrupt. */
void ide_finish(struct machine *machine, struct ide_channel *channel, uint8_t status);
void ide_fail(struct machine *machine, struct ide_channel *channel, uint8_t error);
/* What comes next does so after the time that a disk needs at least. */
void ide_later(struct machine *machine, struct ide_channel *channel, enum ide_next next);
/* `len` bytes of the buffer are to be read, or to be written, by the guest. */
void ide_offer(struct ide_channel *channel, uint32_t len, bool is_write);

/* The 512 bytes of IDENTIFY DEVICE and of IDENTIFY PACKET DEVICE. */
void ide_identify(const struct ide_device *device, uint8_t data[SECTOR_SIZE]);

/* A CD: its command is in the buffer; more of its data is wanted. */
void ide_packet(struct machine *machine, struct ide_channel *channel);
void ide_packet_data(struct machine *machine, struct ide_channel *channel);

#endif
