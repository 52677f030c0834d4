#include "decode.h"

#include <string.h>

#include "decode_evex.h"
#include "decode_operand.h"
#include "memory.h"

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

/* Opcodes behind 0F. Vector operands (V in operand_special()) get their size there. */
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
	/* c0 */ M | RW | B, M | RW, M | R | I1 | X, M | X, M | R | I1 | X, M | I1, M | R | I1 | X, M | X,
	/* c8 */ 0, 0, 0, 0, 0, 0, 0, 0,
	/* d0 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | W | X, M,
	/* d8 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* e0 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | W | X,
	/* e8 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X,
	/* f0 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | X,
	/* f8 */ M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M | R | X, M,
};

static uint8_t next(struct decoder *d)
{
	if (d->at >= d->available) {
		d->overrun = true;
		return 0;
	}
	return d->code[d->at++];
}

static uint64_t number(struct decoder *d, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)next(d) << 8 * i;
	return value;
}

static int64_t signed_number(struct decoder *d, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return size ? (int64_t)(number(d, size) << shift) >> shift : 0;
}

static uint64_t immediate(struct decoder *d, unsigned int size)
{
	d->out->immediate = (uint64_t)signed_number(d, size);
	return d->out->immediate & operand_mask(size);
}

static int64_t displacement(struct decoder *d, unsigned int size)
{
	return signed_number(d, size) * (size == 1 ? (int64_t)d->scale : 1);
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
	d->operand_segment = operand_segment(d, preset);
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
			offset = operand_register(d, index) << (sib >> 6);
		if ((base & 7) == 5 && !mod) {
			offset += (uint64_t)displacement(d, 4);
		} else {
			offset += operand_register(d, base);
			d->by_sp = base == 4;
			if (base == 4 || base == 5)
				preset = SEGMENT_SS;
		}
	} else if (rm == 5 && !mod) {
		offset = (uint64_t)displacement(d, 4);
		relative = d->mode == MODE_64;
	} else {
		offset = operand_register(d, rm | (d->rex & 1u) << 3);
		if (rm == 5)
			preset = SEGMENT_SS;
	}
	if (mod == 1 || mod == 2)
		offset += (uint64_t)displacement(d, mod == 1 ? 1 : 4);
	d->offset = offset;
	d->operand_segment = operand_segment(d, preset);
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

static void finish(struct decoder *d, unsigned int row, uint8_t opcode, bool relative, bool second)
{
	unsigned int size = d->out->operand_size;
	uint64_t imm = 0;

	if (second || opcode < 0xa0 || opcode > 0xa3) {
		if (row & I2)
			imm = immediate(d, 2);
		if (row & IZ)
			imm = immediate(d, size == 8 ? 4 : size);
		if (row & I1)
			imm = immediate(d, 1);
		/* TEST, alone of its group, has an immediate. */
		if (!second && (opcode & 0xfe) == 0xf6 && !(d->modrm >> 3 & 6))
			immediate(d, opcode & 1 ? size == 8 ? 4 : size : 1);
		if (!second && opcode >= 0xb8 && opcode <= 0xbf)
			immediate(d, size);
		if (!second && (opcode == 0x9a || opcode == 0xea)) {
			immediate(d, size);
			d->out->selector = (uint16_t)immediate(d, 2);
		}
	} else {
		imm = immediate(d, d->out->address_size);
	}
	if (relative)
		d->offset += d->vcpu->regs->rip + d->at;
	if (d->out->address_size < 8)
		d->offset &= operand_mask(d->out->address_size);
	if (row & X) {
		if (second)
			operand_special_0f(d, opcode, row);
		else
			operand_special(d, opcode, imm);
	} else if (row & RW) {
		operand_add(d, row & B ? 1 : size, row & RW);
	}
}

