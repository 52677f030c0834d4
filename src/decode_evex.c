#include "decode_evex.h"

#include <stddef.h>

/* What is accessed, and scales a displacement of 8 bits (SDM volume 2, 2.7.5, "tuple types"). */
enum tuple {
	FULL, /* the vector, or one element with broadcast; the default */
	HALF,
	QUARTER,
	EIGHTH,
	SCALAR, /* 4 bytes, or 8 with W */
	FLOAT,	/* 4 bytes, or 8 with 66 or F2 */
	FIXED,	/* 1 to 32 bytes */
	DOUBLES, /* MOVDDUP */
	PACKED, /* some of the elements, which are of `bytes` bytes, or twice that with W, one behind the other */
	VECTOR,	/* the addresses are in a vector */
};

enum { NONE = 1, P66 = 2, PF3 = 4, PF2 = 8, ANY = 15, SINGLES = PF3 | PF2 };
enum { W_ANY, W0, W1 };

struct row {
	uint8_t map, first, last; /* opcodes */
	uint8_t prefixes;
	uint8_t w;
	uint8_t tuple;
	uint8_t bytes;
	bool write;
};

/* The first that fits counts. */
static const struct row rows[] = {
	{1, 0x10, 0x10, SINGLES, W_ANY, FLOAT, 0, false},
	{1, 0x11, 0x11, SINGLES, W_ANY, FLOAT, 0, true},
	{1, 0x11, 0x11, ANY, W_ANY, FULL, 0, true},
	{1, 0x12, 0x12, PF2, W_ANY, DOUBLES, 0, false},
	{1, 0x12, 0x12, NONE | P66, W_ANY, FIXED, 8, false},
	{1, 0x13, 0x13, ANY, W_ANY, FIXED, 8, true},
	{1, 0x16, 0x16, NONE | P66, W_ANY, FIXED, 8, false},
	{1, 0x17, 0x17, ANY, W_ANY, FIXED, 8, true},
	{1, 0x29, 0x29, ANY, W_ANY, FULL, 0, true},
	{1, 0x2a, 0x2a, SINGLES, W_ANY, SCALAR, 0, false},
	{1, 0x2b, 0x2b, ANY, W_ANY, FULL, 0, true},
	{1, 0x2c, 0x2d, SINGLES, W_ANY, FLOAT, 0, false},
	{1, 0x2e, 0x2f, ANY, W_ANY, FLOAT, 0, false},
	{1, 0x51, 0x51, SINGLES, W_ANY, FLOAT, 0, false},
	{1, 0x58, 0x5a, SINGLES, W_ANY, FLOAT, 0, false},
	{1, 0x5a, 0x5a, NONE, W_ANY, HALF, 0, false},
	{1, 0x5c, 0x5f, SINGLES, W_ANY, FLOAT, 0, false},
	{1, 0x6e, 0x6e, ANY, W_ANY, SCALAR, 0, false},
	{1, 0x78, 0x79, SINGLES, W_ANY, FLOAT, 0, false},
	{1, 0x78, 0x7b, P66, W0, HALF, 0, false},
	{1, 0x7a, 0x7a, PF3, W0, HALF, 0, false},
	{1, 0x7b, 0x7b, SINGLES, W_ANY, SCALAR, 0, false},
	{1, 0x7e, 0x7e, PF3, W_ANY, FIXED, 8, false},
	{1, 0x7e, 0x7e, ANY, W_ANY, SCALAR, 0, true},
	{1, 0x7f, 0x7f, ANY, W_ANY, FULL, 0, true},
	{1, 0xc2, 0xc2, SINGLES, W_ANY, FLOAT, 0, false},
	{1, 0xc4, 0xc4, ANY, W_ANY, FIXED, 2, false},
	{1, 0xd1, 0xd3, ANY, W_ANY, FIXED, 16, false},
	{1, 0xd6, 0xd6, ANY, W_ANY, FIXED, 8, true},
	{1, 0xe1, 0xe2, ANY, W_ANY, FIXED, 16, false},
	{1, 0xe6, 0xe6, PF3, W0, HALF, 0, false},
	{1, 0xe7, 0xe7, ANY, W_ANY, FULL, 0, true},
	{1, 0xf1, 0xf3, ANY, W_ANY, FIXED, 16, false},

	/* VPMOV, which makes elements smaller */
	{2, 0x10, 0x10, PF3, W_ANY, HALF, 0, true},
	{2, 0x11, 0x11, PF3, W_ANY, QUARTER, 0, true},
	{2, 0x12, 0x12, PF3, W_ANY, EIGHTH, 0, true},
	{2, 0x13, 0x13, PF3, W_ANY, HALF, 0, true},
	{2, 0x14, 0x14, PF3, W_ANY, QUARTER, 0, true},
	{2, 0x15, 0x15, PF3, W_ANY, HALF, 0, true},
	{2, 0x13, 0x13, P66, W_ANY, HALF, 0, false},
	{2, 0x18, 0x18, ANY, W_ANY, FIXED, 4, false},
	{2, 0x19, 0x19, ANY, W_ANY, FIXED, 8, false},
	{2, 0x1a, 0x1a, ANY, W_ANY, FIXED, 16, false},
	{2, 0x1b, 0x1b, ANY, W_ANY, FIXED, 32, false},
	/* VPMOV again, and VPMOVSX and VPMOVZX, which make them larger */
	{2, 0x20, 0x20, PF3, W_ANY, HALF, 0, true},
	{2, 0x21, 0x21, PF3, W_ANY, QUARTER, 0, true},
	{2, 0x22, 0x22, PF3, W_ANY, EIGHTH, 0, true},
	{2, 0x23, 0x23, PF3, W_ANY, HALF, 0, true},
	{2, 0x24, 0x24, PF3, W_ANY, QUARTER, 0, true},
	{2, 0x25, 0x25, PF3, W_ANY, HALF, 0, true},
	{2, 0x20, 0x20, P66, W_ANY, HALF, 0, false},
	{2, 0x21, 0x21, P66, W_ANY, QUARTER, 0, false},
	{2, 0x22, 0x22, P66, W_ANY, EIGHTH, 0, false},
	{2, 0x23, 0x23, P66, W_ANY, HALF, 0, false},
	{2, 0x24, 0x24, P66, W_ANY, QUARTER, 0, false},
	{2, 0x25, 0x25, P66, W_ANY, HALF, 0, false},
	{2, 0x2d, 0x2d, ANY, W_ANY, SCALAR, 0, false},
	{2, 0x30, 0x30, PF3, W_ANY, HALF, 0, true},
	{2, 0x31, 0x31, PF3, W_ANY, QUARTER, 0, true},
	{2, 0x32, 0x32, PF3, W_ANY, EIGHTH, 0, true},
	{2, 0x33, 0x33, PF3, W_ANY, HALF, 0, true},
	{2, 0x34, 0x34, PF3, W_ANY, QUARTER, 0, true},
	{2, 0x35, 0x35, PF3, W_ANY, HALF, 0, true},
	{2, 0x30, 0x30, P66, W_ANY, HALF, 0, false},
	{2, 0x31, 0x31, P66, W_ANY, QUARTER, 0, false},
	{2, 0x32, 0x32, P66, W_ANY, EIGHTH, 0, false},
	{2, 0x33, 0x33, P66, W_ANY, HALF, 0, false},
	{2, 0x34, 0x34, P66, W_ANY, QUARTER, 0, false},
	{2, 0x35, 0x35, P66, W_ANY, HALF, 0, false},
	{2, 0x43, 0x43, ANY, W_ANY, SCALAR, 0, false},
	{2, 0x4d, 0x4d, ANY, W_ANY, SCALAR, 0, false},
	{2, 0x4f, 0x4f, ANY, W_ANY, SCALAR, 0, false},
	{2, 0x52, 0x53, PF2, W_ANY, FIXED, 16, false},
	{2, 0x58, 0x58, ANY, W_ANY, FIXED, 4, false},
	{2, 0x59, 0x59, ANY, W_ANY, FIXED, 8, false},
	{2, 0x5a, 0x5a, ANY, W_ANY, FIXED, 16, false},
	{2, 0x5b, 0x5b, ANY, W_ANY, FIXED, 32, false},
	{2, 0x62, 0x62, ANY, W_ANY, PACKED, 1, false},
	{2, 0x63, 0x63, ANY, W_ANY, PACKED, 1, true},
	{2, 0x78, 0x78, ANY, W_ANY, FIXED, 1, false},
	{2, 0x79, 0x79, ANY, W_ANY, FIXED, 2, false},
	{2, 0x88, 0x89, ANY, W_ANY, PACKED, 4, false},
	{2, 0x8a, 0x8b, ANY, W_ANY, PACKED, 4, true},
	{2, 0x90, 0x93, ANY, W_ANY, VECTOR, 0, false},
	{2, 0x9a, 0x9b, PF2, W_ANY, FIXED, 16, false},
	{2, 0x99, 0x99, ANY, W_ANY, SCALAR, 0, false},
	{2, 0x9b, 0x9b, ANY, W_ANY, SCALAR, 0, false},
	{2, 0x9d, 0x9d, ANY, W_ANY, SCALAR, 0, false},
	{2, 0x9f, 0x9f, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xa0, 0xa3, ANY, W_ANY, VECTOR, 0, true},
	{2, 0xaa, 0xab, PF2, W_ANY, FIXED, 16, false},
	{2, 0xa9, 0xa9, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xab, 0xab, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xad, 0xad, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xaf, 0xaf, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xb9, 0xb9, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xbb, 0xbb, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xbd, 0xbd, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xbf, 0xbf, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xc6, 0xc7, ANY, W_ANY, VECTOR, 0, false},
	{2, 0xcb, 0xcb, ANY, W_ANY, SCALAR, 0, false},
	{2, 0xcd, 0xcd, ANY, W_ANY, SCALAR, 0, false},

	{3, 0x0a, 0x0a, NONE, W_ANY, FIXED, 2, false},
	{3, 0x0a, 0x0a, ANY, W_ANY, FIXED, 4, false},
	{3, 0x0b, 0x0b, ANY, W_ANY, FIXED, 8, false},
	{3, 0x14, 0x14, ANY, W_ANY, FIXED, 1, true},
	{3, 0x15, 0x15, ANY, W_ANY, FIXED, 2, true},
	{3, 0x16, 0x16, ANY, W_ANY, SCALAR, 0, true},
	{3, 0x17, 0x17, ANY, W_ANY, FIXED, 4, true},
	{3, 0x18, 0x18, ANY, W_ANY, FIXED, 16, false},
	{3, 0x19, 0x19, ANY, W_ANY, FIXED, 16, true},
	{3, 0x1a, 0x1a, ANY, W_ANY, FIXED, 32, false},
	{3, 0x1b, 0x1b, ANY, W_ANY, FIXED, 32, true},
	{3, 0x1d, 0x1d, ANY, W_ANY, HALF, 0, true},
	{3, 0x20, 0x20, ANY, W_ANY, FIXED, 1, false},
	{3, 0x21, 0x21, ANY, W_ANY, FIXED, 4, false},
	{3, 0x22, 0x22, ANY, W_ANY, SCALAR, 0, false},
	{3, 0x27, 0x27, NONE, W_ANY, FIXED, 2, false},
	{3, 0x27, 0x27, ANY, W_ANY, SCALAR, 0, false},
	{3, 0x38, 0x38, ANY, W_ANY, FIXED, 16, false},
	{3, 0x39, 0x39, ANY, W_ANY, FIXED, 16, true},
	{3, 0x3a, 0x3a, ANY, W_ANY, FIXED, 32, false},
	{3, 0x3b, 0x3b, ANY, W_ANY, FIXED, 32, true},
	{3, 0x51, 0x51, ANY, W_ANY, SCALAR, 0, false},
	{3, 0x55, 0x55, ANY, W_ANY, SCALAR, 0, false},
	{3, 0x57, 0x57, NONE, W_ANY, FIXED, 2, false},
	{3, 0x57, 0x57, ANY, W_ANY, SCALAR, 0, false},
	{3, 0x67, 0x67, NONE, W_ANY, FIXED, 2, false},
	{3, 0x67, 0x67, ANY, W_ANY, SCALAR, 0, false},
	{3, 0xc2, 0xc2, PF3, W_ANY, FIXED, 2, false},
};

