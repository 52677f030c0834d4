/*
 * What the instruction at the program counter will do to memory: enough of a decoder to find data
 * accesses by stepping, on hosts whose debug registers do not, and to tell apart the instructions
 * that need care when they are stepped.
 */
#ifndef DECODE_H
#define DECODE_H

#include "vcpu.h"

enum instruction_class {
	CLASS_PLAIN,
	CLASS_POP_SS,
	CLASS_STRING,	   /* MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS */
	CLASS_PUSHF,
	CLASS_POPF,
	CLASS_INT,	   /* INT n, INT3, INTO: `vector` is set */
	CLASS_ICEBP,
	CLASS_IRET,
	CLASS_HLT,
	CLASS_LOAD_SS,	   /* MOV SS; like POP SS it holds traps back for one instruction */
	CLASS_CALL,	   /* near */
	CLASS_FAR,	   /* loads a segment register: far CALL, JMP and RET, MOV, POP, LDS and so on */
	CLASS_IO,	   /* IN, OUT */
	CLASS_SYSCALL,
	CLASS_SYSENTER,
	CLASS_SYSRET,	   /* in 64-bit mode */
	CLASS_UNKNOWN,	   /* not decoded: length is 0 */
};

struct data_access {
	uint64_t linear;
	uint32_t len;
	bool read, write;
};

#define DATA_ACCESSES_MAX 4
#define INSTRUCTION_MAX 15 /* bytes */

struct instruction {
	enum instruction_class class;
	uint8_t length;	      /* bytes, prefixes included; 0: could not be decoded or read */
	/* 0Fxx for what is behind 0F; of no use with VEX and EVEX, and behind 0F 38 and 0F 3A. */
	uint16_t opcode;
	uint8_t modrm; /* if it has one */
	uint8_t rex;   /* the prefix, or 0; of no use with VEX and EVEX */
	bool rep;      /* REP, REPE or REPNE before it, whatever they mean there */
	bool repne;    /* and it is REPNE */
	bool operand_prefix; /* 66 before it */
	uint64_t immediate; /* its last one, sign-extended */
	/* Of its operand in memory: enum segment, and where in the segment. */
	uint8_t segment;
	uint64_t offset;
	uint8_t vector;
	uint8_t operand_size; /* bytes */
	uint8_t address_size; /* bytes */
	uint8_t element;      /* CLASS_STRING: bytes of one element */
	bool lock;	      /* LOCK before it */
	bool fpu;	      /* may change x87, MMX or vector registers */
	bool call;	      /* near or far, and what it calls comes back behind it */
	bool x87;	      /* one of the old FPU's */
	bool divides;	      /* may raise a division error */
	bool bounds;	      /* BOUND */
	bool may_fault;	      /* false only for what works on registers and raises nothing */
	bool repeated;	      /* CLASS_STRING with REP, REPE or REPNE */
	bool port;	      /* CLASS_STRING: INS or OUTS */
	bool far_transfer;    /* CLASS_FAR: JMP or CALL */
	bool from_register;   /* CLASS_LOAD_SS, or far: `selector` is the operand's, not access[0] */
	uint16_t selector;
	/* Of one iteration, for a string instruction. */
	struct data_access access[DATA_ACCESSES_MAX];
	int accesses;
};

/* Decodes what the vCPU will execute next, with the registers that it has now. */
void decode_next(const struct vcpu *vcpu, struct instruction *instruction);

/* The part of RCX that counts iterations. */
uint64_t decode_count_mask(const struct instruction *instruction);
/* Access `n` in all the iterations that were done between two states of the registers, as one. */
struct data_access decode_access(const struct instruction *instruction, int n,
				 const struct kvm_regs *before, const struct kvm_regs *after);

#endif
