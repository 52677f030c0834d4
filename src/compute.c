#include "compute.h"

#include "memory.h"

#define RFLAGS_CF 0x1u
#define RFLAGS_PF 0x4u
#define RFLAGS_ZF 0x40u
#define RFLAGS_SF 0x80u
#define RFLAGS_OF 0x800u
/* Those that LAHF loads. */
#define RFLAGS_LOW 0xd5u

/* An instruction on its way: the registers are those of the vCPU, and are written back when it is done. */
struct computation {
	const struct instruction *instruction;
	struct kvm_regs regs;
	enum vcpu_mode mode;
	uint64_t limit;	   /* of CS */
	unsigned int size; /* of the operands, bytes */
	bool is_register;  /* ModRM's operand */
	uint64_t next;	   /* RIP behind it */
};

/* In the order of their encoding (SDM volume 2, tables ). */
enum operation {
	ADD, OR, ADC, SBB, AND, SUB, XOR, CMP,
	ROL, ROR, RCL, RCR, SHL, SHR, SAL, SAR,
	NOT, NEG, INC, DEC, IMUL
};

/*
 * One instruction of the host's, on x and y, with the guest's flags before and behind it. AL has OF, which ADD makes of 1
 * by adding 7Fh, and AH the others.
 */
#define RUN(code)                                                                                          \
	__asm__("addb $0x7f, %%al\n\tsahf\n\t" code "\n\tlahf\n\tseto %%al" : [x] "+&r"(x), "+&a"(ax)      \
		: [y] "c"(y)                                                                               \
		: "cc");                                                                                   \
	break

#define SIZES(byte, word, dword, qword)                                                                    \
	switch (size) {                                                                                    \
	case 1: RUN(byte);                                                                                 \
	case 2: RUN(word);                                                                                 \
	case 4: RUN(dword);                                                                                \
	default: RUN(qword);                                                                               \
	}                                                                                                  \
	break

#define UNARY(name) SIZES(name "b %b[x]", name "w %w[x]", name "l %k[x]", name "q %q[x]")
#define BINARY(name) \
	SIZES(name "b %b[y], %b[x]", name "w %w[y], %w[x]", name "l %k[y], %k[x]", name "q %q[y], %q[x]")
#define SHIFT(name) SIZES(name "b %%cl, %b[x]", name "w %%cl, %w[x]", name "l %%cl, %k[x]", name "q %%cl, %q[x]")

static uint64_t run(enum operation operation, unsigned int size, uint64_t x, uint64_t y, __u64 *rflags)
{
	uint16_t ax = (uint16_t)(*rflags << 8 | (*rflags & RFLAGS_OF ? 1 : 0));

	switch (operation) {
	case ADD: BINARY("add");
	case OR: BINARY("or");
	case ADC: BINARY("adc");
	case SBB: BINARY("sbb");
	case AND: BINARY("and");
	case CMP:
	case SUB: BINARY("sub");
	case XOR: BINARY("xor");
	case ROL: SHIFT("rol");
	case ROR: SHIFT("ror");
	case RCL: SHIFT("rcl");
	case RCR: SHIFT("rcr");
	case SAL:
	case SHL: SHIFT("shl");
	case SHR: SHIFT("shr");
	case SAR: SHIFT("sar");
	case NOT: UNARY("not");
	case NEG: UNARY("neg");
	case INC: UNARY("inc");
	case DEC: UNARY("dec");
	case IMUL:
		switch (size) {
		case 2: RUN("imulw %w[y], %w[x]");
		case 4: RUN("imull %k[y], %k[x]");
		default: RUN("imulq %q[y], %q[x]");
		}
		break;
	}
	*rflags = (*rflags & ~(uint64_t)(RFLAGS_LOW | RFLAGS_OF)) | (ax >> 8 & RFLAGS_LOW) | (ax & 1 ? RFLAGS_OF : 0);
	return x;
}

static __u64 *register_of(struct computation *c, unsigned int number)
{
	return vcpu_general(&c->regs, number);
}

/* Without REX the numbers from 4 on are AH to BH, as bytes. */
static bool is_high(const struct computation *c, unsigned int number, unsigned int size)
{
	return size == 1 && !c->instruction->rex && number >= 4;
}

