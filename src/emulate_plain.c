#include "emulate_plain.h"

#include <cpuid.h>
#include <string.h>

#include "emulate.h"
#include "memory.h"
#include "segment.h"
#include "sse.h"

#define OPCODE_DAA 0x27u
#define OPCODE_AAA 0x37u
#define OPCODE_AAS 0x3fu
#define OPCODE_HINT_FIRST 0x0f19u /* to OPCODE_HINT; 0F 18 and 0F 1F every KVM knows */
#define OPCODE_VERIFY 0x0f00u	  /* and others, by reg */
#define OPCODE_LAR 0x0f02u
#define OPCODE_LSL 0x0f03u
#define OPCODE_MXCSR 0x0faeu /* and others */
#define OPCODE_POPCNT 0x0fb8u
#define OPCODE_RANDOM 0x0fc7u /* and others */
#define REG_LDMXCSR 2u
#define REG_STMXCSR 3u
#define REG_VERR 4u
#define REG_VERW 5u
#define REG_RDRAND 6u
#define REG_RDSEED 7u

#define MXCSR_ALL 0xffbfu /* without a mask of the CPU's (SDM volume 1, 11.6.6) */
#define CPUID_RDRAND (1u << 30) /* leaf 1, ECX */
#define CPUID_RDSEED (1u << 18) /* leaf 7, EBX */

#define RFLAGS_CF 0x1u
#define RFLAGS_PF 0x4u
#define RFLAGS_AF 0x10u
#define RFLAGS_ZF 0x40u
#define RFLAGS_SF 0x80u
#define RFLAGS_OF 0x800u
#define RFLAGS_STATUS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

static bool is_register(const struct instruction *instruction)
{
	return instruction->modrm >= 0xc0;
}

static unsigned int reg_of(const struct instruction *instruction)
{
	return instruction->modrm >> 3 & 7;
}

static __u64 *register_reg(struct vcpu *vcpu, const struct instruction *instruction)
{
	return vcpu_general(vcpu->regs, reg_of(instruction) | (instruction->rex & 4u) << 1);
}

static __u64 *register_rm(struct vcpu *vcpu, const struct instruction *instruction)
{
	return vcpu_general(vcpu->regs, (instruction->modrm & 7u) | (instruction->rex & 1u) << 3);
}

static uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? UINT64_MAX : (1ull << 8 * size) - 1;
}

/* A result of 32 bits clears what is above it, one of 16 bits does not. */
static void set_register(__u64 *to, uint64_t value, unsigned int size)
{
	*to = size >= 4 ? value & size_mask(size) : (*to & ~size_mask(size)) | (value & size_mask(size));
}

static void set_status(struct vcpu *vcpu, uint64_t flags)
{
	vcpu->regs->rflags = (vcpu->regs->rflags & ~(uint64_t)RFLAGS_STATUS) | flags;
}

/* The operand that ModRM's mod and r/m name, of `size` bytes. */
static bool read_operand(struct vcpu *vcpu, const struct instruction *instruction, unsigned int size, uint64_t *value)
{
	const struct data_access *access = &instruction->access[0];

	*value = 0;
	if (is_register(instruction)) {
		*value = *register_rm(vcpu, instruction) & size_mask(size);
		return true;
	}
	return instruction->accesses == 1 && access->len == size && emulate_allows(vcpu, instruction, access) &&
	       memory_read(vcpu, access->linear, value, size) == (ssize_t)size;
}

static void adjust(struct vcpu *vcpu, unsigned int opcode)
{
	__u64 *rax = &vcpu->regs->rax;
	uint64_t flags = vcpu->regs->rflags;
	uint16_t ax = (uint16_t)*rax;
	uint8_t al = (uint8_t)ax;
	bool low = (al & 15) > 9 || flags & RFLAGS_AF, carry = low;

	if (opcode == OPCODE_DAA) {
		carry = al > 0x99 || flags & RFLAGS_CF;
		al = (uint8_t)(al + (low ? 6 : 0) + (carry ? 0x60 : 0));
		ax = (uint16_t)((ax & 0xff00) | al);
		flags &= ~(uint64_t)(RFLAGS_SF | RFLAGS_ZF | RFLAGS_PF);
		flags |= (al & 0x80 ? RFLAGS_SF : 0) | (al ? 0 : RFLAGS_ZF) |
			 (__builtin_parity(al) ? 0 : RFLAGS_PF);
	} else {
		if (low)
			ax = (uint16_t)(opcode == OPCODE_AAA ? ax + 0x106 : ax - 0x106);
		ax &= 0xff0f;
	}
	flags &= ~(uint64_t)(RFLAGS_AF | RFLAGS_CF);
	*rax = (*rax & ~0xffffull) | ax;
	vcpu->regs->rflags = flags | (low ? RFLAGS_AF : 0) | (carry ? RFLAGS_CF : 0);
}

