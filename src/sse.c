#include "sse.h"

#include <string.h>

#include "emulate.h"
#include "memory.h"

#define MXCSR_FLAGS 0x3fu
#define MXCSR_MASKS 0x1f80u
#define MXCSR_MASK_SHIFT 7
#define RFLAGS_STATUS 0x8d5u /* CF, PF, AF, ZF, SF, OF: of COMISS and its kin */
#define RFLAGS_FIXED 0x2u
#define RED_ZONE 128 /* below the stack pointer, that a compiler may use (System V ABI for AMD64, 3.2.2) */
#define ENTRY 16     /* bytes, of the code below */
#define PREDICATES 8 /* of CMPPS and its kin */
#define REX_W 8u

/* The prefix that is part of an opcode. */
enum prefix { NONE, P66, PF3, PF2, PREFIXES };
#define N (1u << NONE)
#define D (1u << P66)
#define S (1u << PF3)
#define L (1u << PF2)

/*
 * Each opcode from 0F 00 on with each prefix, XMM0 or EAX as its first operand and XMM1 or ECX as its second, and RET
 * behind it; with REX.W; and CMPPS and its kin with each predicate. Only what `rows` has is ever called. No code is made
 * when the program runs.
 */
__asm__(".pushsection .text\n"
	"	.macro sse_entry prefix, rex, opcode, imm\n"
	"	endbr64\n"
	"	.if \\prefix\n"
	"	.byte \\prefix\n"
	"	.endif\n"
	"	.if \\rex\n"
	"	.byte \\rex\n"
	"	.endif\n"
	"	.byte 0x0f, \\opcode, 0xc1\n"
	"	.if \\imm >= 0\n"
	"	.byte \\imm\n"
	"	.endif\n"
	"	ret\n"
	"	.balign 16\n"
	"	.endm\n"
	"	.macro sse_all prefix, rex\n"
	"	.set sse_opcode, 0\n"
	"	.rept 256\n"
	"	sse_entry \\prefix, \\rex, sse_opcode, -1\n"
	"	.set sse_opcode, sse_opcode + 1\n"
	"	.endr\n"
	"	.endm\n"
	"	.macro sse_compare prefix\n"
	"	.set sse_predicate, 0\n"
	"	.rept 8\n"
	"	sse_entry \\prefix, 0, 0xc2, sse_predicate\n"
	"	.set sse_predicate, sse_predicate + 1\n"
	"	.endr\n"
	"	.endm\n"
	"	.balign 16\n"
	"sse_code:\n"
	"	sse_all 0, 0\n"
	"	sse_all 0x66, 0\n"
	"	sse_all 0xf3, 0\n"
	"	sse_all 0xf2, 0\n"
	"sse_code_64:\n" /* of CVTSI2SS, CVTTSS2SI, CVTSS2SI and theirs of double precision, from 0F 2A on */
	"	sse_entry 0xf3, 0x48, 0x2a, -1\n"
	"	sse_entry 0xf3, 0x48, 0x2c, -1\n"
	"	sse_entry 0xf3, 0x48, 0x2d, -1\n"
	"	sse_entry 0xf2, 0x48, 0x2a, -1\n"
	"	sse_entry 0xf2, 0x48, 0x2c, -1\n"
	"	sse_entry 0xf2, 0x48, 0x2d, -1\n"
	"sse_code_compare:\n"
	"	sse_compare 0\n"
	"	sse_compare 0x66\n"
	"	sse_compare 0xf3\n"
	"	sse_compare 0xf2\n"
	".popsection\n");

extern const uint8_t sse_code[PREFIXES][256][ENTRY] __attribute__((visibility("hidden")));
extern const uint8_t sse_code_64[2][3][ENTRY] __attribute__((visibility("hidden")));
extern const uint8_t sse_code_compare[PREFIXES][PREDICATES][ENTRY] __attribute__((visibility("hidden")));

typedef uint8_t vector[16];

