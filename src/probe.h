/*
 * What this host's KVM really does for a debugger, found out by running guests of a few bytes: the
 * capabilities that it announces say little about it.
 */
#ifndef PROBE_H
#define PROBE_H

#include "vcpu.h"

#define TRAP_INT3 0xcc
#define TRAP_INT1 0xf1

/* Of code in one mode and at one privilege level. */
struct abilities {
	/*
	 * The instruction that stops the guest at its own address when it is planted: INT3, reported
	 * as a breakpoint (KVM_GUESTDBG_USE_SW_BP), or INT1, reported as an instruction that KVM cannot
	 * emulate. 0: none does.
	 */
	uint8_t trap;
	bool debug_registers; /* execution breakpoints are reported */
	bool passes;	      /* RF goes on from one: see vcpu_pass_breakpoint() */
	bool watch;	      /* data breakpoints are, for writes and for both */
	bool steps;	      /* single steps are reported */
	bool guards;	      /* KVM_RUN fails at what uses memory that it cannot get, and can be repeated */
};

struct findings {
	bool done;
	struct abilities kernel[MODE_COUNT], user[MODE_COUNT];
	/*
	 * A step needs no KVM_SET_GUEST_DEBUG of its own, since KVM looks at the request and not at
	 * TF. It is so where all guest code is emulated; there one step does many iterations of a
	 * string instruction, and where it is not, traps can be held back for one instruction.
	 */
	bool steps_stay_armed;
	/*
	 * The processor is one of QEMU's emulation. That looks for the execution breakpoint that was hit by IP,
	 * without CS's base, and crashes if it finds none.
	 */
	bool lost_in_segments;
};

/* Fills *findings. On failure nothing works as far as they say, and why is in `why`. */
int probe(struct findings *findings, char *why, size_t size);

/* What there is for the code that the vCPU runs now. */
const struct abilities *probe_abilities(const struct findings *findings, const struct vcpu *vcpu);

/*
 * --probe: prints a table of what this host reports to standard output, with its kernel and its kind of
 * KVM. Returns 0, or a negative errno and why.
 */
int probe_print(char *why, size_t size);

#endif