static uint64_t get(struct computation *c, unsigned int number, unsigned int size)
{
	bool high = is_high(c, number, size);
	uint64_t value = *register_of(c, high ? number - 4 : number) >> (high ? 8 : 0);

	return size == 8 ? value : value & ((1ull << 8 * size) - 1);
}

static void set(struct computation *c, unsigned int number, unsigned int size, uint64_t value)
{
	bool high = is_high(c, number, size);
	__u64 *reg = register_of(c, high ? number - 4 : number);
	uint64_t mask = size == 1 ? 0xff : 0xffff;

	if (size >= 4) {
		*reg = size == 4 ? (uint32_t)value : value;
		return;
	}
	if (high) {
		mask <<= 8;
		value <<= 8;
	}
	*reg = (*reg & ~mask) | (value & mask);
}

/* The registers that an instruction names: in ModRM's two fields, or in its opcode. */
static unsigned int rm(const struct computation *c)
{
	return (c->instruction->modrm & 7u) | (c->instruction->rex & 1u) << 3;
}

static unsigned int reg(const struct computation *c)
{
	return (c->instruction->modrm >> 3 & 7u) | (c->instruction->rex & 4u) << 1;
}

static unsigned int in_opcode(const struct computation *c)
{
	return (c->instruction->opcode & 7u) | (c->instruction->rex & 1u) << 3;
}