/* An instruction on its way: its operands, and what it would leave behind. Nothing is written before all is known. */
struct operation {
	struct vcpu *vcpu;
	const struct instruction *instruction;
	enum prefix prefix;
	uint8_t opcode;
	struct fxsave fpu;
	uint64_t rflags;
	uint8_t *reg;	    /* in fpu: the vector register of ModRM's reg */
	vector operand;	    /* of its mod and r/m: a vector or general register, or memory, zeros behind it */
	bool stores;	    /* what is in `operand` goes back to memory, a vector register, or a general one */
	bool to_general;    /* `general` goes to the general register of ModRM's reg */
	uint64_t general;
};

static bool is_register(const struct operation *o)
{
	return o->instruction->modrm >= 0xc0;
}

static bool is_wide(const struct operation *o)
{
	return o->instruction->rex & REX_W;
}

/*
 * On the host: xmm0 and xmm1 are `to` and `from`, ECX is `from`, too. False: an exception that the guest has not masked.
 * Of the host's own state nothing but MXCSR is changed, which is back afterwards.
 */
static bool run(struct operation *o, const uint8_t *code, uint8_t *to, const uint8_t *from)
{
	uint64_t status = (o->rflags & RFLAGS_STATUS) | RFLAGS_FIXED, general;
	uint32_t host, work = (o->fpu.mxcsr & ~MXCSR_FLAGS) | MXCSR_MASKS;

	memcpy(&general, from, sizeof(general));
	__asm__ volatile("stmxcsr %[host]\n\t"
			 "ldmxcsr %[work]\n\t"
			 "movdqu (%[to]), %%xmm0\n\t"
			 "movdqu (%[from]), %%xmm1\n\t"
			 "lea -%c[zone](%%rsp), %%rsp\n\t"
			 "push %[status]\n\t"
			 "popfq\n\t"
			 "call *%[code]\n\t"
			 "pushfq\n\t"
			 "pop %[status]\n\t"
			 "lea %c[zone](%%rsp), %%rsp\n\t"
			 "movdqu %%xmm0, (%[to])\n\t"
			 : [status] "+&r"(status), "=&a"(o->general), "+c"(general), [host] "=m"(host)
			 : [work] "m"(work), [to] "r"(to), [from] "r"(from), [code] "r"(code), [zone] "i"(RED_ZONE)
			 : "xmm0", "xmm1", "cc", "memory");
	__asm__ volatile("stmxcsr %[work]\n\t"
			 "ldmxcsr %[host]"
			 : [work] "=m"(work)
			 : [host] "m"(host));
	if (work & MXCSR_FLAGS & ~(o->fpu.mxcsr >> MXCSR_MASK_SHIFT))
		return false;
	o->fpu.mxcsr |= work & MXCSR_FLAGS;
	o->rflags = (o->rflags & ~(uint64_t)RFLAGS_STATUS) | (status & RFLAGS_STATUS);
	return true;
}

/* Instructions. False: the CPU would raise an exception, or there is no such form. */

static bool compute(struct operation *o)
{
	return run(o, sse_code[o->prefix][o->opcode], o->reg, o->operand);
}

/* The other bits of the predicate do not count. */
static bool compare(struct operation *o)
{
	return run(o, sse_code_compare[o->prefix][o->instruction->immediate % PREDICATES], o->reg, o->operand);
}

static bool convert(struct operation *o)
{
	const uint8_t *code = sse_code[o->prefix][o->opcode];

	if (is_wide(o))
		code = sse_code_64[o->prefix == PF2][o->opcode == 0x2a ? 0 : o->opcode - 0x2b];
	o->to_general = o->opcode != 0x2a;
	return run(o, code, o->reg, o->operand);
}

/* MOVMSKPS, MOVMSKPD, PMOVMSKB. */
static bool take_signs(struct operation *o)
{
	o->to_general = true;
	return is_register(o) && compute(o);
}

static bool load(struct operation *o)
{
	memcpy(o->reg, o->operand, sizeof(vector));
	return true;
}

static bool load_unaligned(struct operation *o)
{
	return !is_register(o) && load(o);
}

