#include "program.h"

#include <stdarg.h>
#include <string.h>

static uint64_t next_random(struct generator *g)
{
	/* splitmix64 */
	uint64_t z = g->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned int pick(struct generator *g, unsigned int limit)
{
	return (unsigned int)(next_random(g) >> 33) % limit;
}

bool chance(struct generator *g, unsigned int in)
{
	return !pick(g, in);
}

/* Small ones, and those at the ends of a type, are the interesting ones. */
uint32_t random_32(struct generator *g)
{
	static const uint32_t ends[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
					0x80000000, 0xffffffff};

	if (chance(g, 4))
		return ends[pick(g, sizeof(ends) / sizeof(*ends))];
	return (uint32_t)next_random(g) >> (chance(g, 3) ? 24 : 0);
}

bool is_32(const struct generator *g)
{
	return g->program->mode == MODE_32;
}

static void end_instruction(struct generator *g)
{
	if (g->start)
		g->program->at[g->start].length = (uint8_t)(g->at - g->start);
	g->start = 0;
}

void begin(struct generator *g, enum flow flow)
{
	end_instruction(g);
	g->start = g->at;
	g->program->at[g->at] = (struct program_instruction){
		.flow = flow, .address_size = is_32(g) ? 4 : 2};
}

void byte(struct generator *g, unsigned int value)
{
	/* units() leaves room for the longest unit. */
	if (g->at < PROGRAM_CODE + PROGRAM_CODE_SIZE)
		g->program->memory[g->at++] = (uint8_t)value;
}

void bytes(struct generator *g, uint32_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		byte(g, value >> 8 * i);
}

void plain(struct generator *g, unsigned int count, ...)
{
	va_list args;

	begin(g, FLOW_NEXT);
	va_start(args, count);
	for (unsigned int i = 0; i < count; i++)
		byte(g, va_arg(args, unsigned int));
	va_end(args);
}

void operand_size(struct generator *g, unsigned int size)
{
	if (size == (is_32(g) ? 2 : 4))
		byte(g, 0x66);
}

unsigned int any_size(struct generator *g)
{
	return 1u << pick(g, 3);
}

unsigned int word_size(struct generator *g)
{
	return chance(g, 3) ? (is_32(g) ? 2 : 4) : (is_32(g) ? 4 : 2);
}

unsigned int any_register(struct generator *g, unsigned int size, unsigned int used)
{
	unsigned int reg;

	do
		reg = pick(g, 8);
	while ((size > 1 && reg == SP) || used >> (size > 1 ? reg : reg & 3) & 1);
	return reg;
}

void load_register(struct generator *g, unsigned int reg, uint32_t value, unsigned int size)
{
	begin(g, FLOW_NEXT);
	operand_size(g, size);
	byte(g, 0xb8 + reg);
	bytes(g, value, size);
}

uint32_t data_address(struct generator *g, unsigned int size, unsigned int room)
{
	return PROGRAM_DATA + room + pick(g, PROGRAM_DATA_SIZE - 2 * room - size + 1);
}

uint32_t segment_offset(const struct generator *g, enum segment segment, uint32_t linear)
{
	return is_32(g) ? linear : linear - 16u * g->program->selectors[segment];
}

enum segment any_segment(struct generator *g, enum segment preset, uint8_t *prefix)
{
	static const uint8_t overrides[] = {
		[SEGMENT_CS] = 0x2e, [SEGMENT_SS] = 0x36, [SEGMENT_DS] = 0x3e,
		[SEGMENT_ES] = 0x26, [SEGMENT_FS] = 0x64, [SEGMENT_GS] = 0x65,
	};
	enum segment segment = (enum segment)pick(g, SEGMENT_GS + 1);

	*prefix = 0;
	/* Code segments cannot be written to in protected mode. */
	if (!chance(g, 3) || (is_32(g) && segment == SEGMENT_CS))
		return preset;
	*prefix = overrides[segment];
	return segment;
}

static void add_tail(struct operand *operand, uint32_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		operand->tail[operand->len++] = (uint8_t)(value >> 8 * i);
}

static void add_override(struct operand *operand, uint8_t prefix)
{
	if (prefix)
		operand->prefix[operand->prefixes++] = prefix;
}

static void operand_16(struct generator *g, struct operand *operand, uint32_t linear)
{
	static const uint8_t base[8] = {BX, BX, BP, BP, SI, DI, BP, BX};
	static const uint8_t index[8] = {SI, DI, SI, DI, 0, 0, 0, 0};
	unsigned int mod = pick(g, 3), rm = pick(g, 8);
	bool absolute = !mod && rm == 6;
	bool stack = base[rm] == BP && !absolute;
	uint32_t disp = mod == 1 ? (uint32_t)(int8_t)random_32(g) : mod ? random_32(g) : 0;
	/* Of 32-bit registers only the lower half counts. */
	uint32_t junk = is_32(g) ? random_32(g) << 16 : 0, value;
	unsigned int size = is_32(g) ? 4 : 2;
	uint8_t prefix;
	uint32_t offset = segment_offset(
		g, any_segment(g, stack ? SEGMENT_SS : SEGMENT_DS, &prefix), linear);

	add_override(operand, prefix);
	if (is_32(g))
		operand->prefix[operand->prefixes++] = 0x67;
	add_tail(operand, mod << 6 | rm, 1);
	if (absolute) {
		add_tail(operand, offset, 2);
		return;
	}
	add_tail(operand, disp, mod);
	offset -= disp;
	if (rm < 4) {
		value = random_32(g);
		load_register(g, index[rm], value, size);
		operand->used |= 1u << index[rm];
		offset -= value;
	}
	load_register(g, base[rm], (offset & 0xffff) | junk, size);
	operand->used |= 1u << base[rm];
}

static void operand_32(struct generator *g, struct operand *operand, uint32_t linear)
{
	unsigned int mod = pick(g, 3), rm = pick(g, 8), base = rm, index = SP, scale = pick(g, 4);
	uint32_t disp = mod == 1 ? (uint32_t)(int8_t)random_32(g) : mod ? random_32(g) : 0, offset;
	uint32_t value = random_32(g);
	bool has_base, stack;
	enum segment segment;
	uint8_t prefix;

	if (rm == SP) {
		base = any_register(g, 4, 0);
		do
			index = pick(g, 8);
		while (index == base && (mod || base != BP));
	}
	has_base = mod || base != BP;
	stack = has_base && base == BP;
	segment = any_segment(g, stack ? SEGMENT_SS : SEGMENT_DS, &prefix);
	offset = segment_offset(g, segment, linear);
	add_override(operand, prefix);
	if (!is_32(g))
		operand->prefix[operand->prefixes++] = 0x67;
	add_tail(operand, mod << 6 | rm, 1);
	if (rm == SP)
		add_tail(operand, scale << 6 | index << 3 | base, 1);
	if (index != SP) {
		load_register(g, index, value, 4);
		operand->used |= 1u << index;
		offset -= value << scale;
	}
	if (has_base) {
		load_register(g, base, offset - disp, 4);
		operand->used |= 1u << base;
		add_tail(operand, disp, mod == 2 ? 4 : mod);
	} else {
		add_tail(operand, offset, 4);
	}
}

/* Below the stack pointer, where nothing is that is needed later. */
static void operand_below_stack(struct generator *g, struct operand *operand, unsigned int size)
{
	if (!is_32(g))
		operand->prefix[operand->prefixes++] = 0x67;
	add_tail(operand, 0x40 | SP, 1);
	add_tail(operand, SP << 3 | SP, 1);
	add_tail(operand, 0u - size - pick(g, 64), 1);
}

struct operand memory_operand(struct generator *g, unsigned int size, unsigned int room)
{
	struct operand operand = {0};
	uint32_t linear = data_address(g, size, room);

	if (!room && chance(g, 8))
		operand_below_stack(g, &operand, size);
	else if (chance(g, 4) ? !is_32(g) : is_32(g))
		operand_32(g, &operand, linear);
	else
		operand_16(g, &operand, linear);
	return operand;
}

struct operand register_operand(struct generator *g, unsigned int size)
{
	struct operand operand = {.len = 1};

	operand.tail[0] = (uint8_t)(0xc0 | any_register(g, size, 0));
	return operand;
}

struct operand any_operand(struct generator *g, unsigned int size)
{
	return chance(g, 3) ? register_operand(g, size) : memory_operand(g, size, 0);
}

void with_operand(struct generator *g, const struct operand *operand, unsigned int size,
		  unsigned int opcode, unsigned int reg)
{
	begin(g, FLOW_NEXT);
	for (unsigned int i = 0; i < operand->prefixes; i++)
		byte(g, operand->prefix[i]);
	operand_size(g, size);
	if (opcode > 0xff)
		byte(g, opcode >> 8);
	byte(g, opcode);
	byte(g, operand->tail[0] | reg << 3);
	for (unsigned int i = 1; i < operand->len; i++)
		byte(g, operand->tail[i]);
}

/* #DE's, which goes on behind the division: those that can fault have 2 bytes. */
static void divide_handler(struct generator *g)
{
	g->program->divide_handler = g->at;
	if (is_32(g)) {
		/* No IRET, which emulating hosts lack here: the flags stay as they are. */
		plain(g, 4, 0x83, 0x04, 0x24, 2); /* add dword [esp], 2 */
		begin(g, FLOW_INDIRECT);	  /* retf 4 */
		bytes(g, 0x0004ca, 3);
	} else {
		plain(g, 1, 0x55);		  /* push bp */
		plain(g, 2, 0x89, 0xe5);	  /* mov bp, sp */
		plain(g, 4, 0x83, 0x46, 0x02, 2); /* add word [bp + 2], 2 */
		plain(g, 1, 0x5d);		  /* pop bp */
		begin(g, FLOW_INDIRECT);	  /* iret */
		byte(g, 0xcf);
	}
}

static void handlers(struct generator *g)
{
	static const uint8_t vectors[] = {3, 4, 0x20, 0x21, 0x22, 0x23};
	uint8_t *memory = g->program->memory;

	divide_handler(g);
	if (is_32(g)) {
		const uint64_t gate = 0x00008f0000080000 | g->program->divide_handler;

		memcpy(memory + PROGRAM_IDT, &gate, sizeof(gate));
		return;
	}
	memcpy(memory, &g->program->divide_handler, 2);
	for (unsigned int i = 0; i < sizeof(vectors); i++) {
		end_instruction(g);
		memcpy(memory + 4 * vectors[i], &g->at, 2);
		units(g, pick(g, 3));
		begin(g, FLOW_INDIRECT); /* iret */
		byte(g, 0xcf);
	}
}

static void subroutines(struct generator *g)
{
	for (unsigned int i = 0; i < 3; i++) {
		end_instruction(g);
		g->near_target[i] = g->at;
		units(g, 1 + pick(g, 2));
		begin(g, FLOW_INDIRECT);
		if (i == 2)
			bytes(g, 0xc2 | g->pops << 8, 3); /* ret n */
		else
			byte(g, 0xc3);
	}
	end_instruction(g);
	g->far_target = g->at;
	units(g, 1);
	begin(g, FLOW_INDIRECT); /* retf */
	byte(g, 0xcb);
}

static void fill(struct generator *g)
{
	struct program *p = g->program;
	__u64 *const all[] = {&p->regs.rax, &p->regs.rcx, &p->regs.rdx, &p->regs.rbx,
			      &p->regs.rbp, &p->regs.rsi, &p->regs.rdi};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++)
		*all[i] = random_32(g);
	/* Few values, so that comparisons of strings find some equal. */
	for (unsigned int i = 0; i < PROGRAM_DATA_SIZE; i++)
		p->memory[PROGRAM_DATA + i] = (uint8_t)(chance(g, 3) ? random_32(g) : pick(g, 2));
	for (enum segment s = SEGMENT_SS; s <= SEGMENT_GS && p->mode == MODE_16; s++)
		p->selectors[s] = (uint16_t)(chance(g, 3) ? 0 : pick(g, PROGRAM_DATA >> 4));
}