static uint64_t extend(uint64_t value, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* A condition as Jcc, SETcc and CMOVcc encode it. */
static bool holds(const struct computation *c, unsigned int condition)
{
	uint64_t f = c->regs.rflags;
	bool less = !(f & RFLAGS_SF) != !(f & RFLAGS_OF), is;

	switch (condition >> 1 & 7) {
	case 0: is = f & RFLAGS_OF; break;
	case 1: is = f & RFLAGS_CF; break;
	case 2: is = f & RFLAGS_ZF; break;
	case 3: is = f & (RFLAGS_CF | RFLAGS_ZF); break;
	case 4: is = f & RFLAGS_SF; break;
	case 5: is = f & RFLAGS_PF; break;
	case 6: is = less; break;
	default: is = less || f & RFLAGS_ZF; break;
	}
	return is != (condition & 1);
}

/* An operation on a register, whose result CMP alone leaves away. */
static void operate(struct computation *c, enum operation operation, unsigned int to, unsigned int size, uint64_t y)
{
	uint64_t result = run(operation, size, get(c, to, size), y, &c->regs.rflags);

	if (operation != CMP)
		set(c, to, size, result);
}

static void test(struct computation *c, unsigned int which, unsigned int size, uint64_t y)
{
	run(AND, size, get(c, which, size), y, &c->regs.rflags);
}

/* 00 to 3D: the eight operations, in the six forms that each has. */
static bool arithmetic(struct computation *c, unsigned int opcode)
{
	enum operation operation = (enum operation)(opcode >> 3);
	unsigned int size = opcode & 1 ? c->size : 1;

	switch (opcode & 7) {
	case 0:
	case 1:
		operate(c, operation, rm(c), size, get(c, reg(c), size));
		return c->is_register;
	case 2:
	case 3:
		operate(c, operation, reg(c), size, get(c, rm(c), size));
		return c->is_register;
	case 4:
	case 5:
		operate(c, operation, 0, size, c->instruction->immediate);
		return true;
	default:
		return false;
	}
}

/* C0, C1, D0 to D3. */
static bool shift(struct computation *c, unsigned int opcode)
{
	uint64_t count = opcode < 0xd0 ? c->instruction->immediate : opcode < 0xd2 ? 1 : c->regs.rcx;

	operate(c, (enum operation)(ROL + (reg(c) & 7)), rm(c), opcode & 1 ? c->size : 1, count & 0xff);
	return c->is_register;
}

/* F6, F7, FE, FF, but for multiplication, division, calls and pushes. */
static bool group(struct computation *c, unsigned int opcode)
{
	unsigned int size = opcode & 1 ? c->size : 1, number = reg(c) & 7;

	if (opcode >= 0xfe && number < 2) {
		operate(c, number ? DEC : INC, rm(c), size, 0);
		return c->is_register;
	}
	if (opcode == 0xff && number == 4) { /* JMP */
		c->next = get(c, rm(c), c->size);
		return c->is_register;
	}
	if (opcode >= 0xfe || number > 3 || number == 1)
		return false;
	if (number == 0)
		test(c, rm(c), size, c->instruction->immediate);
	else
		operate(c, number == 2 ? NOT : NEG, rm(c), size, 0);
	return c->is_register;
}

static void exchange(struct computation *c, unsigned int a, unsigned int b, unsigned int size)
{
	uint64_t value = get(c, a, size);

	set(c, a, size, get(c, b, size));
	set(c, b, size, value);
}

static void jump(struct computation *c)
{
	c->next += c->instruction->immediate;
	if (c->size < 8)
		c->next &= (1ull << 8 * c->size) - 1;
}

/* E0 to E3: LOOPNE, LOOPE, LOOP, JCXZ. The counter has the size of addresses. */
static void loop(struct computation *c, unsigned int opcode)
{
	unsigned int size = c->instruction->address_size;
	uint64_t count = get(c, 1, size);

	if (opcode == 0xe3) {
		if (!count)
			jump(c);
		return;
	}
	set(c, 1, size, --count);
	if (get(c, 1, size) && (opcode == 0xe2 || !(c->regs.rflags & RFLAGS_ZF) == (opcode == 0xe0)))
		jump(c);
}

static void change_flag(struct computation *c, uint64_t flag, bool on)
{
	c->regs.rflags = on ? c->regs.rflags | flag : c->regs.rflags & ~flag;
}

static bool one_byte(struct computation *c, unsigned int opcode)
{
	const struct instruction *in = c->instruction;
	unsigned int size = opcode & 1 ? c->size : 1;

	switch (opcode) {
	case 0x00 ... 0x3f:
		return arithmetic(c, opcode);
	case 0x40 ... 0x4f: /* prefixes in 64-bit mode */
		operate(c, opcode & 8 ? DEC : INC, opcode & 7, c->size, 0);
		return true;
	case 0x63: /* MOVSXD; elsewhere ARPL */
		set(c, reg(c), c->size, extend(get(c, rm(c), 4), 4));
		return c->is_register && c->mode == MODE_64 && c->size >= 4;
	case 0x69:
	case 0x6b:
		set(c, reg(c), c->size, run(IMUL, c->size, get(c, rm(c), c->size), in->immediate, &c->regs.rflags));
		return c->is_register;
	case 0x70 ... 0x7f:
		if (holds(c, opcode))
			jump(c);
		return true;
	case 0x80:
	case 0x81:
	case 0x83:
		operate(c, (enum operation)(reg(c) & 7), rm(c), size, in->immediate);
		return c->is_register;
	case 0x84:
	case 0x85:
		test(c, rm(c), size, get(c, reg(c), size));
		return c->is_register;
	case 0x86:
	case 0x87:
		exchange(c, reg(c), rm(c), size);
		return c->is_register;
	case 0x88:
	case 0x89:
		set(c, rm(c), size, get(c, reg(c), size));
		return c->is_register;
	case 0x8a:
	case 0x8b:
		set(c, reg(c), size, get(c, rm(c), size));
		return c->is_register;
	case 0x8d: /* LEA */
		set(c, reg(c), c->size, in->offset);
		return !c->is_register;
	case 0x90 ... 0x97:
		if (in_opcode(c)) /* else NOP, and with REP PAUSE */
			exchange(c, 0, in_opcode(c), c->size);
		return true;
	case 0x98: /* CBW, CWDE, CDQE */
		set(c, 0, c->size, extend(get(c, 0, c->size / 2), c->size / 2));
		return true;
	case 0x99: /* CWD, CDQ, CQO */
		set(c, 2, c->size, extend(get(c, 0, c->size), c->size) >> 63 ? UINT64_MAX : 0);
		return true;
	case 0xa8:
	case 0xa9:
		test(c, 0, size, in->immediate);
		return true;
	case 0xb0 ... 0xb7:
		set(c, in_opcode(c), 1, in->immediate);
		return true;
	case 0xb8 ... 0xbf:
		set(c, in_opcode(c), c->size, in->immediate);
		return true;
	case 0xc0:
	case 0xc1:
	case 0xd0 ... 0xd3:
		return shift(c, opcode);
	case 0xc6:
	case 0xc7:
		set(c, rm(c), size, in->immediate);
		return c->is_register && !(reg(c) & 7);
	case 0xe0 ... 0xe3:
		loop(c, opcode);
		return true;
	case 0xe9:
	case 0xeb:
		jump(c);
		return true;
	case 0xf5:
		change_flag(c, RFLAGS_CF, !(c->regs.rflags & RFLAGS_CF));
		return true;
	case 0xf8:
	case 0xf9:
		change_flag(c, RFLAGS_CF, opcode & 1);
		return true;
	case 0xfc:
	case 0xfd:
		change_flag(c, RFLAGS_DF, opcode & 1);
		return true;
	case 0xf6:
	case 0xf7:
	case 0xfe:
	case 0xff:
		return group(c, opcode);
	default:
		return false;
	}
}

/* Behind 0F. */
static bool two_bytes(struct computation *c, unsigned int opcode)
{
	switch (opcode) {
	case 0x40 ... 0x4f: /* CMOVcc, which clears the upper half of a register in any case */
		set(c, reg(c), c->size, get(c, holds(c, opcode) ? rm(c) : reg(c), c->size));
		return c->is_register;
	case 0x80 ... 0x8f:
		if (holds(c, opcode))
			jump(c);
		return true;
	case 0x90 ... 0x9f: /* SETcc */
		set(c, rm(c), 1, holds(c, opcode));
		return c->is_register;
	case 0xaf:
		operate(c, IMUL, reg(c), c->size, get(c, rm(c), c->size));
		return c->is_register;
	case 0xb6: /* MOVZX, MOVSX */
	case 0xb7:
		set(c, reg(c), c->size, get(c, rm(c), opcode & 1 ? 2 : 1));
		return c->is_register;
	case 0xbe:
	case 0xbf:
		set(c, reg(c), c->size, extend(get(c, rm(c), opcode & 1 ? 2 : 1), opcode & 1 ? 2 : 1));
		return c->is_register;
	case 0xc8 ... 0xcf: /* BSWAP, undefined for 16 bits */
		set(c, in_opcode(c), c->size, c->size == 8 ? __builtin_bswap64(get(c, in_opcode(c), 8))
							   : __builtin_bswap32((uint32_t)get(c, in_opcode(c), 4)));
		return c->size != 2;
	default:
		return false;
	}
}

static bool is_jump(unsigned int opcode)
{
	return (opcode >= 0x70 && opcode <= 0x7f) || (opcode >= 0xe0 && opcode <= 0xeb) || opcode == 0xff ||
	       (opcode >= 0x0f80 && opcode <= 0x0f8f);
}

/* Whether RIP may come to be there; it is the jump that faults. */
static bool may_reach(const struct computation *c, uint64_t rip)
{
	if (c->mode == MODE_64)
		return !(rip >> 47) || rip >> 47 == 0x1ffff;
	return rip <= c->limit && (c->mode == MODE_32 || rip <= 0xffff);
}

bool compute(struct vcpu *vcpu, const struct instruction *in)
{
	struct computation c = {.instruction = in, .regs = *vcpu->regs, .mode = vcpu_mode(vcpu),
				.limit = vcpu->sregs->cs.limit, .size = in->operand_size,
				.is_register = in->modrm >> 6 == 3};
	unsigned int opcode = in->opcode;

	if (in->class != CLASS_PLAIN || !in->length || in->accesses || in->fpu || in->lock ||
	    (in->rep && (opcode != 0x90 || in->rex & 1)) ||
	    vcpu->sregs->cr4 & CR4_CET /* it follows jumps */ || !vcpu_is_settled(vcpu))
		return false;
	/* The operands of near jumps have 64 bits there; with 66, AMD's and Intel's processors differ. */
	if (c.mode == MODE_64 && is_jump(opcode) && (opcode != 0xff || (in->modrm >> 3 & 7) == 4)) {
		if (c.size == 2)
			return false;
		c.size = 8;
	}
	c.next = c.regs.rip + in->length;
	if (!may_reach(&c, c.next) || !(opcode >> 8 ? two_bytes(&c, opcode & 0xff) : one_byte(&c, opcode)) ||
	    !may_reach(&c, c.next) || !memory_runs(vcpu, vcpu_pc(vcpu), in->length, vcpu_cpl(vcpu)))
		return false;
	c.regs.rip = c.next;
	c.regs.rflags &= ~(uint64_t)RFLAGS_RF;
	*vcpu->regs = c.regs;
	vcpu->regs_dirty = true;
	return true;
}
