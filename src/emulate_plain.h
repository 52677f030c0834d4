/*
 * Of emulate.h's instructions those that go on with the next one: AAA, AAS, DAA, hints that do nothing, LDMXCSR, STMXCSR,
 * POPCNT, RDRAND, RDSEED, LAR, LSL, VERR, VERW, and those of sse.h.
 */
#ifndef EMULATE_PLAIN_H
#define EMULATE_PLAIN_H

#include "decode.h"

/* Carries out `instruction`. False, with nothing changed, if it is none of these or the CPU would raise an exception. */
bool emulate_plain(struct vcpu *vcpu, const struct instruction *instruction);

#endif