/* The maps 0F 38 and 0F 3A: vector instructions that read, with few exceptions. */
static void three_bytes(struct decoder *d, uint8_t map)
{
	uint8_t opcode = next(d);
	bool relative = read_modrm(d), general_operand = map == 0x38 && opcode >= 0xf0;
	unsigned int what = R, size;

	/* Gathers: their addresses are in a vector. */
	if (d->vex && map == 0x38 && opcode >= 0x90 && opcode <= 0x93)
		d->overrun = true;
	size = operand_by_prefix(d, d->vex ? d->vector_length : 8, d->vector_length,
						d->vector_length, d->vector_length);

	if (map == 0x3a)
		next(d);
	if (general_operand) {
		size = opcode == 0xf0 && d->repne ? 1 : d->out->operand_size;
		if (opcode == 0xf6 && !d->vex) /* ADCX, ADOX, whose prefixes are part of the opcode */
			size = d->rex & 8 ? 8 : 4;
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
		d->offset &= operand_mask(d->out->address_size);
	operand_add(d, size, what);
}

static void behind_0f(struct decoder *d)
{
	uint8_t opcode = next(d);
	bool relative = false;

	if (!d->vex)
		d->out->opcode = (uint16_t)(0x0f00 | opcode);
	d->out->fpu = operand_is_vector(opcode) || opcode == 0x38 || opcode == 0x3a || opcode == 0x0e ||
		      opcode == 0x0f || opcode == 0xae || opcode == 0xc7 || d->vex ||
		      opcode == 0x00 /* LLDT and LTR: by what a handler of #NP does */ ||
		      opcode == 0x01 /* WRPKRU, XSETBV */;

	if (opcode == 0x05)
		d->out->class = CLASS_SYSCALL;
	if (opcode == 0x07 && d->mode == MODE_64)
		d->out->class = CLASS_SYSRET;
	if (opcode == 0x34)
		d->out->class = CLASS_SYSENTER;
	if (opcode == 0x38 || opcode == 0x3a) {
		three_bytes(d, opcode);
		return;
	}
	if (d->vex && (opcode == 0x90 || opcode == 0x91)) { /* KMOV */
		relative = read_modrm(d);
		finish(d, M, opcode, relative, true);
		operand_add(d, d->rex & 8 ? (d->operand_prefix ? 4 : 8) : d->operand_prefix ? 1 : 2,
			    opcode == 0x90 ? R : W);
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

/* EVEX: three bytes like those of VEX, and the opcode. Maps 4 to 6 (APX, FP16) are not known. */
static void evex(struct decoder *d)
{
	uint8_t p0 = next(d), p1 = next(d), p2 = next(d), opcode = next(d);
	struct evex evex = {.map = p0 & 7, .prefix = p1 & 3, .opcode = opcode, .w = p1 >> 7,
			    .broadcast = p2 >> 4 & 1, .vector_length = 16u << (p2 >> 5 & 3)};
	struct evex_operand operand;
	bool relative;

	d->rex = (uint8_t)((~p0 >> 7 & 1) << 2 | (~p0 >> 6 & 1) << 1 | (~p0 >> 5 & 1));
	d->out->fpu = true;
	if (p0 & 8 || !(p1 & 4) || !evex.map || evex.map > 3 || !evex_operand(&evex, &operand)) {
		d->overrun = true;
		return;
	}
	d->scale = operand.scale;
	relative = read_modrm(d);
	if (operand.immediate)
		next(d);
	if (relative)
		d->offset += d->vcpu->regs->rip + d->at;
	if (d->out->address_size < 8)
		d->offset &= operand_mask(d->out->address_size);
	operand_add(d, operand.size, operand.write ? W : R);
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
		case 0xf0: d->out->lock = true; break;
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

/* Opcodes of one byte that are none with this ModRM byte or in 64-bit mode (SDM volume 2, appendix A). */
static bool is_invalid(const struct decoder *d, uint8_t opcode)
{
	static const char not_64[] = "\x06\x07\x0e\x16\x17\x1e\x1f\x27\x2f\x37\x3f\x60\x61\x82\x9a\xce\xd4\xd5\xd6\xea";
	unsigned int reg = d->modrm >> 3 & 7;

	if (d->mode == MODE_64 && strchr(not_64, opcode) && opcode)
		return true;
	switch (opcode) {
	case 0x8f:
	case 0xc6:
	case 0xc7:
		return reg != 0;
	case 0xfe:
		return reg > 1;
	case 0xff:
		return reg == 7;
	default:
		return false;
	}
}

void decode_next(const struct vcpu *vcpu, struct instruction *out)
{
	static const uint8_t address_sizes[MODE_COUNT] = {2, 4, 8};
	struct decoder d = {.vcpu = vcpu, .out = out, .mode = vcpu_mode(vcpu), .segment = -1,
			    .vector_length = 16, .scale = 1};
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
	out->opcode = opcode;
	if (opcode == 0x0f) {
		behind_0f(&d);
	} else if ((opcode == 0xc4 || opcode == 0xc5) && !d.overrun &&
		   (d.mode == MODE_64 || (d.at < d.available && d.code[d.at] >= 0xc0))) {
		vex(&d, opcode);
	} else if (opcode == 0x62 && !d.overrun &&
		   (d.mode == MODE_64 || (d.at < d.available && d.code[d.at] >= 0xc0))) {
		evex(&d);
	} else {
		out->fpu = out->x87 = opcode == 0x9b || (opcode >= 0xd8 && opcode <= 0xdf);
		if (one_byte[opcode] & M)
			relative = read_modrm(&d);
		finish(&d, one_byte[opcode], opcode, relative, false);
	}
	if (d.overrun) {
		out->class = CLASS_UNKNOWN;
		out->fpu = out->may_fault = true;
		out->length = 0;
		out->accesses = 0;
		return;
	}
	out->modrm = d.modrm;
	out->rex = d.rex;
	out->rep = d.repe || d.repne;
	out->repne = d.repne;
	out->operand_prefix = d.operand_prefix;
	out->segment = (uint8_t)d.operand_segment;
	out->offset = d.offset;
	out->length = (uint8_t)d.at;
	out->divides = opcode == 0xd4 || ((opcode & 0xfe) == 0xf6 && (d.modrm >> 3 & 6) == 6);
	out->bounds = opcode == 0x62 && !out->fpu;
	/* What is behind 0F is not looked at so closely. */
	out->may_fault = out->accesses || out->class != CLASS_PLAIN || out->fpu || opcode == 0x0f ||
			 out->divides || out->lock || is_invalid(&d, opcode);
}

uint64_t decode_count_mask(const struct instruction *instruction)
{
	return operand_mask(instruction->address_size);
}

struct data_access decode_access(const struct instruction *instruction, int n,
				 const struct kvm_regs *before, const struct kvm_regs *after)
{
	struct data_access access = instruction->access[n];
	uint64_t done = (before->rcx - after->rcx) & decode_count_mask(instruction);

	if (!instruction->repeated || done < 2 || done > UINT32_MAX / 8)
		return access;
	if (before->rflags & RFLAGS_DF)
		access.linear -= (done - 1) * access.len;
	access.len *= (uint32_t)done;
	return access;
}