static bool store(struct operation *o)
{
	memcpy(o->operand, o->reg, sizeof(vector));
	return o->stores = true;
}

static bool store_past_cache(struct operation *o)
{
	return !is_register(o) && store(o);
}

static unsigned int scalar_size(const struct operation *o)
{
	return o->prefix == PF3 ? 4 : 8;
}

static bool load_scalar(struct operation *o)
{
	memcpy(o->reg, o->operand, is_register(o) ? scalar_size(o) : sizeof(vector));
	return true;
}

static bool store_scalar(struct operation *o)
{
	memcpy(o->operand, o->reg, scalar_size(o));
	return o->stores = true;
}

/* MOVLPS, MOVHLPS, MOVHPS, MOVLHPS and theirs of double precision, which know memory only. */
static bool load_half(struct operation *o)
{
	bool high = o->opcode == 0x16;

	if (is_register(o) && o->prefix != NONE)
		return false;
	memcpy(o->reg + (high ? 8 : 0), o->operand + (is_register(o) && !high ? 8 : 0), 8);
	return true;
}

static bool store_half(struct operation *o)
{
	if (is_register(o))
		return false;
	memcpy(o->operand, o->reg + (o->opcode == 0x17 ? 8 : 0), 8);
	return o->stores = true;
}

/* MOVD and MOVQ from a general register or memory, and MOVQ: zeros come behind it. */
static bool load_low(struct operation *o)
{
	unsigned int size = o->prefix == PF3 || is_wide(o) ? 8 : 4;

	memset(o->reg, 0, sizeof(vector));
	memcpy(o->reg, o->operand, size);
	return true;
}

static bool store_low(struct operation *o)
{
	memset(o->operand, 0, sizeof(vector));
	memcpy(o->operand, o->reg, o->opcode == 0xd6 || is_wide(o) ? 8 : 4);
	return o->stores = true;
}

static bool insert_word(struct operation *o)
{
	memcpy(o->reg + 2 * (o->instruction->immediate & 7), o->operand, 2);
	return true;
}

static bool extract_word(struct operation *o)
{
	o->to_general = true;
	o->general = 0;
	memcpy(&o->general, o->operand + 2 * (o->instruction->immediate & 7), 2);
	return is_register(o);
}

/* PSHUFD, PSHUFHW and PSHUFLW. */
static bool shuffle_integers(struct operation *o)
{
	unsigned int size = o->prefix == P66 ? 4 : 2, at = o->prefix == PF3 ? 8 : 0;
	vector result;

	memcpy(result, o->operand, sizeof(result));
	for (unsigned int i = 0; i < 4; i++)
		memcpy(result + at + i * size, o->operand + at + (o->instruction->immediate >> 2 * i & 3) * size, size);
	memcpy(o->reg, result, sizeof(result));
	return true;
}

/* SHUFPS and SHUFPD: the lower half of what they make is from the first operand, the upper one from the second. */
static bool shuffle(struct operation *o)
{
	unsigned int size = o->prefix == P66 ? 8 : 4, count = 16 / size, bits = count / 2;
	vector result;

	for (unsigned int i = 0; i < count; i++)
		memcpy(result + i * size,
		       (i < count / 2 ? o->reg : o->operand) + (o->instruction->immediate >> bits * i & (count - 1)) * size,
		       size);
	memcpy(o->reg, result, sizeof(result));
	return true;
}

/* By an immediate: as by a register with that, or bytes of the whole. */
static bool shift(struct operation *o)
{
	static const uint8_t by_register[3][8] = {
		{0, 0, 0xd1, 0, 0xe1, 0, 0xf1, 0}, {0, 0, 0xd2, 0, 0xe2, 0, 0xf2, 0}, {0, 0, 0xd3, 0, 0, 0, 0xf3, 0}};
	unsigned int which = o->instruction->modrm >> 3 & 7, count = (uint8_t)o->instruction->immediate;
	uint8_t opcode = by_register[o->opcode - 0x71][which];
	vector from = {(uint8_t)count}, result = {0};

	if (!is_register(o))
		return false;
	o->stores = true;
	if (opcode)
		return run(o, sse_code[P66][opcode], o->operand, from);
	if (o->opcode != 0x73 || (which != 3 && which != 7))
		return false;
	if (count < sizeof(result) && which == 3)
		memcpy(result, o->operand + count, sizeof(result) - count);
	if (count < sizeof(result) && which == 7)
		memcpy(result + count, o->operand, sizeof(result) - count);
	memcpy(o->operand, result, sizeof(result));
	return true;
}

