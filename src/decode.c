#include "decode.h"

#include <string.h>

#include "memory.h"
#include "segment.h"

#define INSTRUCTION_MAX 15
#define RFLAGS_OF 0x800u

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

/* Opcodes of one byte (SDM volume 2, appendix A). Prefixes are not looked up here. */
static const uint8_t one_byte[256] = {
	/* 00 */ M | RW | B, M | RW, M | R | B, M | R, I1, IZ, X, X,
	/* 08 */ M | RW | B, M | RW, M | R | B, M | R, I1, IZ, X, 0,
	/* 10 */ M | RW | B, M | RW, M | R | B, M | R, I1, IZ, X, X,
	/* 18 */ M | RW | B, M | RW, M | R | B, M | R, I1, IZ, X, X,
	/* 20 */ M | RW | B, M | RW, M | R | B, M | R, I1, IZ, 0, 0,
	/* 28 */ M | RW | B, M | RW, M | R | B, M | R, I1, IZ, 0, 0,
	/* 30 */ M | RW | B, M | RW, M | R | B, M | R, I1, IZ, 0, 0,
	/* 38 */ M | R | B, M | R, M | R | B, M | R, I1, IZ, 0, 0,
	/* 40 */ 0, 0, 0, 0, 0, 0, 0, 0,
	/* 48 */ 0, 0, 0, 0, 0, 0, 0, 0,
	/* 50 */ X, X, X, X, X, X, X, X,
	/* 58 */ X, X, X, X, X, X, X, X,
	/* 60 */ X, X, M | X, M | X, 0, 0, 0, 0,
	/* 68 */ IZ | X, M | R | IZ, I1 | X, M | R | I1, X, X, X, X,
	/* 70 */ I1, I1, I1, I1, I1, I1, I1, I1,
	/* 78 */ I1, I1, I1, I1, I1, I1, I1, I1,
	/* 80 */ M | RW | B | I1 | X, M | RW | IZ | X, M | RW | B | I1 | X, M | RW | I1 | X,
	/* 84 */ M | R | B, M | R, M | RW | B, M | RW,
	/* 88 */ M | W | B, M | W, M | R | B, M | R, M | X, M, M | X, M | X,
	/* 90 */ 0, 0, 0, 0, 0, 0, 0, 0,
	/* 98 */ 0, 0, X, 0, X, X, 0, 0,
	/* a0 */ X, X, X, X, X, X, X, X,
	/* a8 */ I1, IZ, X, X, X, X, X, X,
	/* b0 */ I1, I1, I1, I1, I1, I1, I1, I1,
	/* b8 */ X, X, X, X, X, X, X, X,
	/* c0 */ M | RW | B | I1, M | RW | I1, I2 | X, X, M | X, M | X, M | W | B | I1, M | W | IZ,
	/* c8 */ I2 | I1 | X, X, I2 | X, X, X, I1 | X, X, X,
	/* d0 */ M | RW | B, M | RW, M | RW | B, M | RW, I1, I1, 0, X,
	/* d8 */ M | X, M | X, M | X, M | X, M | X, M | X, M | X, M | X,
	/* e0 */ I1, I1, I1, I1, I1 | X, I1 | X, I1 | X, I1 | X,
	/* e8 */ IZ | X, IZ, X, I1, X, X, X, X,
	/* f0 */ 0, X, 0, 0, X, 0, M | B | X, M | X,
	/* f8 */ 0, 0, 0, 0, 0, 0, M | RW | B, M | X,
};

