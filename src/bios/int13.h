/* For the files of INT 13h: what the functions share. */
#ifndef INT13_H
#define INT13_H

#include "bios/bios.h"
#include "disks/drives.h"

/* In AH, and in the BIOS data area. */
enum disk_status {
	DISK_OK = 0x00,
	DISK_BAD_COMMAND = 0x01,
	DISK_WRITE_PROTECTED = 0x03,
	DISK_NOT_FOUND = 0x04, /* the sector */
	DISK_DMA_BOUNDARY = 0x09,
	DISK_BAD_MEDIA = 0x0c,
	DISK_CONTROLLER = 0x20,
	DISK_TIMEOUT = 0x80, /* there is no drive, or nothing in it */
	DISK_NOT_REMOVABLE = 0xb2,
};

/* The caller's drive, or NULL. */
struct drive *int13_drive(const struct bios_call *call);
/* What the functions return: AH and CF, which stay for AH=01h. */
enum bios_result int13_end(struct bios_call *call, enum disk_status status);
/* The status if there is no such drive. */
enum disk_status int13_no_drive(const struct bios_call *call);

enum int13_transfer { INT13_READ, INT13_WRITE, INT13_VERIFY };

/*
 * Transfers sectors of 512 bytes from or to a linear address, and says in *done how many went well. A buffer may
 * lie across 64 KiB.
 */
enum disk_status int13_transfer(struct bios_call *call, struct drive *drive, enum int13_transfer what,
				uint64_t sector, uint64_t count, uint64_t linear, uint64_t *done);

/* int13_lba.c */
enum bios_result int13_check_extensions(struct bios_call *call);
enum bios_result int13_extended_read(struct bios_call *call);
enum bios_result int13_extended_write(struct bios_call *call);
enum bios_result int13_extended_verify(struct bios_call *call);
enum bios_result int13_extended_seek(struct bios_call *call);
enum bios_result int13_lock(struct bios_call *call);
enum bios_result int13_eject(struct bios_call *call);
enum bios_result int13_extended_parameters(struct bios_call *call);
enum bios_result int13_media_change(struct bios_call *call);
enum bios_result int13_emulation(struct bios_call *call);

#endif