void program_make(struct program *program, uint64_t seed, enum vcpu_mode mode)
{
	struct generator g = {.program = program, .random = seed, .at = PROGRAM_CODE};

	memset(program, 0, sizeof(*program));
	program->seed = seed;
	program->mode = mode;
	fill(&g);
	g.subroutine = true;
	g.pops = 2 * pick(&g, 4);
	handlers(&g);
	subroutines(&g);
	g.subroutine = false;
	end_instruction(&g);
	program->regs.rip = g.at;
	program->regs.rsp = PROGRAM_STACK + PROGRAM_STACK_SIZE / 2 -
			    (mode == MODE_16 ? 16u * program->selectors[SEGMENT_SS] : 0);
	program->regs.rflags = 2;
	units(&g, 8 + pick(&g, 24));
	/* A MOV SS before the HLT would carry its traps into the next program. */
	plain(&g, 1, 0x90);
	plain(&g, 1, 0x90);
	begin(&g, FLOW_HALT);
	byte(&g, 0xf4);
	end_instruction(&g);
	program->end = g.at;
}

const struct program_instruction *program_at(const struct program *program, uint64_t linear)
{
	if (linear < PROGRAM_CODE || linear >= program->end ||
	    program->at[linear].flow == FLOW_NONE)
		return NULL;
	return &program->at[linear];
}