/* Opcodes behind 0F. Vector operands (V in special()) get their size there. */
static const uint8_t two_byte[256] = {
	/* 00 */ M | X, M | X, M | X, M | X, 0, 0, 0, 0,
	/* 08 */ 0, 0, 0, 0, 0, M, 0, 0,
	/* 10 */ M | R | X, M | W | X, M | R | X, M | W | X, M | R | X, M | R | X, M | R | X, M | W | X,
	/* 18 */ M, M, M, M, M, M, M, M,
	/* 20 */ M, M, M, M, 0, 0, 0, 0,
	/* 28 */ M | R | X, M | W | X, M | R | X, M | W | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* 30 */ 0, 0, 0, 0, 0, 0, 0, 0,
	/* 38 */ 0, 0, 0, 0, 0, 0, 0, 0,
	/* 40 */ M | R, M | R, M | R, M | R, M | R, M | R, M | R, M | R,
	/* 48 */ M | R, M | R, M | R, M | R, M | R, M | R, M | R, M | R,
	/* 50 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* 58 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* 60 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* 68 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* 70 */ M | R | I1 | X, M | I1, M | I1, M | I1, M | R | X, M | R | X, M | R | X, 0,
	/* 78 */ M | W | X, M | R | X, 0, 0, M | R | X, M | R | X, M | X, M | W | X,
	/* 80 */ IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ,
	/* 88 */ IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ,
	/* 90 */ M | W | B, M | W | B, M | W | B, M | W | B, M | W | B, M | W | B, M | W | B, M | W | B,
	/* 98 */ M | W | B, M | W | B, M | W | B, M | W | B, M | W | B, M | W | B, M | W | B, M | W | B,
	/* a0 */ X, X, 0, M | R | X, M | RW | I1, M | RW, 0, 0,
	/* a8 */ X, X, 0, M | RW | X, M | RW | I1, M | RW, M | X, M | R,
	/* b0 */ M | RW | B, M | RW, M | X, M | RW | X, M | X, M | X, M | R | B, M | X,
	/* b8 */ M | R, M, M | I1 | X, M | RW | X, M | R, M | R, M | R | B, M | X,
	/* c0 */ M | RW | B, M | RW, M | R | I1 | X, M | W, M | I1 | X, M | I1, M | R | I1 | X, M | X,
	/* c8 */ 0, 0, 0, 0, 0, 0, 0, 0,
	/* d0 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | W | X, M,
	/* d8 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* e0 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | W | X,
	/* e8 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* f0 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | X,
	/* f8 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M,
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
	uint8_t modrm;
	bool has_memory;
	enum segment operand_segment;
	uint64_t offset; /* of the ModRM operand */
};

static uint8_t next(struct decoder *d)
{
	if (d->at >= d->available) {
		d->overrun = true;
		return 0;
	}
	return d->code[d->at++];
}

static uint64_t immediate(struct decoder *d, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)next(d) << 8 * i;
	return value;
}

static int64_t displacement(struct decoder *d, unsigned int size)
{
	uint64_t value = immediate(d, size);
	unsigned int shift = 64 - 8 * size;

	return size ? (int64_t)(value << shift) >> shift : 0;
}

static uint64_t mask(unsigned int size)
{
	return size >= 8 ? ~0ull : (1ull << 8 * size) - 1;
}

