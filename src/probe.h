/* What this host's KVM really does for a debugger, found out by running guests of a few bytes. */
#ifndef PROBE_H
#define PROBE_H

#include "vcpu.h"

struct findings {
	bool done;
	/*
	 * By mode: the instruction that stops the guest at its own address when it is planted, and
	 * whether it is reported as a breakpoint (KVM_GUESTDBG_USE_SW_BP) or as an instruction that
	 * KVM cannot emulate. 0: none does.
	 */
	uint8_t trap[MODE_COUNT];
	bool debug_registers[MODE_COUNT]; /* execution breakpoints are reported */
	bool steps[MODE_COUNT];		  /* single steps are reported */
	/*
	 * A step needs no KVM_SET_GUEST_DEBUG of its own, since KVM looks at the request and not at
	 * TF. It is so where all guest code is emulated; there a step also ends at the first
	 * instruction of a handler, where a processor would run the handler to its end.
	 */
	bool steps_stay_armed;
};

#define TRAP_INT3 0xcc
#define TRAP_INT1 0xf1

/* Fills *findings, once. On failure nothing works as far as they say, and why is in `why`. */
int probe(struct findings *findings, char *why, size_t size);

#endif
