/*
 * SSE, SSE2 and SSE3 (SDM volume 2) for a KVM that emulates guest code and does not know them. What computes is carried
 * out by the host's own unit. Not those of MMX registers, nor MASKMOVDQU.
 */
#ifndef SSE_H
#define SSE_H

#include "decode.h"

/*
 * Carries out `instruction`, which the vCPU is at, but for the program counter. False, with nothing changed, if it is
 * none of these, or if the CPU would raise an exception.
 */
bool sse_run(struct vcpu *vcpu, const struct instruction *instruction);

#endif
