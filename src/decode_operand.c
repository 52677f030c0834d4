/* The memory operands of instructions, explicit and implied. */
#include "decode_operand.h"

#define RFLAGS_OF 0x800u

uint64_t operand_mask(unsigned int size)
{
	return size >= 8 ? ~0ull : (1ull << 8 * size) - 1;
}

/* A general register by its number in the encoding. */
uint64_t operand_register(const struct decoder *d, unsigned int number)
{
	return *vcpu_general(d->vcpu->regs, number);
}

static uint64_t linear(const struct decoder *d, enum segment which, uint64_t offset)
{
	uint64_t base = segment_of((struct kvm_sregs *)d->vcpu->sregs, which)->base;

	if (d->mode == MODE_64)
		return which >= SEGMENT_FS ? base + offset : offset;
	return (uint32_t)(base + offset);
}

static void add(struct decoder *d, uint64_t address, uint64_t len, bool read, bool write)
{
	struct instruction *out = d->out;

	if (!len || out->accesses == DATA_ACCESSES_MAX)
		return;
	out->access[out->accesses++] = (struct data_access){
		.linear = address, .len = (uint32_t)len, .read = read, .write = write};
}

enum segment operand_segment(const struct decoder *d, enum segment preset)
{
	return d->segment >= 0 ? (enum segment)d->segment : preset;
}

void operand_add(struct decoder *d, uint64_t len, unsigned int what)
{
	if (!d->has_memory)
		return;
	add(d, linear(d, d->operand_segment, d->offset), len, what & R, what & W);
}

/* The stack: its pointer has the size of SS, its items that of the operand. */
static void add_stack(struct decoder *d, int64_t from, uint64_t len, unsigned int what)
{
	unsigned int size = d->mode == MODE_64 ? 8 : d->vcpu->sregs->ss.db ? 4 : 2;
	uint64_t offset = (d->vcpu->regs->rsp + (uint64_t)from) & operand_mask(size);

	add(d, linear(d, SEGMENT_SS, offset), len, what & R, what & W);
}

static unsigned int stack_item(const struct decoder *d)
{
	if (d->mode == MODE_64)
		return d->operand_prefix ? 2 : 8;
	return d->out->operand_size;
}

static void push(struct decoder *d, unsigned int items)
{
	unsigned int len = items * stack_item(d);

	add_stack(d, -(int64_t)len, len, W);
}

static void pop(struct decoder *d, unsigned int items)
{
	add_stack(d, 0, items * stack_item(d), R);
}

static void string_operand(struct decoder *d, enum segment which, uint64_t offset,
			   unsigned int what)
{
	add(d, linear(d, which, offset & operand_mask(d->out->address_size)), d->out->element, what & R,
	    what & W);
}

static void string(struct decoder *d, uint8_t opcode)
{
	const struct kvm_regs *r = d->vcpu->regs;
	enum segment source = operand_segment(d, SEGMENT_DS);

	d->out->class = CLASS_STRING;
	d->out->element = opcode & 1 ? d->out->operand_size : 1;
	d->out->repeated = d->repe || d->repne;
	d->out->port = opcode <= 0x6f;
	if (d->out->port && d->out->element == 8)
		d->out->element = 4;
	if (d->out->repeated && !(r->rcx & operand_mask(d->out->address_size)))
		return;
	switch (opcode & 0xfe) {
	case 0x6c: /* INS */
	case 0xaa: /* STOS */
		string_operand(d, SEGMENT_ES, r->rdi, W);
		break;
	case 0x6e: /* OUTS */
	case 0xac: /* LODS */
		string_operand(d, source, r->rsi, R);
		break;
	case 0xa4: /* MOVS */
		string_operand(d, source, r->rsi, R);
		string_operand(d, SEGMENT_ES, r->rdi, W);
		break;
	case 0xa6: /* CMPS */
		string_operand(d, source, r->rsi, R);
		string_operand(d, SEGMENT_ES, r->rdi, R);
		break;
	case 0xae: /* SCAS */
		string_operand(d, SEGMENT_ES, r->rdi, R);
		break;
	}
}

