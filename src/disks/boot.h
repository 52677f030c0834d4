/* Booting from a disk, as INT 19h does. */
#ifndef DISKS_BOOT_H
#define DISKS_BOOT_H

#include <stddef.h>

struct machine;

/*
 * Loads the first disk's boot sector, or what a CD boots, and sets the CPU's registers to begin there. Returns 0,
 * or a negative errno and why; the registers are as they were then.
 */
int boot_disk(struct machine *machine, char *why, size_t size);

#endif
