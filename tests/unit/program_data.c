/* Units that compute and move data. */
#include "program.h"

/*
 * CMP AL, n: behind instructions that leave flags undefined, since those need not be the same in
 * two runs on one host if that is an emulator with a just-in-time compiler.
 */
static void define_flags(struct generator *g)
{
	begin(g, FLOW_NEXT);
	byte(g, 0x3c);
	byte(g, random_32(g));
}

/* ADD, OR, ADC, SBB, AND, SUB, XOR, CMP in all forms. */
static void arithmetic(struct generator *g)
{
	unsigned int size = any_size(g), op = pick(g, 8), wide = size > 1, imm_size;
	struct operand operand;

	switch (pick(g, 4)) {
	case 0:
		operand = any_operand(g, size);
		with_operand(g, &operand, size, op << 3 | wide, any_register(g, size, 0));
		return;
	case 1:
		operand = any_operand(g, size);
		with_operand(g, &operand, size, op << 3 | 2 | wide, any_register(g, size, 0));
		return;
	case 2:
		operand = any_operand(g, size);
		imm_size = wide && chance(g, 2) ? 1 : size;
		with_operand(g, &operand, size, 0x80 | wide | (wide && imm_size == 1 ? 2 : 0), op);
		bytes(g, random_32(g), imm_size);
		return;
	default:
		begin(g, FLOW_NEXT);
		operand_size(g, size);
		byte(g, op << 3 | 4 | wide);
		bytes(g, random_32(g), size);
	}
}

static void locked(struct generator *g)
{
	static const uint8_t ops[] = {0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x86};
	unsigned int size = any_size(g);
	struct operand operand = memory_operand(g, size, 0);

	if (operand.prefixes == 2)
		return;
	operand.prefix[operand.prefixes++] = 0xf0;
	with_operand(g, &operand, size, ops[pick(g, sizeof(ops))] | (size > 1),
		     any_register(g, size, 0));
}

static void move(struct generator *g)
{
	unsigned int size = any_size(g), wide = size > 1;
	struct operand operand;
	enum segment segment;
	uint8_t prefix;

	switch (pick(g, 7)) {
	case 0: /* MOV either way, TEST, XCHG */
	case 1:
		operand = any_operand(g, size);
		with_operand(g, &operand, size,
			     (chance(g, 2) ? 0x88 : 0x84) + 2 * pick(g, 2) + wide,
			     any_register(g, size, 0));
		return;
	case 2:
		operand = any_operand(g, size);
		with_operand(g, &operand, size, 0xc6 | wide, 0);
		bytes(g, random_32(g), size);
		return;
	case 3: /* with an absolute address */
		segment = any_segment(g, SEGMENT_DS, &prefix);
		begin(g, FLOW_NEXT);
		if (prefix)
			byte(g, prefix);
		operand_size(g, size);
		if (chance(g, 3)) {
			byte(g, 0x67);
			byte(g, 0xa0 + 2 * pick(g, 2) + wide);
			bytes(g, segment_offset(g, segment, data_address(g, size, 0)),
			      is_32(g) ? 2 : 4);
		} else {
			byte(g, 0xa0 + 2 * pick(g, 2) + wide);
			bytes(g, segment_offset(g, segment, data_address(g, size, 0)),
			      is_32(g) ? 4 : 2);
		}
		return;
	case 4: /* MOVZX, MOVSX */
		size = word_size(g);
		operand = any_operand(g, 1);
		with_operand(g, &operand, size, 0x0fb6 | 8 * pick(g, 2), any_register(g, size, 0));
		return;
	case 5: /* LEA */
		size = word_size(g);
		operand = memory_operand(g, 1, 0);
		with_operand(g, &operand, size, 0x8d, any_register(g, size, 0));
		return;
	default: /* XCHG with the accumulator, and NOP */
		begin(g, FLOW_NEXT);
		operand_size(g, wide ? size : 2);
		byte(g, 0x90 | any_register(g, 2, 0));
	}
}

static void unary(struct generator *g)
{
	unsigned int size = any_size(g), wide = size > 1;
	struct operand operand = any_operand(g, size);

	switch (pick(g, 4)) {
	case 0: /* INC, DEC */
		with_operand(g, &operand, size, 0xfe | wide, pick(g, 2));
		return;
	case 1: /* NOT, NEG */
		with_operand(g, &operand, size, 0xf6 | wide, 2 + pick(g, 2));
		return;
	case 2: /* MUL, IMUL */
		with_operand(g, &operand, size, 0xf6 | wide, 4 + pick(g, 2));
		define_flags(g);
		return;
	default: /* TEST */
		with_operand(g, &operand, size, 0xf6 | wide, 0);
		bytes(g, random_32(g), size);
	}
}

static void multiply(struct generator *g)
{
	static const unsigned int opcodes[] = {0x0faf, 0x69, 0x6b};
	unsigned int size = word_size(g), opcode = pick(g, 3);
	struct operand operand = any_operand(g, size);

	with_operand(g, &operand, size, opcodes[opcode], any_register(g, size, 0));
	bytes(g, random_32(g), opcode == 1 ? size : opcode ? 1 : 0);
}