/* x87: what the memory operand is, by opcode and reg (SDM volume 2, table A-7 and on). */
static void x87(struct decoder *d, uint8_t opcode)
{
	/* Bytes; negative: written. The environments' sizes depend on the operand size. */
	static const int8_t sizes[8][8] = {
		{4, 4, 4, 4, 4, 4, 4, 4},      {4, 0, -4, -4, 14, 2, -14, -2},
		{4, 4, 4, 4, 4, 4, 4, 4},      {4, -4, -4, -4, 0, 10, 0, -10},
		{8, 8, 8, 8, 8, 8, 8, 8},      {8, -8, -8, -8, 94, 0, -94, -2},
		{2, 2, 2, 2, 2, 2, 2, 2},      {2, -2, -2, -2, 10, 8, -10, -8}};
	int size = sizes[opcode - 0xd8][d->modrm >> 3 & 7];
	unsigned int what = size < 0 ? W : R;

	if (size < 0)
		size = -size;
	if ((size == 14 || size == 94) && d->out->operand_size != 2)
		size += 14;
	operand_add(d, (uint64_t)size, what);
}

static void interrupt(struct decoder *d, uint8_t vector)
{
	d->out->class = CLASS_INT;
	d->out->vector = vector;
	/* In protected mode the frame goes to a stack that the gate chooses. */
	if (vcpu_is_real(d->vcpu) && !(d->vcpu->regs->rflags & RFLAGS_VM))
		add_stack(d, -6, 6, W);
}

static void enter_frame(struct decoder *d, uint8_t level)
{
	unsigned int item = stack_item(d);

	level &= 31;
	add_stack(d, -(int64_t)(item * (1u + level)), item * (1u + level), W);
}

static void group_ff(struct decoder *d)
{
	unsigned int size = d->out->operand_size;

	switch (d->modrm >> 3 & 7) {
	case 0:
	case 1:
		operand_add(d, size, RW);
		break;
	case 2:
		d->out->class = CLASS_CALL;
		d->out->call = true;
		operand_add(d, d->mode == MODE_64 ? 8 : size, R);
		push(d, 1);
		break;
	case 3:
		d->out->class = CLASS_FAR;
		d->out->far_transfer = d->has_memory;
		d->out->call = true;
		operand_add(d, size + 2, R);
		add_stack(d, -(int64_t)(2 * size), 2 * size, W);
		break;
	case 4:
		operand_add(d, d->mode == MODE_64 ? 8 : size, R);
		break;
	case 5:
		d->out->class = CLASS_FAR;
		d->out->far_transfer = d->has_memory;
		operand_add(d, size + 2, R);
		break;
	case 6:
		operand_add(d, stack_item(d), R);
		push(d, 1);
		break;
	}
}

