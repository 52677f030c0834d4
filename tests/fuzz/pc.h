/*
 * A PC without KVM: its memory is plain memory, with nothing that could be read or written around it, its vCPU is a
 * set of registers, and each ioctl() succeeds and does nothing (linked with --wrap=ioctl). There is one, which is
 * made anew for each input.
 */
#ifndef FUZZ_PC_H
#define FUZZ_PC_H

#include "input.h"
#include "machine.h"

#define PC_MEMORY 0x110000u

extern struct machine pc;
struct drives;
extern struct drives pc_drives;

/* As after power-on, with disks that the input describes. */
void pc_start(struct input *input);
/* What of it would be left behind for the next one. */
void pc_end(void);

/*
 * Do what the input says, a byte that is a kind of action and its operands at a time, mostly by ports, or by BIOS
 * services with registers and memory of the input's choice. Abort if something does not hold afterwards.
 */
void pc_use_ports(struct input *input);
void pc_call_bios(struct input *input);

#endif
