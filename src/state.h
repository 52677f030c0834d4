/* Reading and writing single registers, as the register table names them. */
#ifndef STATE_H
#define STATE_H

#include "desc.h"

/*
 * A register's value in the guest's byte order (little-endian), row->bits / 8 bytes. A register
 * wider than the value is filled with zeros, a narrower one cut. Returns 0 or a negative errno.
 */
int state_read(struct vcpu *vcpu, const struct register_row *row, uint8_t *value);
/*
 * Likewise; a value that the CPU would not take, or that KVM refuses, ignores or alters, is an error with a
 * sentence in `why`, which must be "" before.
 */
int state_write(struct vcpu *vcpu, const struct register_row *row, const uint8_t *value, char *why,
		size_t size);
/* For registers_choose(): whether a vCPU, given as the context, has the register and KVM can read it. */
bool state_has(void *vcpu, const struct register_row *row);
/* Moves the program counter to a linear address: outside 64-bit mode by CS too, if it must. */
int state_set_pc(struct vcpu *vcpu, uint64_t linear, char *why, size_t size);

#endif
