/*
 * What state.c is made of. Each pair of functions reads and writes the registers of some homes, as
 * state_read() and state_write() do; a write has been checked against what KVM has then.
 */
#ifndef STATE_PARTS_H
#define STATE_PARTS_H

#include "state.h"

#define MSR_TSC 0x10

/* state_fpu.c: x87, SSE, AVX, AVX-512, protection keys */
bool state_is_fpu(enum register_home home);
int state_read_fpu(struct vcpu *vcpu, const struct register_row *row, uint8_t *value);
int state_write_fpu(struct vcpu *vcpu, const struct register_row *row, const uint8_t *value,
		    char *why, size_t size);

/* state_system.c: segments, descriptor tables, control, debug and model-specific registers */
int state_read_system(struct vcpu *vcpu, const struct register_row *row, uint64_t *value);
int state_write_system(struct vcpu *vcpu, const struct register_row *row, uint64_t value, char *why,
		       size_t size);

/* -EINVAL, and the sentence in `why`. */
int state_refuse(char *why, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool state_is_canonical(const struct kvm_sregs *sregs, uint64_t address);

#endif