/* What the table says only "more" of. `imm` is the first immediate. */
void operand_special(struct decoder *d, uint8_t opcode, uint64_t imm)
{
	unsigned int size = d->out->operand_size, reg = d->modrm >> 3 & 7;

	switch (opcode) {
	case 0x06: case 0x0e: case 0x16: case 0x1e: case 0x68: case 0x6a:
		push(d, 1);
		return;
	case 0x17:
		d->out->class = CLASS_POP_SS;
		pop(d, 1);
		return;
	case 0x07: case 0x1f:
		d->out->class = CLASS_FAR;
		pop(d, 1);
		return;
	case 0x60:
		push(d, 8);
		return;
	case 0x61: /* POPA passes over what PUSHA has stored of the stack pointer */
		add_stack(d, 0, 3 * stack_item(d), R);
		add_stack(d, 4 * stack_item(d), 4 * stack_item(d), R);
		return;
	case 0x62: /* BOUND */
		operand_add(d, 2 * size, R);
		return;
	case 0x63: /* ARPL, MOVSXD */
		operand_add(d, d->mode == MODE_64 ? 4 : 2, d->mode == MODE_64 ? R : RW);
		return;
	case 0x80: case 0x82:
		operand_add(d, 1, reg == 7 ? R : RW);
		return;
	case 0x81: case 0x83:
		operand_add(d, size, reg == 7 ? R : RW);
		return;
	case 0x8c:
		operand_add(d, 2, W);
		return;
	case 0x8e:
		d->out->class = reg == 2 ? CLASS_LOAD_SS : CLASS_FAR;
		d->out->from_register = !d->has_memory;
		d->out->selector = (uint16_t)operand_register(d, (d->modrm & 7u) | (d->rex & 1u) << 3);
		operand_add(d, 2, R);
		return;
	case 0x8f:
		pop(d, 1);
		/* The address is that of after the pop (SDM volume 2, POP). */
		if (d->by_sp)
			d->offset = (d->offset + stack_item(d)) & operand_mask(d->out->address_size);
		operand_add(d, stack_item(d), W);
		return;
	case 0x9a:
		d->out->class = CLASS_FAR;
		d->out->far_transfer = d->out->from_register = true;
		d->out->call = true;
		add_stack(d, -(int64_t)(2 * size), 2 * size, W);
		return;
	case 0x9c:
		d->out->class = CLASS_PUSHF;
		push(d, 1);
		return;
	case 0x9d:
		d->out->class = CLASS_POPF;
		pop(d, 1);
		return;
	case 0xa0: case 0xa1:
		add(d, linear(d, operand_segment(d, SEGMENT_DS), imm), opcode & 1 ? size : 1, true, false);
		return;
	case 0xa2: case 0xa3:
		add(d, linear(d, operand_segment(d, SEGMENT_DS), imm), opcode & 1 ? size : 1, false, true);
		return;
	case 0xc2: case 0xc3:
		pop(d, 1);
		return;
	case 0xc4: case 0xc5: /* LES, LDS */
		d->out->class = CLASS_FAR;
		operand_add(d, size + 2, R);
		return;
	case 0xc8:
		enter_frame(d, (uint8_t)imm);
		return;
	case 0xc9:
		add(d, linear(d, SEGMENT_SS,
			      d->vcpu->regs->rbp & operand_mask(d->mode == MODE_64 ? 8
							: d->vcpu->sregs->ss.db ? 4 : 2)),
		    stack_item(d), true, false);
		return;
	case 0xca: case 0xcb:
		d->out->class = CLASS_FAR;
		add_stack(d, 0, 2 * size, R);
		return;
	case 0xcc:
		interrupt(d, 3);
		return;
	case 0xcd:
		interrupt(d, (uint8_t)imm);
		return;
	case 0xce:
		if (d->vcpu->regs->rflags & RFLAGS_OF)
			interrupt(d, 4);
		return;
	case 0xcf:
		d->out->class = CLASS_IRET;
		add_stack(d, 0, (d->mode == MODE_64 ? 5 : 3) * size, R);
		return;
	case 0xd7:
		add(d, linear(d, operand_segment(d, SEGMENT_DS),
			      (d->vcpu->regs->rbx + (d->vcpu->regs->rax & 0xff)) &
				      operand_mask(d->out->address_size)),
		    1, true, false);
		return;
	case 0xe4: case 0xe5: case 0xe6: case 0xe7:
	case 0xec: case 0xed: case 0xee: case 0xef:
		d->out->class = CLASS_IO;
		return;
	case 0xe8:
		d->out->class = CLASS_CALL;
		d->out->call = true;
		push(d, 1);
		return;
	case 0xea:
		d->out->class = CLASS_FAR;
		d->out->far_transfer = d->out->from_register = true;
		return;
	case 0xf1:
		d->out->class = CLASS_ICEBP;
		return;
	case 0xf4:
		d->out->class = CLASS_HLT;
		return;
	case 0xf6: case 0xf7:
		operand_add(d, opcode & 1 ? size : 1, reg == 2 || reg == 3 ? RW : R);
		return;
	case 0xff:
		group_ff(d);
		return;
	}
	if (opcode >= 0x50 && opcode <= 0x57)
		push(d, 1);
	else if (opcode >= 0x58 && opcode <= 0x5f)
		pop(d, 1);
	else if (opcode >= 0xd8 && opcode <= 0xdf)
		x87(d, opcode);
	else if ((opcode & 0xfc) == 0x6c || (opcode & 0xf0) == 0xa0)
		string(d, opcode);
}

/* The size of a vector operand by its mandatory prefix: none, 66, F3, F2. */
unsigned int operand_by_prefix(const struct decoder *d, unsigned int none, unsigned int with_66,
			      unsigned int with_f3, unsigned int with_f2)
{
	if (d->repe)
		return with_f3;
	if (d->repne)
		return with_f2;
	return d->operand_prefix ? with_66 : none;
}

static unsigned int vector_size(const struct decoder *d, uint8_t opcode)
{
	unsigned int full = d->vector_length, scalar = d->rex & 8 ? 8 : 4;

	switch (opcode) {
	case 0x5a: /* CVTPS2PD reads half as much as it writes, as does CVTDQ2PD */
		return operand_by_prefix(d, full / 2, full, 4, 8);
	case 0xe6:
		return operand_by_prefix(d, full, full, full / 2, full);
	case 0x10: case 0x11: case 0x51: case 0x58: case 0x59:
	case 0x5c: case 0x5d: case 0x5e: case 0x5f: case 0xc2:
		return operand_by_prefix(d, full, full, 4, 8);
	case 0x52: case 0x53:
		return operand_by_prefix(d, full, full, 4, 4);
	case 0x12: case 0x13: case 0x16: case 0x17:
		return operand_by_prefix(d, 8, 8, full, 8);
	case 0x14: case 0x15: case 0x28: case 0x29: case 0x2b: case 0x50: case 0x54: case 0x55:
	case 0x56: case 0x57: case 0x5b: case 0x6c: case 0x6d: case 0x7c: case 0x7d: case 0xc6:
	case 0xd0: case 0xf0:
		return full;
	case 0x2a:
		return operand_by_prefix(d, 8, 8, scalar, scalar);
	case 0x2c: case 0x2d:
		return operand_by_prefix(d, 8, 16, 4, 8);
	case 0x2e: case 0x2f:
		return d->operand_prefix ? 8 : 4;
	case 0x6e: case 0x78: case 0x79:
		return scalar;
	case 0xc4:
		return 2;
	case 0xd6:
		return 8;
	default: /* integer vectors: MMX without a prefix, else SSE */
		return operand_by_prefix(d, d->vex ? full : 8, full, full, full);
	}
}