/* What ModRM's r/m is, when it is a register. */
enum other { VECTOR, GENERAL };

static const struct row {
	uint8_t first, last, prefixes;
	enum other other;
	bool unaligned; /* 16 bytes of memory need not be */
	bool (*run)(struct operation *o);
} rows[] = {
	{0x10, 0x10, N | D, VECTOR, true, load},
	{0x10, 0x10, S | L, VECTOR, true, load_scalar},
	{0x11, 0x11, N | D, VECTOR, true, store},
	{0x11, 0x11, S | L, VECTOR, true, store_scalar},
	{0x12, 0x12, N | D, VECTOR, true, load_half},
	{0x12, 0x12, S | L, VECTOR, false, compute},
	{0x13, 0x13, N | D, VECTOR, true, store_half},
	{0x14, 0x15, N | D, VECTOR, false, compute},
	{0x16, 0x16, N | D, VECTOR, true, load_half},
	{0x16, 0x16, S, VECTOR, false, compute},
	{0x17, 0x17, N | D, VECTOR, true, store_half},
	{0x28, 0x28, N | D, VECTOR, false, load},
	{0x29, 0x29, N | D, VECTOR, false, store},
	{0x2a, 0x2a, S | L, GENERAL, true, convert},
	{0x2b, 0x2b, N | D, VECTOR, false, store_past_cache},
	{0x2c, 0x2d, S | L, VECTOR, true, convert},
	{0x2e, 0x2f, N | D, VECTOR, true, compute},
	{0x50, 0x50, N | D, VECTOR, true, take_signs},
	{0x51, 0x51, N | D | S | L, VECTOR, false, compute},
	{0x52, 0x53, N | S, VECTOR, false, compute},
	{0x54, 0x57, N | D, VECTOR, false, compute},
	{0x58, 0x5a, N | D | S | L, VECTOR, false, compute},
	{0x5b, 0x5b, N | D | S, VECTOR, false, compute},
	{0x5c, 0x5f, N | D | S | L, VECTOR, false, compute},
	{0x60, 0x6d, D, VECTOR, false, compute},
	{0x6e, 0x6e, D, GENERAL, true, load_low},
	{0x6f, 0x6f, D, VECTOR, false, load},
	{0x6f, 0x6f, S, VECTOR, true, load},
	{0x70, 0x70, D | S | L, VECTOR, false, shuffle_integers},
	{0x71, 0x73, D, VECTOR, false, shift},
	{0x74, 0x76, D, VECTOR, false, compute},
	{0x7c, 0x7d, D | L, VECTOR, false, compute},
	{0x7e, 0x7e, D, GENERAL, true, store_low},
	{0x7e, 0x7e, S, VECTOR, true, load_low},
	{0x7f, 0x7f, D, VECTOR, false, store},
	{0x7f, 0x7f, S, VECTOR, true, store},
	{0xc2, 0xc2, N | D | S | L, VECTOR, false, compare},
	{0xc4, 0xc4, D, GENERAL, true, insert_word},
	{0xc5, 0xc5, D, VECTOR, true, extract_word},
	{0xc6, 0xc6, N | D, VECTOR, false, shuffle},
	{0xd0, 0xd0, D | L, VECTOR, false, compute},
	{0xd1, 0xd5, D, VECTOR, false, compute},
	{0xd6, 0xd6, D, VECTOR, true, store_low},
	{0xd7, 0xd7, D, VECTOR, true, take_signs},
	{0xd8, 0xe5, D, VECTOR, false, compute},
	{0xe6, 0xe6, D | S | L, VECTOR, false, compute},
	{0xe7, 0xe7, D, VECTOR, false, store_past_cache},
	{0xe8, 0xef, D, VECTOR, false, compute},
	{0xf0, 0xf0, L, VECTOR, true, load_unaligned},
	{0xf1, 0xf6, D, VECTOR, false, compute},
	{0xf8, 0xfe, D, VECTOR, false, compute},
};