/* Counts that leave no result undefined; 0 only where it makes no difference to memory. */
static void shift(struct generator *g)
{
	unsigned int size = any_size(g), wide = size > 1, op = pick(g, 8);
	unsigned int count = 1 + pick(g, 8 * size - 1);
	struct operand operand;

	switch (pick(g, 4)) {
	case 0:
		operand = any_operand(g, size);
		with_operand(g, &operand, size, 0xd0 | wide, op);
		return;
	case 1:
		operand = any_operand(g, size);
		with_operand(g, &operand, size, 0xc0 | wide, op);
		byte(g, count);
		return;
	case 2:
		plain(g, 2, 0xb1, chance(g, 4) ? 0 : count); /* mov cl, count */
		operand = register_operand(g, size);
		with_operand(g, &operand, size, 0xd2 | wide, op);
		return;
	default: /* SHLD, SHRD */
		size = word_size(g);
		operand = any_operand(g, size);
		with_operand(g, &operand, size, 0x0fa4 | 8 * pick(g, 2), any_register(g, size, 0));
		byte(g, 1 + pick(g, 8 * size - 1));
	}
}

/* BT and the like; with a register the bit may be far from the operand. */
static void bits(struct generator *g)
{
	static const unsigned int opcodes[] = {0x0fa3, 0x0fab, 0x0fb3, 0x0fbb};
	unsigned int size = word_size(g), reg;
	struct operand operand;

	switch (pick(g, 4)) {
	case 0:
		operand = any_operand(g, size);
		with_operand(g, &operand, size, 0x0fba, 4 + pick(g, 4));
		byte(g, random_32(g));
		return;
	case 1:
		operand = register_operand(g, size);
		with_operand(g, &operand, size, opcodes[pick(g, 4)], any_register(g, size, 0));
		return;
	case 2: /* BSF, BSR of what is not 0: the result would be undefined */
		reg = any_register(g, size, 0);
		load_register(g, reg, 1u << pick(g, 8 * size) | random_32(g), size);
		operand = (struct operand){.len = 1, .tail = {(uint8_t)(0xc0 | reg)}};
		with_operand(g, &operand, size, 0x0fbc | pick(g, 2), any_register(g, size, 0));
		return;
	default:
		operand = memory_operand(g, size, 64);
		reg = any_register(g, size, operand.used);
		load_register(g, reg, pick(g, 1000) - 500, size);
		with_operand(g, &operand, size, opcodes[pick(g, 4)], reg);
	}
}

static void rare(struct generator *g)
{
	/* CBW CWD LAHF SAHF CLC STC CMC CLD STD CLI STI NOP */
	static const uint8_t alone[] = {0x98, 0x99, 0x9f, 0x9e, 0xf8, 0xf9,
					0xf5, 0xfc, 0xfd, 0xfa, 0xfb, 0x90};
	unsigned int size = any_size(g), wide = size > 1;
	struct operand operand;
	enum segment segment;
	uint8_t prefix;

	switch (pick(g, 8)) {
	case 0: /* SETcc */
		operand = any_operand(g, 1);
		with_operand(g, &operand, 1, 0x0f90 | pick(g, 16), 0);
		return;
	case 1: /* CMOVcc */
		size = word_size(g);
		operand = any_operand(g, size);
		with_operand(g, &operand, size, 0x0f40 | pick(g, 16), any_register(g, size, 0));
		return;
	case 2: /* XADD, CMPXCHG */
		operand = any_operand(g, size);
		with_operand(g, &operand, size, (chance(g, 2) ? 0x0fc0 : 0x0fb0) | wide,
			     any_register(g, size, 0));
		return;
	case 3: /* CMPXCHG8B */
		operand = memory_operand(g, 8, 1);
		with_operand(g, &operand, 1, 0x0fc7, 1);
		return;
	case 4: /* BSWAP */
		begin(g, FLOW_NEXT);
		operand_size(g, 4);
		byte(g, 0x0f);
		byte(g, 0xc8 | any_register(g, 4, 0));
		return;
	case 5: /* XLAT */
		segment = any_segment(g, SEGMENT_DS, &prefix);
		load_register(g, BX, segment_offset(g, segment, data_address(g, 256, 0)),
			      is_32(g) ? 4 : 2);
		begin(g, FLOW_NEXT);
		if (prefix)
			byte(g, prefix);
		byte(g, 0xd7);
		return;
	default:
		plain(g, 1, alone[pick(g, sizeof(alone))]);
	}
}

static void divide(struct generator *g)
{
	unsigned int size = word_size(g), divisor = random_32(g);

	begin(g, FLOW_NEXT);
	switch (pick(g, 3)) {
	case 0: /* DIV BL, by 0 or with an overflow at times */
		byte(g, 0xb3);
		byte(g, chance(g, 2) ? 0 : divisor);
		begin(g, FLOW_DIVIDE);
		byte(g, 0xf6);
		byte(g, 0xf3 | 8 * pick(g, 2)); /* or IDIV */
		return;
	default: /* DIV BX of what is not too large */
		divisor |= 0x100;
		byte(g, 0xb8 | DX);
		bytes(g, pick(g, 0x100), is_32(g) ? 4 : 2);
		if (size == 4 && !is_32(g))
			load_register(g, DX, pick(g, 0x100), 4);
		load_register(g, BX, divisor, size);
		begin(g, FLOW_NEXT);
		operand_size(g, size);
		byte(g, 0xf7);
		byte(g, 0xf3);
	}
}

void data_unit(struct generator *g)
{
	static const struct {
		void (*make)(struct generator *);
		bool leaves_flags_undefined;
	} all[] = {
		{arithmetic, false}, {arithmetic, false}, {move, false},    {move, false},
		{unary, false},	     {multiply, true},	  {shift, true},    {bits, true},
		{rare, false},	     {rare, false},	  {divide, true},   {locked, false},
	};
	unsigned int which = pick(g, sizeof(all) / sizeof(*all));

	all[which].make(g);
	if (all[which].leaves_flags_undefined)
		define_flags(g);
}