bool operand_is_vector(uint8_t opcode)
{
	return (opcode >= 0x10 && opcode <= 0x17) || (opcode >= 0x28 && opcode <= 0x2f) ||
	       (opcode >= 0x50 && opcode <= 0x7f) || opcode == 0xc2 || opcode == 0xc4 ||
	       opcode == 0xc6 || opcode >= 0xd0;
}

static void group_0f00(struct decoder *d, uint8_t opcode)
{
	unsigned int reg = d->modrm >> 3 & 7, table = d->mode == MODE_64 ? 10 : 6;
	/* SLDT STR LLDT LTR VERR VERW; SGDT SIDT LGDT LIDT SMSW - LMSW INVLPG */
	static const uint8_t zero[8] = {W, W, R, R, R, R, 0, 0}, one[8] = {W, W, R, R, W, 0, R, 0};

	if (opcode)
		operand_add(d, reg < 4 ? table : 2, one[reg]);
	else
		operand_add(d, 2, zero[reg]);
}

/* FXSAVE and its relatives. The XSAVE area's size is in CPUID; its legacy part is what is known. */
static void group_0fae(struct decoder *d)
{
	static const struct {
		uint16_t size;
		uint8_t what;
	} rows[8] = {{512, W}, {512, R}, {4, R}, {4, W}, {576, W}, {576, R}, {576, W}, {0, 0}};
	unsigned int reg = d->modrm >> 3 & 7;

	operand_add(d, rows[reg].size, rows[reg].what);
}

/* BT, BTS, BTR, BTC with a register: the bit may lie outside the operand. */
static void bit_string(struct decoder *d, unsigned int what)
{
	unsigned int size = d->out->operand_size, shift = 64 - 8 * size;
	uint64_t index = operand_register(d, (d->modrm >> 3 & 7u) | (d->rex & 4u) << 1);
	int64_t bit = (int64_t)(index << shift) >> shift;
	int64_t items = bit >> (size == 2 ? 4 : size == 4 ? 5 : 6);

	d->offset = (d->offset + (uint64_t)(items * (int64_t)size)) & operand_mask(d->out->address_size);
	operand_add(d, size, what);
}

void operand_special_0f(struct decoder *d, uint8_t opcode, unsigned int row)
{
	unsigned int size = d->out->operand_size, reg = d->modrm >> 3 & 7;

	if (operand_is_vector(opcode)) {
		/* MOVD and MOVQ go either way. */
		if (opcode == 0x7e)
			operand_add(d, d->repe ? 8 : d->rex & 8 ? 8 : 4, d->repe ? R : W);
		else
			operand_add(d, vector_size(d, opcode), row & RW);
		return;
	}
	switch (opcode) {
	case 0x00: case 0x01:
		group_0f00(d, opcode);
		break;
	case 0x02: case 0x03: case 0xb7: case 0xbf:
		operand_add(d, 2, R);
		break;
	case 0xa0: case 0xa8:
		push(d, 1);
		break;
	case 0xa1: case 0xa9:
		d->out->class = CLASS_FAR;
		pop(d, 1);
		break;
	case 0xa3:
		bit_string(d, R);
		break;
	case 0xab: case 0xb3: case 0xbb:
		bit_string(d, RW);
		break;
	case 0xae:
		group_0fae(d);
		break;
	case 0xb2: case 0xb4: case 0xb5:
		d->out->class = CLASS_FAR;
		operand_add(d, size + 2, R);
		break;
	case 0xba:
		operand_add(d, size, reg == 4 ? R : RW);
		break;
	case 0xc3: /* MOVNTI, never of 16 bits */
		operand_add(d, size == 8 ? 8 : 4, W);
		break;
	case 0xc7:
		operand_add(d, d->rex & 8 ? 16 : 8, reg == 1 ? RW : reg == 6 || reg == 7 ? W : RW);
		break;
	}
}