static const struct row *find_row(uint8_t opcode, enum prefix prefix)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (opcode >= rows[i].first && opcode <= rows[i].last && rows[i].prefixes >> prefix & 1)
			return &rows[i];
	}
	return NULL;
}

static uint8_t *vector_rm(struct operation *o)
{
	return o->fpu.xmm[(o->instruction->modrm & 7u) | (o->instruction->rex & 1u) << 3];
}

static __u64 *general_rm(struct operation *o)
{
	return vcpu_general(o->vcpu->regs, (o->instruction->modrm & 7u) | (o->instruction->rex & 1u) << 3);
}

static bool read_operand(struct operation *o, const struct row *row)
{
	const struct data_access *access = &o->instruction->access[0];

	if (is_register(o)) {
		if (row->other == VECTOR)
			memcpy(o->operand, vector_rm(o), sizeof(vector));
		else
			memcpy(o->operand, general_rm(o), sizeof(*general_rm(o)));
		return true;
	}
	if (o->instruction->accesses != 1 || access->len > sizeof(vector) ||
	    (access->len == sizeof(vector) && !row->unaligned && access->linear % sizeof(vector)) ||
	    !emulate_allows(o->vcpu, o->instruction, access))
		return false;
	return !access->read || memory_read(o->vcpu, access->linear, o->operand, access->len) == (ssize_t)access->len;
}

/* A result of 32 bits clears what is above it. */
static void set_general(__u64 *to, uint64_t value, bool wide)
{
	*to = wide ? value : (uint32_t)value;
}

static bool write_operand(struct operation *o, const struct row *row)
{
	const struct data_access *access = &o->instruction->access[0];
	uint64_t low;

	if (!is_register(o))
		return access->write && !memory_write(o->vcpu, access->linear, o->operand, access->len);
	memcpy(&low, o->operand, sizeof(low));
	if (row->other == GENERAL)
		set_general(general_rm(o), low, is_wide(o));
	return true;
}

bool sse_run(struct vcpu *vcpu, const struct instruction *instruction)
{
	struct operation o = {.vcpu = vcpu, .instruction = instruction, .rflags = vcpu->regs->rflags,
			      .prefix = instruction->repne	     ? PF2
					: instruction->rep	     ? PF3
					: instruction->operand_prefix ? P66
								     : NONE};
	const struct fxsave *now;
	const struct row *row;

	if (instruction->opcode >> 8 != 0x0f)
		return false;
	o.opcode = (uint8_t)instruction->opcode;
	row = find_row(o.opcode, o.prefix);
	if (!row || vcpu->sregs->cr0 & (CR0_EM | CR0_TS) || !(vcpu->sregs->cr4 & CR4_OSFXSR))
		return false;
	now = vcpu_fpu(vcpu);
	if (!now)
		return false;
	o.fpu = *now;
	o.reg = o.fpu.xmm[(instruction->modrm >> 3 & 7u) | (instruction->rex & 4u) << 1];
	if (!read_operand(&o, row) || !row->run(&o))
		return false;
	if (o.stores && is_register(&o) && row->other == VECTOR)
		memcpy(vector_rm(&o), o.operand, sizeof(vector));
	/* What may fail comes first. */
	if (vcpu_set_fpu(vcpu, &o.fpu) || (o.stores && !write_operand(&o, row)))
		return false;
	if (o.to_general)
		set_general(vcpu_general(vcpu->regs, (instruction->modrm >> 3 & 7u) | (instruction->rex & 4u) << 1), o.general,
			    is_wide(&o));
	vcpu->regs->rflags = o.rflags;
	return true;
}
