/*
 * x87 instructions that a KVM which emulates guest code does not know (Linux, arch/x86/kvm/emulate.c): the host's own
 * FPU carries them out.
 */
#ifndef X87_H
#define X87_H

#include "decode.h"

/*
 * Carries out `instruction`, one of x87 or FWAIT that the vCPU is at. False, with nothing changed, if it is none, if the
 * CPU would raise an exception, if its operand is not in RAM, and for what stores or loads the whole environment (FLDENV,
 * FNSTENV, FRSTOR, FNSAVE). Accessed and Dirty bits of the page tables are not set.
 */
bool x87_run(struct vcpu *vcpu, const struct instruction *instruction);

#endif
