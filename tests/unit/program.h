/*
 * Random programs for test_agree.c, of instructions that every host can run, emulating ones, too. A
 * program ends with a HLT after a bounded number of instructions, does not modify itself, and has
 * its code, data and stack apart.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "segment.h"
#include "vcpu.h"

/* Linear addresses, and guest-physical ones. */
#define PROGRAM_CODE 0x1000u
#define PROGRAM_CODE_SIZE 0x1c00u
#define PROGRAM_IDT 0x2d00u	 /* in 32-bit programs */
#define PROGRAM_COUNTERS 0x2f00u /* of loops */
#define PROGRAM_DATA 0x3000u
#define PROGRAM_DATA_SIZE 0x400u
#define PROGRAM_STACK 0x5000u
#define PROGRAM_STACK_SIZE 0x800u /* all of it is used from the middle on, downwards */
#define PROGRAM_MEMORY 0x6000u	  /* all of the above */

/* Where the program counter may be after an instruction. */
enum flow {
	FLOW_NONE,     /* no instruction begins here */
	FLOW_NEXT,     /* behind it */
	FLOW_BRANCH,   /* behind it or at `target` */
	FLOW_JUMP,     /* at `target` */
	FLOW_INDIRECT, /* at any instruction */
	FLOW_REPEAT,   /* REP: still at it until the count, or the comparison, has ended it */
	FLOW_DIVIDE,   /* behind it or at the handler of #DE */
	FLOW_HALT,     /* behind it */
};

struct program_instruction {
	enum flow flow;
	uint8_t length;
	uint8_t repeat; /* FLOW_REPEAT: 0 for REP, else 0xf3 for REPE, 0xf2 for REPNE */
	uint8_t address_size;
	uint16_t target;
};

struct program {
	uint64_t seed;
	enum vcpu_mode mode;
	uint16_t end; /* of the code */
	uint16_t divide_handler;
	uint16_t selectors[SEGMENT_GS + 1]; /* in 16-bit programs */
	struct kvm_regs regs;
	uint8_t memory[PROGRAM_MEMORY];
	struct program_instruction at[PROGRAM_MEMORY];
};

/* Makes the program of this seed for MODE_16 (real mode) or MODE_32 (flat protected mode). */
void program_make(struct program *program, uint64_t seed, enum vcpu_mode mode);

/* The instruction that begins at a linear address; NULL if none does. */
const struct program_instruction *program_at(const struct program *program, uint64_t linear);

/* What follows is for the generator's own files. */

enum { AX, CX, DX, BX, SP, BP, SI, DI };
#define SS 2 /* among the segment registers */

struct generator {
	struct program *program;
	uint64_t random;
	uint16_t at;	 /* linear */
	uint16_t start;	 /* of the instruction that is being written; 0: none */
	int depth;	 /* of units inside units */
	int loops;	 /* around this place */
	bool subroutine; /* inside one, or inside a handler */
	uint16_t near_target[3], far_target;
	unsigned int pops; /* bytes that near_target[2] takes off the stack */
};

/* A ModRM operand: what stands before the opcode, and the ModRM byte with what follows it. */
struct operand {
	uint8_t prefix[2], tail[6];
	unsigned int prefixes, len;
	unsigned int used; /* registers in the address, a bit each */
};

/* A number below `limit`. */
unsigned int pick(struct generator *g, unsigned int limit);
bool chance(struct generator *g, unsigned int in);
uint32_t random_32(struct generator *g);
bool is_32(const struct generator *g);

/* Begins an instruction, which ends where the next one begins. */
void begin(struct generator *g, enum flow flow);
void byte(struct generator *g, unsigned int value);
void bytes(struct generator *g, uint32_t value, unsigned int size);
/* An instruction of these bytes alone. */
void plain(struct generator *g, unsigned int count, ...);
/* A prefix if an operand of 2 or 4 bytes wants it. */
void operand_size(struct generator *g, unsigned int size);
/* 1, 2 or 4; 2 or 4. */
unsigned int any_size(struct generator *g);
unsigned int word_size(struct generator *g);
/* A register that can take any value of `size` bytes, not one of those in `used`. */
unsigned int any_register(struct generator *g, unsigned int size, unsigned int used);

/* MOV of a constant into a register of 2 or 4 bytes. */
void load_register(struct generator *g, unsigned int reg, uint32_t value, unsigned int size);
/*
 * An operand in memory of `size` bytes, with `room` bytes on either side of it. Writes the
 * instructions that load its registers.
 */
struct operand memory_operand(struct generator *g, unsigned int size, unsigned int room);
struct operand register_operand(struct generator *g, unsigned int size);
/* Either. */
struct operand any_operand(struct generator *g, unsigned int size);
/* The instruction with that operand: an opcode of 1 byte, or of 2 as 0x0fXX. */
void with_operand(struct generator *g, const struct operand *operand, unsigned int size,
		  unsigned int opcode, unsigned int reg);

/* A random linear address in the data for `size` bytes, and its offset in a segment. */
uint32_t data_address(struct generator *g, unsigned int size, unsigned int room);
uint32_t segment_offset(const struct generator *g, enum segment segment, uint32_t linear);
/* An override prefix for a random segment, which is returned; at times none, and `preset`. */
enum segment any_segment(struct generator *g, enum segment preset, uint8_t *prefix);

/* program_data.c: a unit, that is a few instructions that belong together, without jumps. */
void data_unit(struct generator *g);
/* program_units.c: `count` units of any kind, fewer where there is no room. */
void units(struct generator *g, unsigned int count);

#endif
