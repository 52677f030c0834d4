/* The memory operands of EVEX-encoded instructions (AVX-512). */
#ifndef DECODE_EVEX_H
#define DECODE_EVEX_H

#include <stdbool.h>
#include <stdint.h>

struct evex {
	uint8_t map;	/* 1: 0F, 2: 0F 38, 3: 0F 3A */
	uint8_t prefix; /* 0: none, 1: 66, 2: F3, 3: F2 */
	uint8_t opcode;
	bool w, broadcast;
	unsigned int vector_length; /* bytes */
};

struct evex_operand {
	unsigned int size;  /* bytes that are accessed, at most: a mask may leave some out */
	unsigned int scale; /* of a displacement of 8 bits */
	bool write;
	bool immediate; /* of a byte */
};

/* False where the addresses are in a vector register. An opcode that does not exist is like most others. */
bool evex_operand(const struct evex *evex, struct evex_operand *operand);

#endif
