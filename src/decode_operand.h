/* What decode.c and decode_operand.c share: an instruction half decoded. */
#ifndef DECODE_OPERAND_H
#define DECODE_OPERAND_H

#include "decode.h"
#include "segment.h"

/* What an opcode has behind it, and what it does to its ModRM operand in memory. */
enum {
	M = 1 << 0,  /* ModRM byte */
	R = 1 << 1,  /* reads the operand */
	W = 1 << 2,  /* writes it */
	B = 1 << 3,  /* of one byte, not of the operand size */
	I1 = 1 << 4, /* immediate of 1 byte */
	IZ = 1 << 5, /* of the operand size, at most 4 bytes */
	I2 = 1 << 6, /* of 2 bytes */
	X = 1 << 7,  /* more to it: see special() */
	RW = R | W,
};

struct decoder {
	const struct vcpu *vcpu;
	struct instruction *out;
	enum vcpu_mode mode;
	uint8_t code[INSTRUCTION_MAX];
	size_t available, at;
	bool overrun;
	int segment; /* override, or -1 */
	bool repe, repne, operand_prefix;
	uint8_t rex;
	bool vex;
	unsigned int vector_length; /* bytes */
	unsigned int scale;	    /* of a displacement of 8 bits */
	uint8_t modrm;
	bool has_memory;
	enum segment operand_segment;
	uint64_t offset; /* of the ModRM operand */
	bool by_sp;	 /* and the stack pointer is its base */
};

uint64_t operand_mask(unsigned int size);
/* A general register by its number in the encoding. */
uint64_t operand_register(const struct decoder *d, unsigned int number);
/* The override, or else `preset`. */
enum segment operand_segment(const struct decoder *d, enum segment preset);
/* Notes an access to the ModRM operand, if that is in memory: R, W or both. */
void operand_add(struct decoder *d, uint64_t len, unsigned int what);
/* The size of a vector operand by its mandatory prefix: none, 66, F3, F2. */
unsigned int operand_by_prefix(const struct decoder *d, unsigned int none, unsigned int with_66,
			       unsigned int with_f3, unsigned int with_f2);
/* Whether an opcode behind 0F has vector operands. */
bool operand_is_vector(uint8_t opcode);
/* What the tables say only "more" of. `imm` is the last immediate; `row` the table's entry. */
void operand_special(struct decoder *d, uint8_t opcode, uint64_t imm);
void operand_special_0f(struct decoder *d, uint8_t opcode, unsigned int row);

#endif