/* A general register by its number in the encoding. */
static uint64_t general(const struct decoder *d, unsigned int number)
{
	const struct kvm_regs *r = d->vcpu->regs;
	const __u64 *const all[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
				      &r->rsi, &r->rdi, &r->r8,	 &r->r9,  &r->r10, &r->r11,
				      &r->r12, &r->r13, &r->r14, &r->r15};

	return *all[number & 15];
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

static enum segment data_segment(const struct decoder *d, enum segment preset)
{
	return d->segment >= 0 ? (enum segment)d->segment : preset;
}

static void address_16(struct decoder *d, unsigned int mod, unsigned int rm)
{
	const struct kvm_regs *r = d->vcpu->regs;
	const uint64_t bases[8] = {r->rbx + r->rsi, r->rbx + r->rdi, r->rbp + r->rsi,
				   r->rbp + r->rdi, r->rsi,	     r->rdi,
				   r->rbp,	    r->rbx};
	bool absolute = !mod && rm == 6;
	enum segment preset = rm == 2 || rm == 3 || (rm == 6 && mod) ? SEGMENT_SS : SEGMENT_DS;
	uint64_t offset = absolute ? 0 : bases[rm];

	offset += (uint64_t)displacement(d, absolute || mod == 2 ? 2 : mod);
	d->offset = offset & 0xffff;
	d->operand_segment = data_segment(d, preset);
}

/* With 32- and 64-bit addresses; true if the address is relative to the end of the instruction. */
static bool address_32(struct decoder *d, unsigned int mod, unsigned int rm)
{
	enum segment preset = SEGMENT_DS;
	uint64_t offset = 0;
	bool relative = false;

	if (rm == 4) {
		uint8_t sib = next(d);
		unsigned int base = (sib & 7u) | (d->rex & 1u) << 3;
		unsigned int index = (sib >> 3 & 7u) | (d->rex & 2u) << 2;

		if (index != 4)
			offset = general(d, index) << (sib >> 6);
		if ((base & 7) == 5 && !mod) {
			offset += (uint64_t)displacement(d, 4);
		} else {
			offset += general(d, base);
			if (base == 4 || base == 5)
				preset = SEGMENT_SS;
		}
	} else if (rm == 5 && !mod) {
		offset = (uint64_t)displacement(d, 4);
		relative = d->mode == MODE_64;
	} else {
		offset = general(d, rm | (d->rex & 1u) << 3);
		if (rm == 5)
			preset = SEGMENT_SS;
	}
	if (mod == 1 || mod == 2)
		offset += (uint64_t)displacement(d, mod == 1 ? 1 : 4);
	d->offset = offset;
	d->operand_segment = data_segment(d, preset);
	return relative;
}

/* Reads ModRM and what belongs to it; true as address_32(). */
static bool read_modrm(struct decoder *d)
{
	unsigned int mod, rm;

	d->modrm = next(d);
	mod = d->modrm >> 6;
	rm = d->modrm & 7;
	d->has_memory = mod != 3;
	if (!d->has_memory)
		return false;
	if (d->out->address_size != 2)
		return address_32(d, mod, rm);
	address_16(d, mod, rm);
	return false;
}

static void add_operand(struct decoder *d, uint64_t len, unsigned int what)
{
	if (d->has_memory)
		add(d, linear(d, d->operand_segment, d->offset), len, what & R, what & W);
}

/* The stack: its pointer has the size of SS, its items that of the operand. */
static void add_stack(struct decoder *d, int64_t from, uint64_t len, unsigned int what)
{
	unsigned int size = d->mode == MODE_64 ? 8 : d->vcpu->sregs->ss.db ? 4 : 2;
	uint64_t offset = (d->vcpu->regs->rsp + (uint64_t)from) & mask(size);

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

static void string_operand(struct decoder *d, enum segment which, uint64_t offset, unsigned int what)
{
	add(d, linear(d, which, offset & mask(d->out->address_size)), d->out->element, what & R,
	    what & W);
}

static void string(struct decoder *d, uint8_t opcode)
{
	const struct kvm_regs *r = d->vcpu->regs;
	enum segment source = data_segment(d, SEGMENT_DS);

	d->out->class = CLASS_STRING;
	d->out->element = opcode & 1 ? d->out->operand_size : 1;
	d->out->repeated = d->repe || d->repne;
	d->out->port = opcode <= 0x6f;
	if (d->out->port && d->out->element == 8)
		d->out->element = 4;
	if (d->out->repeated && !(r->rcx & mask(d->out->address_size)))
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
	add_operand(d, (uint64_t)size, what);
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
		add_operand(d, size, RW);
		break;
	case 2:
		d->out->class = CLASS_CALL;
		add_operand(d, d->mode == MODE_64 ? 8 : size, R);
		push(d, 1);
		break;
	case 3:
		d->out->class = CLASS_FAR;
		add_operand(d, size + 2, R);
		add_stack(d, -(int64_t)(2 * size), 2 * size, W);
		break;
	case 4:
		add_operand(d, d->mode == MODE_64 ? 8 : size, R);
		break;
	case 5:
		d->out->class = CLASS_FAR;
		add_operand(d, size + 2, R);
		break;
	case 6:
		add_operand(d, stack_item(d), R);
		push(d, 1);
		break;
	}
}

/* What the table says only "more" of. `imm` is the first immediate. */
static void special(struct decoder *d, uint8_t opcode, uint64_t imm)
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
		add_operand(d, 2 * size, R);
		return;
	case 0x63: /* ARPL, MOVSXD */
		add_operand(d, d->mode == MODE_64 ? 4 : 2, d->mode == MODE_64 ? R : RW);
		return;
	case 0x80: case 0x82:
		add_operand(d, 1, reg == 7 ? R : RW);
		return;
	case 0x81: case 0x83:
		add_operand(d, size, reg == 7 ? R : RW);
		return;
	case 0x8c:
		add_operand(d, 2, W);
		return;
	case 0x8e:
		d->out->class = reg == 2 ? CLASS_LOAD_SS : CLASS_FAR;
		d->out->from_register = !d->has_memory;
		d->out->selector = (uint16_t)general(d, (d->modrm & 7u) | (d->rex & 1u) << 3);
		add_operand(d, 2, R);
		return;
	case 0x8f:
		pop(d, 1);
		add_operand(d, stack_item(d), W);
		return;
	case 0x9a:
		d->out->class = CLASS_FAR;
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
		add(d, linear(d, data_segment(d, SEGMENT_DS), imm), opcode & 1 ? size : 1, true, false);
		return;
	case 0xa2: case 0xa3:
		add(d, linear(d, data_segment(d, SEGMENT_DS), imm), opcode & 1 ? size : 1, false, true);
		return;
	case 0xc2: case 0xc3:
		pop(d, 1);
		return;
	case 0xc4: case 0xc5: /* LES, LDS */
		d->out->class = CLASS_FAR;
		add_operand(d, size + 2, R);
		return;
	case 0xc8:
		enter_frame(d, (uint8_t)imm);
		return;
	case 0xc9:
		add(d, linear(d, SEGMENT_SS,
			      d->vcpu->regs->rbp & mask(d->mode == MODE_64 ? 8
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
		add(d, linear(d, data_segment(d, SEGMENT_DS),
			      (d->vcpu->regs->rbx + (d->vcpu->regs->rax & 0xff)) &
				      mask(d->out->address_size)),
		    1, true, false);
		return;
	case 0xe4: case 0xe5: case 0xe6: case 0xe7:
	case 0xec: case 0xed: case 0xee: case 0xef:
		d->out->class = CLASS_IO;
		return;
	case 0xe8:
		d->out->class = CLASS_CALL;
		push(d, 1);
		return;
	case 0xea:
		d->out->class = CLASS_FAR;
		return;
	case 0xf1:
		d->out->class = CLASS_ICEBP;
		return;
	case 0xf4:
		d->out->class = CLASS_HLT;
		return;
	case 0xf6: case 0xf7:
		add_operand(d, opcode & 1 ? size : 1, reg == 2 || reg == 3 ? RW : R);
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
static unsigned int by_prefix(const struct decoder *d, unsigned int none, unsigned int with_66,
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
	case 0x10: case 0x11: case 0x51: case 0x58: case 0x59: case 0x5a:
	case 0x5c: case 0x5d: case 0x5e: case 0x5f: case 0xc2:
		return by_prefix(d, full, full, 4, 8);
	case 0x52: case 0x53:
		return by_prefix(d, full, full, 4, 4);
	case 0x12: case 0x13: case 0x16: case 0x17:
		return by_prefix(d, 8, 8, full, 8);
	case 0x14: case 0x15: case 0x28: case 0x29: case 0x2b: case 0x50: case 0x54: case 0x55:
	case 0x56: case 0x57: case 0x5b: case 0x6c: case 0x6d: case 0x7c: case 0x7d: case 0xc6:
	case 0xd0: case 0xe6: case 0xf0:
		return full;
	case 0x2a:
		return by_prefix(d, 8, 8, scalar, scalar);
	case 0x2c: case 0x2d:
		return by_prefix(d, 8, 16, 4, 8);
	case 0x2e: case 0x2f:
		return d->operand_prefix ? 8 : 4;
	case 0x6e: case 0x78: case 0x79:
		return scalar;
	case 0xc4:
		return 2;
	case 0xd6:
		return 8;
	default: /* integer vectors: MMX without a prefix, else SSE */
		return by_prefix(d, d->vex ? full : 8, full, full, full);
	}
}

static bool is_vector(uint8_t opcode)
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
		add_operand(d, reg < 4 ? table : 2, one[reg]);
	else
		add_operand(d, 2, zero[reg]);
}

/* FXSAVE and its relatives. The XSAVE area's size is in CPUID; its legacy part is what is known. */
static void group_0fae(struct decoder *d)
{
	static const struct {
		uint16_t size;
		uint8_t what;
	} rows[8] = {{512, W}, {512, R}, {4, R}, {4, W}, {576, W}, {576, R}, {576, W}, {0, 0}};
	unsigned int reg = d->modrm >> 3 & 7;

	add_operand(d, rows[reg].size, rows[reg].what);
}

/* BT, BTS, BTR, BTC with a register: the bit may lie outside the operand. */
static void bit_string(struct decoder *d, unsigned int what)
{
	unsigned int size = d->out->operand_size, shift = 64 - 8 * size;
	int64_t bit = (int64_t)(general(d, (d->modrm >> 3 & 7u) | (d->rex & 4u) << 1) << shift) >> shift;
	int64_t items = bit >> (size == 2 ? 4 : size == 4 ? 5 : 6);

	d->offset = (d->offset + (uint64_t)(items * (int64_t)size)) & mask(d->out->address_size);
	add_operand(d, size, what);
}

static void special_0f(struct decoder *d, uint8_t opcode, unsigned int row)
{
	unsigned int size = d->out->operand_size, reg = d->modrm >> 3 & 7;

	if (is_vector(opcode)) {
		/* MOVD and MOVQ go either way. */
		if (opcode == 0x7e)
			add_operand(d, d->repe ? 8 : d->rex & 8 ? 8 : 4, d->repe ? R : W);
		else
			add_operand(d, vector_size(d, opcode), row & RW);
		return;
	}
	switch (opcode) {
	case 0x00: case 0x01:
		group_0f00(d, opcode);
		break;
	case 0x02: case 0x03: case 0xb7: case 0xbf:
		add_operand(d, 2, R);
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
		add_operand(d, size + 2, R);
		break;
	case 0xba:
		add_operand(d, size, reg == 4 ? R : RW);
		break;
	case 0xc7:
		add_operand(d, d->rex & 8 ? 16 : 8, reg == 1 ? RW : reg == 6 || reg == 7 ? W : RW);
		break;
	}
}

static void finish(struct decoder *d, unsigned int row, uint8_t opcode, bool relative, bool second)
{
	unsigned int size = d->out->operand_size, skipped = 0;
	uint64_t imm = 0;

	if (second || opcode < 0xa0 || opcode > 0xa3) {
		if (row & I2)
			imm = immediate(d, 2);
		if (row & IZ)
			imm = immediate(d, skipped = size == 8 ? 4 : size);
		if (row & I1)
			imm = immediate(d, 1);
		/* TEST, alone of its group, has an immediate. */
		if (!second && (opcode & 0xfe) == 0xf6 && !(d->modrm >> 3 & 6))
			immediate(d, opcode & 1 ? size == 8 ? 4 : size : 1);
		if (!second && opcode >= 0xb8 && opcode <= 0xbf)
			immediate(d, size);
		if (!second && (opcode == 0x9a || opcode == 0xea))
			immediate(d, size + 2);
	} else {
		imm = immediate(d, d->out->address_size);
	}
	if (relative)
		d->offset += d->vcpu->regs->rip + d->at;
	if (d->out->address_size < 8)
		d->offset &= mask(d->out->address_size);
	if (row & X) {
		if (second)
			special_0f(d, opcode, row);
		else
			special(d, opcode, imm);
	} else if (row & RW) {
		add_operand(d, row & B ? 1 : size, row & RW);
	}
}

/* The maps 0F 38 and 0F 3A: vector instructions that read, with few exceptions. */
static void three_bytes(struct decoder *d, uint8_t map)
{
	uint8_t opcode = next(d);
	bool relative = read_modrm(d), general_operand = map == 0x38 && opcode >= 0xf0;
	unsigned int what = R, size = by_prefix(d, d->vex ? d->vector_length : 8, d->vector_length,
						d->vector_length, d->vector_length);

	if (map == 0x3a)
		next(d);
	if (general_operand) {
		size = opcode == 0xf0 && d->repne ? 1 : d->out->operand_size;
		if (opcode == 0xf1 && !d->repne && !d->vex) /* MOVBE */
			what = W;
	} else if (map == 0x3a && opcode >= 0x14 && opcode <= 0x17) { /* PEXTRx, EXTRACTPS */
		what = W;
		size = opcode == 0x14 ? 1 : opcode == 0x15 ? 2 : d->rex & 8 ? 8 : 4;
	} else if (d->vex && ((map == 0x3a && (opcode == 0x19 || opcode == 0x39)) ||
			      (map == 0x38 && (opcode == 0x2e || opcode == 0x2f || opcode == 0x8e)))) {
		what = W;
		size = map == 0x3a ? 16 : d->vector_length;
	}
	if (relative)
		d->offset += d->vcpu->regs->rip + d->at;
	if (d->out->address_size < 8)
		d->offset &= mask(d->out->address_size);
	add_operand(d, size, what);
}

static void behind_0f(struct decoder *d)
{
	uint8_t opcode = next(d);
	bool relative = false;

	d->out->fpu = is_vector(opcode) || opcode == 0x38 || opcode == 0x3a || opcode == 0x0e ||
		      opcode == 0x0f || opcode == 0xae || opcode == 0xc7 || d->vex;

	if (opcode == 0x38 || opcode == 0x3a) {
		three_bytes(d, opcode);
		return;
	}
	/* MOV to and from control and debug registers: whatever mod says, there is no memory. */
	if (opcode >= 0x20 && opcode <= 0x23)
		d->modrm = next(d);
	else if (two_byte[opcode] & M)
		relative = read_modrm(d);
	finish(d, two_byte[opcode], opcode, relative, true);
}

/* VEX: the prefixes, the map and the vector length in two or three bytes. */
static void vex(struct decoder *d, uint8_t first)
{
	uint8_t a = next(d), b = first == 0xc4 ? next(d) : a;
	unsigned int map = first == 0xc4 ? a & 31u : 1;

	d->vex = true;
	d->rex = (uint8_t)((~a >> 7 & 1) << 2);
	if (first == 0xc4)
		d->rex |= (uint8_t)((~a >> 6 & 1) << 1 | (~a >> 5 & 1) | (b >> 7 & 1) << 3);
	d->vector_length = b & 4 ? 32 : 16;
	d->operand_prefix = (b & 3) == 1;
	d->repe = (b & 3) == 2;
	d->repne = (b & 3) == 3;
	if (d->rex & 8)
		d->out->operand_size = 8;
	if (map == 1)
		behind_0f(d);
	else if (map == 2 || map == 3)
		three_bytes(d, map == 2 ? 0x38 : 0x3a);
	else
		d->overrun = true;
}

/* Prefixes up to the opcode, which is returned. */
static uint8_t prefixes(struct decoder *d)
{
	for (;;) {
		uint8_t c = next(d);

		switch (c) {
		case 0x26: d->segment = SEGMENT_ES; break;
		case 0x2e: d->segment = SEGMENT_CS; break;
		case 0x36: d->segment = SEGMENT_SS; break;
		case 0x3e: d->segment = SEGMENT_DS; break;
		case 0x64: d->segment = SEGMENT_FS; break;
		case 0x65: d->segment = SEGMENT_GS; break;
		case 0x66: d->operand_prefix = true; break;
		case 0x67:
			d->out->address_size = d->mode == MODE_64   ? 4
					       : d->mode == MODE_32 ? 2
								    : 4;
			break;
		case 0xf0: break;
		case 0xf2: d->repne = true; d->repe = false; break;
		case 0xf3: d->repe = true; d->repne = false; break;
		default:
			if (d->mode != MODE_64 || (c & 0xf0) != 0x40)
				return c;
			d->rex = c;
			c = next(d);
			/* A REX that is not the last prefix does not count. */
			d->at--;
			if (d->overrun)
				return 0;
			if (strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", c) && c)
				d->rex = 0;
			else if ((c & 0xf0) != 0x40)
				return next(d);
			break;
		}
	}
}

void decode_next(const struct vcpu *vcpu, struct instruction *out)
{
	static const uint8_t address_sizes[MODE_COUNT] = {2, 4, 8};
	struct decoder d = {.vcpu = vcpu, .out = out, .mode = vcpu_mode(vcpu), .segment = -1,
			    .vector_length = 16};
	bool relative = false;
	uint8_t opcode;
	ssize_t n = memory_read(vcpu, vcpu_pc(vcpu), d.code, sizeof(d.code));

	memset(out, 0, sizeof(*out));
	out->address_size = address_sizes[d.mode];
	d.available = n > 0 ? (size_t)n : 0;
	opcode = prefixes(&d);
	if (d.rex & 8)
		out->operand_size = 8;
	else
		out->operand_size = (d.mode == MODE_16) == d.operand_prefix ? 4 : 2;
	if (opcode == 0x0f) {
		behind_0f(&d);
	} else if ((opcode == 0xc4 || opcode == 0xc5) && !d.overrun &&
		   (d.mode == MODE_64 || (d.at < d.available && d.code[d.at] >= 0xc0))) {
		vex(&d, opcode);
	} else if (opcode == 0x62 && !d.overrun &&
		   (d.mode == MODE_64 || (d.at < d.available && d.code[d.at] >= 0xc0))) {
		d.overrun = true; /* EVEX: not decoded */
	} else {
		out->fpu = opcode == 0x9b || (opcode >= 0xd8 && opcode <= 0xdf);
		if (one_byte[opcode] & M)
			relative = read_modrm(&d);
		finish(&d, one_byte[opcode], opcode, relative, false);
	}
	if (d.overrun) {
		out->class = CLASS_UNKNOWN;
		out->fpu = true;
		out->length = 0;
		out->accesses = 0;
		return;
	}
	out->length = (uint8_t)d.at;
}

uint64_t decode_count(const struct instruction *instruction, const struct kvm_regs *regs)
{
	return regs->rcx & mask(instruction->address_size);
}

struct data_access decode_access(const struct instruction *instruction, int n,
				 const struct kvm_regs *before, const struct kvm_regs *after)
{
	struct data_access access = instruction->access[n];
	uint64_t done = (before->rcx - after->rcx) & mask(instruction->address_size);

	if (!instruction->repeated || done < 2 || done > UINT32_MAX / 8)
		return access;
	if (before->rflags & RFLAGS_DF)
		access.linear -= (done - 1) * access.len;
	access.len *= (uint32_t)done;
	return access;
}
