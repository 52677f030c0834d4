/*
 * Instructions that a KVM which emulates guest code cannot carry out: in protected and long mode INT, INT3, INTO and IRET
 * (Linux, arch/x86/kvm/emulate.c, emulate_int() and em_iret()), which are done here as the CPU would (SDM volume 2,
 * INT and IRET), and in all modes those of emulate_plain.c and x87's (x87.h).
 */
#ifndef EMULATE_H
#define EMULATE_H

#include "decode.h"
#include "interrupt.h"

/* ENDBR32 and ENDBR64, at the beginning of each function of some compilers, and others that do nothing without CET. */
#define OPCODE_HINT 0x0f1eu

/*
 * Carries out `instruction`, which the vCPU is at. *gate: the handler that an INT has entered; its frame is 0 for
 * others. False, with nothing changed, if it is none of these, or if the CPU would raise an exception or switch tasks.
 */
bool emulate(struct vcpu *vcpu, const struct instruction *instruction, struct interrupt_gate *gate);

/* Whether the instruction may access its operand in memory without an exception, as the segment and the pages are. */
bool emulate_allows(const struct vcpu *vcpu, const struct instruction *instruction, const struct data_access *access);

#endif
