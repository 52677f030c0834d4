/* What the two halves of test_agree share: agree.c runs a program freely and in steps. */
#ifndef AGREE_H
#define AGREE_H

#include "decode.h"
#include "machine.h"
#include "program.h"

#define STEPS_MAX 20000 /* of one program */

/* The state before an instruction, and what the instruction then did. */
struct visit {
	struct kvm_regs regs;
	uint64_t pc;
	bool repeated;
	bool port;     /* INS or OUTS */
	bool loads_ss; /* and holds traps back */
	bool entered;  /* a handler, with a frame */
	/* The last may be the frame of an exception. */
	struct data_access access[DATA_ACCESSES_MAX + 1];
	int accesses;
};

/* The program, the machine that runs it, and each of its steps. */
extern struct program program;
extern struct machine machine;
extern struct kvm_sregs start_sregs[MODE_32 + 1];
extern struct visit *trace;
extern size_t steps;
/* What the steps wrote and read; where debug registers are not to watch, in QEMU or anywhere. */
extern bool written[PROGRAM_MEMORY], was_read[PROGRAM_MEMORY];
extern bool fragile[PROGRAM_MEMORY], unsure[PROGRAM_MEMORY];
extern bool bad; /* this program has failed */

/* Says what is wrong with this run of the program. Returns false. */
bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void show_registers(const char *name, const struct kvm_regs *regs);

/* Puts the machine to the program's start; `name` says which run it is. */
bool reset(const char *name);
/* These two set what the other runs are compared with. */
bool run_free(void);
bool run_stepped(void);

/* The linear program counter. */
uint64_t pc(void);
bool same_registers(const struct kvm_regs *a, const struct kvm_regs *b);
bool check_registers(const struct kvm_regs *expected);
/* Everything is as at the end of the free run. */
bool check_end(void);

#endif
