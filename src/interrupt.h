/* Where an interrupt or exception will go, and what its frame looks like. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "vcpu.h"

enum exception {
	EXCEPTION_DE = 0,
	EXCEPTION_DB = 1,
	EXCEPTION_BR = 5,
	EXCEPTION_UD = 6,
	EXCEPTION_NM = 7,
	EXCEPTION_DF = 8,
	EXCEPTION_TS = 10,
	EXCEPTION_NP = 11,
	EXCEPTION_SS = 12,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,
	EXCEPTION_MF = 16,
	EXCEPTION_AC = 17,
	EXCEPTION_XM = 19,
};

struct interrupt_gate {
	uint64_t handler;	   /* linear address of its first instruction */
	uint64_t base;		   /* of its code segment */
	unsigned int flags_offset; /* of the saved flags, from the stack pointer there */
	unsigned int flags_size;   /* bytes */
	unsigned int frame;	   /* bytes, without the stack pointer of a changed stack */
};

/*
 * Looks a vector up in the IDT or, in real mode, the IVT. `software`: by an INT instruction, which
 * pushes no error code. False if nothing usable is there.
 */
bool interrupt_gate(const struct vcpu *vcpu, uint8_t vector, bool software,
		    struct interrupt_gate *gate);

/* The gate itself, of 8 bytes or in long mode of 16; false in real mode, and beyond the IDT's limit. */
bool interrupt_descriptor(const struct vcpu *vcpu, uint8_t vector, uint64_t words[2]);

/* The selector of the task gate that a vector has instead, which only protected mode knows. */
bool interrupt_task(const struct vcpu *vcpu, uint8_t vector, uint16_t *selector);

/*
 * Enters a handler in real mode as the CPU would, with the stack and the registers as they are: `ip` is
 * where it is to return to. False, with nothing changed, if that is for the CPU to do, or to fault at.
 */
bool interrupt_enter_real(struct vcpu *vcpu, uint8_t vector, uint16_t ip, struct interrupt_gate *gate);

/* Where SYSCALL or SYSENTER will go; false if KVM does not tell. */
bool interrupt_system_call(struct vcpu *vcpu, bool sysenter, uint64_t *handler);

#endif
