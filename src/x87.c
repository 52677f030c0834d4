#include "x87.h"

#include <string.h>

#include "emulate.h"
#include "memory.h"

#define FWAIT 0x9b
#define FIRST 0xd8 /* of the eight opcodes */
#define FSW_ES 0x80u
#define FSW_EXCEPTIONS 0x3f /* with their masks at the same places in FCW */
#define CR0_MP 0x2u
#define CR0_EM 0x4u
#define CR0_TS 0x8u
#define RFLAGS_STATUS 0x8d5u /* CF, PF, AF, ZF, SF, OF: of FCMOVcc and FCOMI */
#define RFLAGS_FIXED 0x2u
#define RED_ZONE 128 /* below the stack pointer, that a compiler may use (System V ABI for AMD64, 3.2.2) */
#define ENTRY 8	     /* bytes, of the code below */
#define OPERAND_MAX 10

/*
 * Each instruction with a ModRM byte of its own and RET behind it: those with registers, ModRM bytes C0 to FF, and those
 * with an operand in memory, at RDI. No code is made when the program runs.
 */
__asm__(".pushsection .text\n"
	"	.balign 8\n"
	"x87_with_registers:\n"
	"	.set opcode, 0xd8\n"
	"	.rept 8\n"
	"	.set modrm, 0xc0\n"
	"	.rept 64\n"
	"	endbr64\n"
	"	.byte opcode, modrm\n"
	"	ret\n"
	"	.balign 8\n"
	"	.set modrm, modrm + 1\n"
	"	.endr\n"
	"	.set opcode, opcode + 1\n"
	"	.endr\n"
	"x87_with_memory:\n"
	"	.set opcode, 0xd8\n"
	"	.rept 8\n"
	"	.set modrm, 0x07\n"
	"	.rept 8\n"
	"	endbr64\n"
	"	.byte opcode, modrm\n"
	"	ret\n"
	"	.balign 8\n"
	"	.set modrm, modrm + 8\n"
	"	.endr\n"
	"	.set opcode, opcode + 1\n"
	"	.endr\n"
	".popsection\n");

extern const uint8_t x87_with_registers[8][64][ENTRY] __attribute__((visibility("hidden")));
extern const uint8_t x87_with_memory[8][8][ENTRY] __attribute__((visibility("hidden")));

/*
 * What there is (SDM volume 2, tables ), but for FNINIT, which every KVM does: a bit for each ModRM byte
 * from C0 on, and for each value of reg.
 */
static const uint64_t with_registers[8] = {
	0xffffffffffffffff, 0xffff7f330001ffff, 0x00000200ffffffff, 0x00ffff04ffffffff,
	0xffffffff0000ffff, 0x0000ffffffff00ff, 0xffffffff0200ffff, 0x00ffff0100000000,
};
static const uint8_t with_memory[8] = {0xff, 0xad, 0xff, 0xaf, 0xff, 0x8f, 0xff, 0xff};

/* Not FNCLEX, FNSTSW and FNSTCW, which an exception that is pending does not keep. */
static bool waits(const struct instruction *x87)
{
	uint8_t reg = x87->modrm >> 3 & 7;

	if (x87->modrm >= 0xc0)
		return !(x87->opcode == 0xdb && x87->modrm == 0xe2) && !(x87->opcode == 0xdf && x87->modrm == 0xe0);
	return !((x87->opcode == 0xd9 || x87->opcode == 0xdd) && reg == 7);
}

/*
 * On the host, whose own state is back afterwards. Nothing is raised here: an exception that is not masked is pending
 * then, for the next instruction that waits.
 */
