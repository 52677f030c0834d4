/*
 * Instructions that work on general registers and flags alone: arithmetic, moves, jumps. They are carried out by this
 * program, without entering the guest: to leave a breakpoint, or to step, needs no system call then. What they compute,
 * and what they leave of undefined flags, is computed by the host's CPU with the same instruction, as KVM's own emulator
 * does it (Linux, arch/x86/kvm/emulate.c, fastop()).
 */
#ifndef COMPUTE_H
#define COMPUTE_H

#include "decode.h"

/*
 * Carries out `instruction`, which the vCPU is at. False, with nothing changed, if it is of another kind, if the CPU would
 * raise an exception, or set an Accessed bit, with it, or if KVM has something to deliver before it (vcpu_is_settled()).
 * That no interrupt, trap or breakpoint of the guest's own comes before it is for the caller to know.
 */
bool compute(struct vcpu *vcpu, const struct instruction *instruction);

#endif
