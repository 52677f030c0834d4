/*
 * The units that programs are made of, which leave the stack as it was: here those with stack,
 * strings, ports and jumps.
 */
#include "program.h"

#include <string.h>

/* The longest unit without the units inside it; see units(). */
#define UNIT_MAX 80

/* PUSH and POP in all forms, around units that leave the stack as it was. */
static void stack(struct generator *g)
{
	/* ES, SS, DS, FS */
	static const uint16_t push_segment[] = {0x06, 0x16, 0x1e, 0xa00f};
	static const uint16_t pop_segment[] = {0x07, 0x17, 0x1f, 0xa10f};
	unsigned int size = word_size(g), which = pick(g, 6);
	struct operand operand;

	switch (which) {
	case 0: /* all registers, as they were */
		begin(g, FLOW_NEXT);
		operand_size(g, size);
		byte(g, 0x60);
		units(g, pick(g, 2));
		begin(g, FLOW_NEXT);
		operand_size(g, size);
		byte(g, 0x61);
		return;
	case 1: /* a segment register, as it was */
		/* As 2 bytes: of 4, some processors write only the lower half. */
		which = pick(g, 4);
		begin(g, FLOW_NEXT);
		operand_size(g, 2);
		bytes(g, push_segment[which], which == 3 ? 2 : 1);
		units(g, pick(g, 2));
		begin(g, FLOW_NEXT);
		operand_size(g, 2);
		bytes(g, pop_segment[which], which == 3 ? 2 : 1);
		return;
	case 2: /* the flags, and those from a constant */
		begin(g, FLOW_NEXT);
		operand_size(g, size);
		byte(g, 0x9c);
		units(g, pick(g, 2));
		if (chance(g, 2)) {
			begin(g, FLOW_NEXT);
			operand_size(g, size);
			byte(g, 0x68);
			bytes(g, random_32(g) & 0x0ed5, size);
			begin(g, FLOW_NEXT);
			operand_size(g, size);
			byte(g, 0x9d);
		}
		begin(g, FLOW_NEXT);
		operand_size(g, size);
		byte(g, 0x9d);
		return;
	case 3: /* ENTER and LEAVE */
		/* Without locals: the processor may touch the end of them, and write nothing. */
		plain(g, 4, 0xc8, 0, 0, 0);
		if (chance(g, 2)) {
			plain(g, 1, 0x55);
			units(g, 1);
			plain(g, 1, 0x5d);
		}
		plain(g, 1, 0xc9);
		return;
	}
	begin(g, FLOW_NEXT);
	switch (pick(g, 4)) {
	case 0:
		operand_size(g, size);
		byte(g, 0x50 | pick(g, 8));
		break;
	case 1:
		operand_size(g, size);
		byte(g, 0x6a);
		byte(g, random_32(g));
		break;
	case 2:
		operand_size(g, size);
		byte(g, 0x68);
		bytes(g, random_32(g), size);
		break;
	default:
		operand = memory_operand(g, size, 1);
		with_operand(g, &operand, size, 0xff, 6);
	}
	units(g, pick(g, 2));
	if (chance(g, 2)) {
		begin(g, FLOW_NEXT);
		operand_size(g, size);
		byte(g, 0x58 | any_register(g, size, 0));
	} else {
		operand = memory_operand(g, size, 1);
		with_operand(g, &operand, size, 0x8f, 0);
	}
}

/* MOV SS with the value that it has, from a register or from memory; other segments likewise. */
static void segments(struct generator *g)
{
	unsigned int which = chance(g, 2) ? SS : 3 * pick(g, 2), reg = any_register(g, 2, 0);
	struct operand operand;

	if (chance(g, 2)) {
		plain(g, 2, 0x8c, 0xc0 | which << 3 | reg);
	} else {
		/* The same place twice: its address does not depend on what was loaded. */
		operand = memory_operand(g, 2, 1);
		with_operand(g, &operand, is_32(g) ? 4 : 2, 0x8c, which);
		with_operand(g, &operand, is_32(g) ? 4 : 2, 0x8e, which);
		return;
	}
	plain(g, 2, 0x8e, 0xc0 | which << 3 | reg);
}