static void run(const uint8_t *code, struct fxsave *state, void *operand, uint64_t *flags)
{
	struct fxsave host __attribute__((aligned(16))), work __attribute__((aligned(16)));
	uint64_t status = (*flags & RFLAGS_STATUS) | RFLAGS_FIXED;
	struct {
		const void *code;
		struct fxsave *work, *host;
	} what = {code, &work, &host};

	/* Vector registers and MXCSR are the host's all the time. */
	__asm__ volatile("fxsave64 %0" : "=m"(work));
	memcpy(&work, state, offsetof(struct fxsave, mxcsr));
	memcpy(work.st, state->st, sizeof(work.st));
	__asm__ volatile("lea -%c[zone](%%rsp), %%rsp\n\t"
			 "mov 16(%[what]), %%rax\n\t"
			 "fxsave64 (%%rax)\n\t"
			 "mov 8(%[what]), %%rax\n\t"
			 "fxrstor64 (%%rax)\n\t"
			 "push %[status]\n\t"
			 "popfq\n\t"
			 "call *(%[what])\n\t"
			 "pushfq\n\t"
			 "pop %[status]\n\t"
			 "mov 8(%[what]), %%rax\n\t"
			 "fxsave64 (%%rax)\n\t"
			 "mov 16(%[what]), %%rax\n\t"
			 "fxrstor64 (%%rax)\n\t"
			 "lea %c[zone](%%rsp), %%rsp"
			 : [status] "+&r"(status)
			 : [what] "r"(&what), "D"(operand), [zone] "i"(RED_ZONE)
			 : "rax", "cc", "memory");
	memcpy(state, &work, offsetof(struct fxsave, mxcsr));
	memcpy(state->st, work.st, sizeof(work.st));
	*flags = (*flags & ~(uint64_t)RFLAGS_STATUS) | (status & RFLAGS_STATUS);
}

/* What the instruction would leave behind; nothing is written yet. */
struct result {
	struct fxsave state;
	uint8_t operand[16];
	uint64_t rax, rflags;
};

static bool find_result(struct vcpu *vcpu, const struct instruction *x87, struct result *result)
{
	bool in_memory = x87->modrm < 0xc0;
	uint8_t reg = x87->modrm >> 3 & 7;
	unsigned int row = x87->opcode - FIRST;
	const struct data_access *access = &x87->access[0];
	const struct fxsave before = result->state;

	if (in_memory) {
		if (!(with_memory[row] >> reg & 1) || x87->accesses != 1 || access->len > OPERAND_MAX ||
		    !emulate_allows(vcpu, x87, access) ||
		    memory_read(vcpu, access->linear, result->operand, access->len) != (ssize_t)access->len)
			return false;
		run(x87_with_memory[row][reg], &result->state, result->operand, &result->rflags);
	} else {
		if (!(with_registers[row] >> (x87->modrm & 63) & 1))
			return false;
		if (x87->opcode == 0xdf && x87->modrm == 0xe0)
			result->rax = (result->rax & ~0xffffull) | before.fsw;
		else
			run(x87_with_registers[row][x87->modrm & 63], &result->state, NULL, &result->rflags);
	}
	/* Where the guest has it, not the host; control instructions leave it alone. */
	result->state.fop = before.fop;
	result->state.fip = before.fip;
	result->state.fdp = before.fdp;
	if (waits(x87) && !(in_memory && x87->opcode == 0xd9 && reg == 5)) {
		result->state.fop = (uint16_t)(row << 8 | x87->modrm);
		result->state.fip = vcpu->regs->rip;
		if (in_memory)
			result->state.fdp = x87->offset;
	}
	return true;
}

/* Whether an exception is pending, or would be as soon as the state is loaded. */
static bool is_pending(const struct fxsave *state)
{
	return state->fsw & FSW_ES || state->fsw & ~state->fcw & FSW_EXCEPTIONS;
}

bool x87_run(struct vcpu *vcpu, const struct instruction *instruction)
{
	bool is_fwait = instruction->opcode == FWAIT;
	uint64_t cr0 = vcpu->sregs->cr0;
	struct result result = {.rax = vcpu->regs->rax, .rflags = vcpu->regs->rflags};
	const struct fxsave *now;

	if (!instruction->x87)
		return false;
	if (is_fwait ? (cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS) : cr0 & (CR0_EM | CR0_TS))
		return false;
	now = vcpu_fpu(vcpu);
	if (!now || (is_pending(now) && (is_fwait || waits(instruction))))
		return false;
	result.state = *now;
	if ((!is_fwait && !find_result(vcpu, instruction, &result)) || vcpu_end_shadow(vcpu))
		return false;
	if (!is_fwait) {
		if (vcpu_set_fpu(vcpu, &result.state))
			return false;
		if (instruction->accesses && instruction->access[0].write)
			memory_write(vcpu, instruction->access[0].linear, result.operand, instruction->access[0].len);
	}
	vcpu->regs->rax = result.rax;
	vcpu->regs->rflags = result.rflags;
	vcpu_skip(vcpu, instruction->length);
	return true;
}