/* Instructions: each is done but for the program counter. False, with nothing changed: none of it. */

static bool run_adjust(struct vcpu *vcpu, const struct instruction *instruction)
{
	if (vcpu_mode(vcpu) == MODE_64)
		return false;
	adjust(vcpu, instruction->opcode);
	return true;
}

static bool run_hint(struct vcpu *vcpu, const struct instruction *instruction)
{
	(void)vcpu;
	(void)instruction;
	return true;
}

/* LDMXCSR and STMXCSR. */
static bool run_mxcsr(struct vcpu *vcpu, const struct instruction *instruction)
{
	const struct data_access *access = &instruction->access[0];
	const struct fxsave *now;
	struct fxsave fpu;
	uint32_t value;

	if (is_register(instruction) || instruction->rep || instruction->operand_prefix || instruction->accesses != 1 ||
	    (reg_of(instruction) != REG_LDMXCSR && reg_of(instruction) != REG_STMXCSR) ||
	    vcpu->sregs->cr0 & (CR0_EM | CR0_TS) || !(vcpu->sregs->cr4 & CR4_OSFXSR) ||
	    !emulate_allows(vcpu, instruction, access))
		return false;
	now = vcpu_fpu(vcpu);
	if (!now)
		return false;
	if (reg_of(instruction) == REG_STMXCSR)
		return !memory_write(vcpu, access->linear, &now->mxcsr, sizeof(now->mxcsr));
	fpu = *now;
	if (memory_read(vcpu, access->linear, &value, sizeof(value)) != sizeof(value) ||
	    value & ~(fpu.mxcsr_mask ? fpu.mxcsr_mask : MXCSR_ALL))
		return false;
	fpu.mxcsr = value;
	return !vcpu_set_fpu(vcpu, &fpu);
}

static bool run_popcnt(struct vcpu *vcpu, const struct instruction *instruction)
{
	unsigned int size = instruction->operand_size;
	uint64_t value;

	if (!instruction->rep || instruction->repne || !read_operand(vcpu, instruction, size, &value))
		return false;
	set_register(register_reg(vcpu, instruction), (uint64_t)__builtin_popcountll(value), size);
	set_status(vcpu, value ? 0 : RFLAGS_ZF);
	return true;
}

static bool host_has(bool seed)
{
	static unsigned int leaf_1, leaf_7;
	static bool known;
	unsigned int a, b, c, d;

	if (!known && __get_cpuid(1, &a, &b, &c, &d))
		leaf_1 = c;
	if (!known && __get_cpuid_count(7, 0, &a, &b, &c, &d))
		leaf_7 = b;
	known = true;
	return seed ? leaf_7 & CPUID_RDSEED : leaf_1 & CPUID_RDRAND;
}

/* RDRAND and RDSEED, from the host's. */
static bool run_random(struct vcpu *vcpu, const struct instruction *instruction)
{
	bool seed = reg_of(instruction) == REG_RDSEED, good;
	uint64_t value;

	if (!is_register(instruction) || instruction->rep ||
	    (reg_of(instruction) != REG_RDRAND && reg_of(instruction) != REG_RDSEED) || !host_has(seed))
		return false;
	if (seed)
		__asm__ volatile("rdseed %0" : "=r"(value), "=@ccc"(good));
	else
		__asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(good));
	set_register(register_rm(vcpu, instruction), good ? value : 0, instruction->operand_size);
	set_status(vcpu, good ? RFLAGS_CF : 0);
	return true;
}