static void string(struct generator *g)
{
	/* MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS */
	static const uint8_t ops[] = {0xa4, 0xa6, 0xaa, 0xac, 0xae, 0x6c, 0x6e};
	unsigned int op = ops[pick(g, sizeof(ops))], size = any_size(g);
	unsigned int repeat = chance(g, 3) ? 0 : 0xf2 + pick(g, 2);
	bool compares = op == 0xa6 || op == 0xae, other = chance(g, 4);
	unsigned int width = is_32(g) != other ? 4 : 2;
	enum segment source;
	uint8_t prefix;

	if (op < 0x70) {
		load_register(g, DX, 0x60 + pick(g, 4), is_32(g) ? 4 : 2);
		if (!compares && repeat == 0xf2)
			repeat = 0xf3;
	}
	source = any_segment(g, SEGMENT_DS, &prefix);
	/* With 16-bit addresses the upper halves mean nothing, but 32-bit registers have them. */
	load_register(g, SI, segment_offset(g, source, data_address(g, 4, 64)), width);
	load_register(g, DI, segment_offset(g, SEGMENT_ES, data_address(g, 4, 64)), width);
	load_register(g, CX, pick(g, 14), width);
	if (chance(g, 4))
		plain(g, 1, chance(g, 2) ? 0xfc : 0xfd); /* cld, std */
	begin(g, repeat ? FLOW_REPEAT : FLOW_NEXT);
	if (repeat)
		byte(g, repeat);
	if (prefix)
		byte(g, prefix);
	if (other)
		byte(g, 0x67);
	operand_size(g, size);
	byte(g, op | (size > 1));
	g->program->at[g->start].repeat = compares ? (uint8_t)repeat : 0;
	g->program->at[g->start].address_size = (uint8_t)width;
}

static void io(struct generator *g)
{
	unsigned int size = any_size(g), wide = size > 1, out = 2 * pick(g, 2);
	bool immediate = chance(g, 2);

	if (!immediate)
		load_register(g, DX, 0x60 + pick(g, 4), is_32(g) ? 4 : 2);
	begin(g, FLOW_NEXT);
	operand_size(g, size);
	byte(g, (immediate ? 0xe4 : 0xec) | out | wide);
	if (immediate)
		byte(g, 0x60 + pick(g, 4));
}

/* The jump that was begun at `start` goes to here; its offset is the `size` bytes before `from`. */
static void land(struct generator *g, uint16_t start, uint16_t from, unsigned int size)
{
	uint16_t distance = (uint16_t)(g->at - from);

	g->program->at[start].target = g->at;
	memset(g->program->memory + from - size, 0, size);
	memcpy(g->program->memory + from - size, &distance, size < 2 ? 1 : 2);
}

static void branch(struct generator *g)
{
	bool far = chance(g, 2);
	unsigned int size = far ? (is_32(g) ? 4 : 2) : 1, start, from;
	unsigned int which = pick(g, 10);

	if (which < 8) { /* Jcc */
		begin(g, FLOW_BRANCH);
		if (far)
			byte(g, 0x0f);
		byte(g, (far ? 0x80 : 0x70) | pick(g, 16));
	} else if (which == 8) {
		begin(g, FLOW_JUMP);
		byte(g, far ? 0xe9 : 0xeb);
	} else {
		begin(g, FLOW_BRANCH); /* JCXZ */
		byte(g, 0xe3);
		size = 1;
	}
	bytes(g, 0, size);
	start = g->start;
	from = g->at;
	units(g, 1);
	if (size == 1 && g->at - from > 127) {
		/* Too far: to the next instruction, then. */
		g->program->at[start].target = (uint16_t)from;
		return;
	}
	/* Its end is noted before the target is. */
	begin(g, FLOW_NEXT);
	land(g, (uint16_t)start, (uint16_t)from, size);
	byte(g, 0x90);
}

static void back(struct generator *g, unsigned int opcode, unsigned int to)
{
	begin(g, FLOW_BRANCH);
	if (g->at + 2 - to <= 128) {
		byte(g, opcode);
		byte(g, to - (g->at + 1u));
		g->program->at[g->start].target = (uint16_t)to;
	} else if (opcode >= 0xe0) {
		/* LOOP has no long form: once is enough. */
		byte(g, opcode);
		byte(g, 0);
		g->program->at[g->start].target = g->at;
	} else {
		unsigned int size = is_32(g) ? 4 : 2;

		byte(g, 0x0f);
		byte(g, opcode + 0x10);
		bytes(g, to - (g->at + size), size);
		g->program->at[g->start].target = (uint16_t)to;
	}
}

