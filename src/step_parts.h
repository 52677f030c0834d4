/* What step.c and step_handlers.c share. */
#ifndef STEP_PARTS_H
#define STEP_PARTS_H

#include "decode.h"
#include "interrupt.h"
#include "machine.h"

#define STEP_HANDLERS (2 * VCPU_DEBUG_REGISTERS) /* with an error code and without */

/* A step on its way. */
struct step {
	struct machine *machine;
	struct vcpu *vcpu;
	struct instruction instruction;
	struct kvm_regs before;
	struct kvm_regs entry; /* the same, with iterations held back */
	/* The handlers that the instruction may enter, and the debug register that each is in; some have one in common. */
	struct interrupt_gate gate[STEP_HANDLERS];
	uint8_t slot[STEP_HANDLERS];
	uint64_t debugreg[8];
	int handlers;
	int slots; /* of debugreg */
	uint16_t cs; /* before */
	struct kvm_segment tr;	/* before; it changes in a switch of tasks alone */
	struct kvm_segment tss; /* of the task to come, whose RF has been taken away */
	bool without_rf;
	bool had_tf;	   /* the guest's own TF was set */
	bool traps;	   /* the trap of the instruction before comes first */
	bool emulated;	   /* the program has carried it out */
	bool popped_tf;	   /* what POPF, IRET or SYSRET will make of it */
	bool unwatched;	   /* a handler that the instruction may enter got no register */
	bool ungated;	   /* an exception that it may raise has none, and becomes another */
	const struct interrupt_gate *entered;
};

/* Fills in gate and debugreg with the places that the instruction may go to, without TF. */
void step_watch_handlers(struct step *s);

#endif