/* Types of system descriptors (SDM volume 3, table 3-2), a bit each; in long mode those of 16 bits are not there. */
#define TYPES_LAR 0x1a3eu      /* TSS, LDT, call gates and task gates */
#define TYPES_LAR_LONG 0x1a04u
#define TYPES_LSL 0xa0eu       /* TSS, LDT */
#define TYPES_LSL_LONG 0xa04u

/* Whether the descriptor that a selector names is there for this privilege level, and of the types given. */
static bool find_descriptor(const struct vcpu *vcpu, uint16_t selector, uint32_t system_types, struct kvm_segment *segment,
			    uint64_t *descriptor)
{
	unsigned int cpl = vcpu_cpl(vcpu), rpl = selector & 3;

	if (!(selector & ~3) || !segment_descriptor(vcpu, selector, descriptor))
		return false;
	segment_decode(segment, selector, *descriptor);
	if (!segment->s && !(system_types >> segment->type & 1))
		return false;
	if (segment_is_code(segment) && segment_is_conforming(segment))
		return true;
	return (cpl > rpl ? cpl : rpl) <= segment->dpl;
}

/* LAR, LSL, VERR and VERW: what they find, and ZF. */
static bool run_look(struct vcpu *vcpu, const struct instruction *instruction)
{
	unsigned int opcode = instruction->opcode, reg = reg_of(instruction), size = instruction->operand_size;
	bool is_long = vcpu->sregs->efer & EFER_LMA, found;
	uint32_t types = 0;
	struct kvm_segment segment = {0};
	uint64_t selector, descriptor = 0;

	if (vcpu_is_real(vcpu) || (opcode == OPCODE_VERIFY && reg != REG_VERR && reg != REG_VERW) ||
	    !read_operand(vcpu, instruction, 2, &selector))
		return false;
	if (opcode == OPCODE_LAR)
		types = is_long ? TYPES_LAR_LONG : TYPES_LAR;
	if (opcode == OPCODE_LSL)
		types = is_long ? TYPES_LSL_LONG : TYPES_LSL;
	found = find_descriptor(vcpu, (uint16_t)selector, types, &segment, &descriptor);
	if (opcode == OPCODE_VERIFY && found)
		found = reg == REG_VERW ? segment_is_writable(&segment) : !segment_is_code(&segment) || segment.type & 2;
	if (found && opcode == OPCODE_LAR)
		set_register(register_reg(vcpu, instruction), descriptor >> 32 & 0xf0ff00, size);
	if (found && opcode == OPCODE_LSL)
		set_register(register_reg(vcpu, instruction), segment.limit, size);
	vcpu->regs->rflags = (vcpu->regs->rflags & ~(uint64_t)RFLAGS_ZF) | (found ? RFLAGS_ZF : 0);
	return true;
}

static const struct {
	uint16_t first, last;
	bool (*run)(struct vcpu *vcpu, const struct instruction *instruction);
} rows[] = {
	{OPCODE_DAA, OPCODE_DAA, run_adjust},	      {OPCODE_AAA, OPCODE_AAA, run_adjust},
	{OPCODE_AAS, OPCODE_AAS, run_adjust},	      {OPCODE_VERIFY, OPCODE_VERIFY, run_look},
	{OPCODE_LAR, OPCODE_LSL, run_look},	      {OPCODE_HINT_FIRST, OPCODE_HINT, run_hint},
	{OPCODE_MXCSR, OPCODE_MXCSR, run_mxcsr},      {OPCODE_POPCNT, OPCODE_POPCNT, run_popcnt},
	{OPCODE_RANDOM, OPCODE_RANDOM, run_random},
};

bool emulate_plain(struct vcpu *vcpu, const struct instruction *instruction)
{
	const struct kvm_regs before = *vcpu->regs;
	bool done = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !done; i++) {
		if (instruction->opcode >= rows[i].first && instruction->opcode <= rows[i].last)
			done = rows[i].run(vcpu, instruction);
	}
	if (!done && !sse_run(vcpu, instruction))
		return false;
	if (vcpu_end_shadow(vcpu)) {
		*vcpu->regs = before;
		return false;
	}
	vcpu_skip(vcpu, instruction->length);
	return true;
}