static void loop(struct generator *g)
{
	unsigned int counter = PROGRAM_COUNTERS + 2u * (unsigned int)g->depth, to;

	if (g->subroutine || g->loops > 1)
		return;
	g->loops++;
	if (chance(g, 2)) {
		load_register(g, CX, 2 + pick(g, 3), is_32(g) ? 4 : 2);
		begin(g, FLOW_NEXT);
		to = g->at;
		byte(g, 0x51); /* push cx */
		units(g, 1);
		plain(g, 1, 0x59);
		back(g, chance(g, 3) ? 0xe0 + pick(g, 2) : 0xe2, to);
	} else {
		/* The segment with the code begins at 0, in real mode too. */
		begin(g, FLOW_NEXT); /* mov word [cs:counter], n; ds when there is no choice */
		byte(g, is_32(g) ? 0x66 : 0x2e);
		byte(g, 0xc7);
		byte(g, is_32(g) ? 0x05 : 0x06);
		bytes(g, counter, is_32(g) ? 4 : 2);
		bytes(g, 2 + pick(g, 3), 2);
		begin(g, FLOW_NEXT);
		to = g->at;
		byte(g, 0x90);
		units(g, 1);
		begin(g, FLOW_NEXT); /* dec word [cs:counter] */
		byte(g, is_32(g) ? 0x66 : 0x2e);
		byte(g, 0xff);
		byte(g, is_32(g) ? 0x0d : 0x0e);
		bytes(g, counter, is_32(g) ? 4 : 2);
		back(g, 0x75, to);
	}
	g->loops--;
}

static void call(struct generator *g)
{
	unsigned int which = pick(g, 3), target = g->near_target[which], reg;
	unsigned int size = is_32(g) ? 4 : 2;
	struct operand operand;

	/* What `ret n` takes away; in 32-bit code it may be no multiple of an item. */
	if (which == 2) {
		for (unsigned int i = 0; i < g->pops; i += 2) {
			begin(g, FLOW_NEXT);
			operand_size(g, 2);
			byte(g, 0x50 | pick(g, 8));
		}
	}
	switch (pick(g, 3)) {
	case 0:
		begin(g, FLOW_JUMP);
		byte(g, 0xe8);
		bytes(g, target - (g->at + size), size);
		break;
	case 1:
		reg = any_register(g, size, 0);
		load_register(g, reg, target, size);
		begin(g, FLOW_JUMP);
		byte(g, 0xff);
		byte(g, 0xd0 | reg);
		break;
	default:
		operand = memory_operand(g, size, 1);
		with_operand(g, &operand, size, 0xc7, 0);
		bytes(g, target, size);
		with_operand(g, &operand, size, 0xff, 2);
		g->program->at[g->start].flow = FLOW_JUMP;
	}
	g->program->at[g->start].target = (uint16_t)target;
}

static void call_or_int(struct generator *g)
{
	static const uint8_t vectors[] = {0x20, 0x21, 0x22, 0x23};
	unsigned int vector, from;

	if (g->subroutine)
		return;
	switch (is_32(g) ? 4 : pick(g, 6)) {
	case 0: /* INT n */
	case 1:
		vector = vectors[pick(g, 4)];
		begin(g, FLOW_JUMP);
		byte(g, 0xcd);
		byte(g, vector);
		break;
	case 2: /* INT3 */
		vector = 3;
		begin(g, FLOW_JUMP);
		byte(g, 0xcc);
		break;
	case 3: /* INTO */
		vector = 4;
		begin(g, FLOW_BRANCH);
		byte(g, 0xce);
		break;
	case 4:
		call(g);
		return;
	default:
		if (chance(g, 2)) { /* far call */
			begin(g, FLOW_JUMP);
			byte(g, 0x9a);
			bytes(g, g->far_target, 4);
			g->program->at[g->start].target = g->far_target;
			return;
		}
		plain(g, 1, 0x9c); /* pushf; push cs; push target; iret */
		plain(g, 1, 0x0e);
		begin(g, FLOW_NEXT);
		byte(g, 0x68);
		bytes(g, 0, 2);
		from = g->at;
		begin(g, FLOW_INDIRECT);
		byte(g, 0xcf);
		memcpy(g->program->memory + from - 2, &g->at, 2);
		return;
	}
	memcpy(&g->program->at[g->start].target, g->program->memory + 4 * vector, 2);
}

static void unit(struct generator *g)
{
	static void (*const all[])(struct generator *) = {
		data_unit, data_unit, data_unit, data_unit, data_unit, data_unit,   data_unit,
		data_unit, data_unit, data_unit, data_unit, data_unit, stack,	    stack,
		segments,  string,    string,	 string,    io,	       branch,	    branch,
		loop,	   loop,      call_or_int, call_or_int,
	};

	all[pick(g, sizeof(all) / sizeof(*all))](g);
}

void units(struct generator *g, unsigned int count)
{
	if (g->depth == 4)
		return;
	g->depth++;
	for (unsigned int i = 0; i < count; i++) {
		if (g->at + UNIT_MAX * (unsigned int)g->depth + UNIT_MAX <
		    PROGRAM_CODE + PROGRAM_CODE_SIZE)
			unit(g);
	}
	g->depth--;
}