static const struct row *find(const struct evex *evex)
{
	static const struct row other = {.tuple = FULL};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];

		if (row->map == evex->map && evex->opcode >= row->first && evex->opcode <= row->last &&
		    row->prefixes >> evex->prefix & 1 &&
		    (row->w == W_ANY || (row->w == W1) == evex->w))
			return row;
	}
	return &other;
}

bool evex_operand(const struct evex *evex, struct evex_operand *operand)
{
	const struct row *row = find(evex);
	/* What has no prefix in map 3 has elements of 2 bytes, but for what is not broadcast. */
	unsigned int element = evex->w ? 8 : evex->map == 3 && !evex->prefix ? 2 : 4;
	unsigned int size = evex->vector_length;

	*operand = (struct evex_operand){
		.write = row->write,
		.immediate = evex->map == 3 || (evex->map == 1 && ((evex->opcode >= 0x70 && evex->opcode <= 0x73) ||
								   evex->opcode == 0xc2 ||
								   (evex->opcode >= 0xc4 && evex->opcode <= 0xc6)))};
	switch (row->tuple) {
	case FULL:
		if (evex->broadcast)
			size = element;
		break;
	case HALF:
		size = evex->broadcast ? element : size / 2;
		break;
	case QUARTER:
		size /= 4;
		break;
	case EIGHTH:
		size /= 8;
		break;
	case SCALAR:
		size = evex->w ? 8 : 4;
		break;
	case FLOAT:
		size = evex->prefix & 1 ? 8 : 4; /* 66 and F2 */
		break;
	case FIXED:
		size = row->bytes;
		break;
	case DOUBLES:
		if (size == 16)
			size = 8;
		break;
	case PACKED:
		operand->size = size;
		operand->scale = row->bytes << evex->w;
		return true;
	case VECTOR:
		return false;
	}
	operand->size = operand->scale = size;
	return true;
}
