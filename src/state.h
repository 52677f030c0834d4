/* Reading and writing single registers, as the register table names them. */
#ifndef STATE_H
#define STATE_H

#include "desc.h"

/*
 * A register's value in the guest's byte order (little-endian), row->bits / 8 bytes. A register
 * wider than the value is filled with zeros, a narrower one cut. Returns 0 or a negative errno.
 */
int state_read(struct vcpu *vcpu, const struct register_row *row, uint8_t *value);
/* Likewise; a value that the CPU would not take is refused with -EINVAL and a sentence in `why`. */
int state_write(struct vcpu *vcpu, const struct register_row *row, const uint8_t *value, char *why,
		size_t size);
/* Moves the program counter to a linear address: outside 64-bit mode by CS too, if it must. */
int state_set_pc(struct vcpu *vcpu, uint64_t linear, char *why, size_t size);

#endif
