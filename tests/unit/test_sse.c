/*
 * SSE instructions that the program carries out for a KVM that cannot give what the CPU gives: each opcode behind 0F with
 * each prefix that counts, with registers and with memory, on random operands, is done by sse_run() and by the host's CPU
 * itself. And what must end in an exception is refused.
 */
#define _GNU_SOURCE
#include "sse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load/load.h"
#include "machine.h"
#include "memory.h"
#include "options.h"
#include "probe.h"
#include "need_kvm.h"
#include "tap.h"

#define CODE 0x1000u
#define DATA 0x9000u
#define DATA_SIZE 64
#define ROUNDS 60
#define KNOWN 179 /* opcodes with a prefix, in register and memory form, that there are */
#define FLAGS_STATUS 0x8d5u
#define FLAGS_FIXED 0x2u
#define MASKED 0x1f80u
#define REX 0x40

/* What both begin with and end with. */
struct state {
	uint8_t xmm[16][16];
	uint64_t general[8]; /* RAX, RCX, RDX, R8 to R11, RDI */
	uint64_t flags;
	uint32_t mxcsr;
	uint8_t data[DATA_SIZE];
};

static struct machine machine;
static struct options options = {.load = CODE, .memory = 4 << 20, .type = "raw", .mode = 64};
static uint64_t random_state = 1;
static uint8_t *native_code;
static uint8_t native_data[DATA_SIZE] __attribute__((aligned(64)));

static uint64_t draw(void)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return random_state >> 32 | random_state << 32;
}

static uint64_t choose(uint64_t limit)
{
	return (draw() & 0xffffffff) % limit;
}

/* Numbers of both precisions at and around their limits, more often than any. */
static void fill(uint8_t *to, size_t len)
{
	static const uint32_t singles[] = {0, 0x80000000, 0x3f800000, 0xbfc00000, 0x7f800000, 0x7fc00000, 0x7f800001,
					   1, 0x007fffff, 0x4f000000, 0x7f7fffff, 0x40490fdb};
	static const uint64_t doubles[] = {0, 1, 0x3ff0000000000000, 0xbff8000000000000, 0x7ff0000000000000,
					   0x7ff8000000000000, 0x7ff0000000000001, 0x41e0000000000000, 0x7fefffffffffffff,
					   0x000fffffffffffff, 0x36a0000000000000, 0x47efffffe0000000};

	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint64_t value = draw();

		if (choose(3) == 0)
			value = doubles[choose(12)];
		else if (choose(2) == 0)
			value = singles[choose(12)] | (uint64_t)singles[choose(12)] << 32;
		memcpy(to + i, &value, sizeof(value));
	}
}

static void make_state(struct state *s)
{
	static const uint32_t modes[] = {0, 0x2000, 0x4000, 0x6000, 0x8000, 0x40, 0x8040};

	fill(&s->xmm[0][0], sizeof(s->xmm));
	for (int i = 0; i < 7; i++)
		s->general[i] = choose(3) ? draw() : choose(5);
	s->general[7] = DATA + 8 * choose(2);
	s->flags = FLAGS_FIXED | (draw() & FLAGS_STATUS);
	s->mxcsr = MASKED | modes[choose(7)] | (uint32_t)choose(64);
	fill(s->data, sizeof(s->data));
}

/* By the CPU, at the address of the copy that it has of the data. */
static void run_natively(struct state *s, const uint8_t *code, size_t len)
{
	uint32_t host;
	struct state *state = s;

	memcpy(native_code, code, len);
	native_code[len] = 0xc3;
	memcpy(native_data, s->data, sizeof(native_data));
	s->general[7] += (uintptr_t)native_data - DATA;
	__asm__ volatile("stmxcsr %[host]" : [host] "=m"(host));
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %%rbx\n\t"
			 "push %%rbp\n\t"
			 "mov %%rsi, %%rbx\n\t"
			 "mov %%rdx, %%rbp\n\t"
			 ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "movdqu \\n*16(%%rbx), %%xmm\\n\n\t"
			 ".endr\n\t"
			 "ldmxcsr 328(%%rbx)\n\t"
			 "push 320(%%rbx)\n\t"
			 "mov 256(%%rbx), %%rax\n\t"
			 "mov 264(%%rbx), %%rcx\n\t"
			 "mov 272(%%rbx), %%rdx\n\t"
			 "mov 280(%%rbx), %%r8\n\t"
			 "mov 288(%%rbx), %%r9\n\t"
			 "mov 296(%%rbx), %%r10\n\t"
			 "mov 304(%%rbx), %%r11\n\t"
			 "mov 312(%%rbx), %%rdi\n\t"
			 "popfq\n\t"
			 "call *%%rbp\n\t"
			 "pushfq\n\t"
			 "pop 320(%%rbx)\n\t"
			 "mov %%rax, 256(%%rbx)\n\t"
			 "mov %%rcx, 264(%%rbx)\n\t"
			 "mov %%rdx, 272(%%rbx)\n\t"
			 "mov %%r8, 280(%%rbx)\n\t"
			 "mov %%r9, 288(%%rbx)\n\t"
			 "mov %%r10, 296(%%rbx)\n\t"
			 "mov %%r11, 304(%%rbx)\n\t"
			 ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "movdqu %%xmm\\n, \\n*16(%%rbx)\n\t"
			 ".endr\n\t"
			 "stmxcsr 328(%%rbx)\n\t"
			 "pop %%rbp\n\t"
			 "pop %%rbx\n\t"
			 "lea 128(%%rsp), %%rsp\n\t"
			 : "+S"(state)
			 : "d"(native_code)
			 : "rax", "rcx", "rdi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	__asm__ volatile("ldmxcsr %[host]" : : [host] "m"(host));
	memcpy(s->data, native_data, sizeof(s->data));
	s->general[7] += DATA - (uintptr_t)native_data;
}

_Static_assert(offsetof(struct state, general) == 256 && offsetof(struct state, flags) == 320 &&
		       offsetof(struct state, mxcsr) == 328,
	       "as above");

static __u64 *general_of(int i)
{
	static const unsigned int numbers[] = {0, 1, 2, 8, 9, 10, 11, 7};

	return vcpu_general(machine.vcpu.regs, numbers[i]);
}

/* False: it is refused. */
static bool run_here(struct state *s, const uint8_t *code, size_t len)
{
	struct vcpu *vcpu = &machine.vcpu;
	struct instruction instruction;
	struct fxsave fpu = *vcpu_fpu(vcpu);
	bool done;

	memset(vm_host(&machine.vm, CODE, NULL), 0x90, 32);
	memcpy(vm_host(&machine.vm, CODE, NULL), code, len);
	memcpy(vm_host(&machine.vm, DATA, NULL), s->data, sizeof(s->data));
	memcpy(fpu.xmm, s->xmm, sizeof(fpu.xmm));
	fpu.mxcsr = s->mxcsr;
	vcpu_set_fpu(vcpu, &fpu);
	memset(vcpu->regs, 0, sizeof(*vcpu->regs));
	for (int i = 0; i < 8; i++)
		*general_of(i) = s->general[i];
	vcpu->regs->rip = CODE;
	vcpu->regs->rflags = s->flags;
	decode_next(vcpu, &instruction);
	done = instruction.length == len && instruction.class == CLASS_PLAIN && sse_run(vcpu, &instruction);
	fpu = *vcpu_fpu(vcpu);
	memcpy(s->xmm, fpu.xmm, sizeof(fpu.xmm));
	s->mxcsr = fpu.mxcsr;
	s->flags = vcpu->regs->rflags;
	for (int i = 0; i < 8; i++)
		s->general[i] = *general_of(i);
	memcpy(s->data, vm_host(&machine.vm, DATA, NULL), sizeof(s->data));
	return done;
}

static bool has_immediate(uint8_t opcode)
{
	return (opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6);
}

/* With RAX, RCX, RDX and R8 to R11 where ModRM names a general register, and any vector register. */
static uint8_t choose_register(void)
{
	static const uint8_t numbers[] = {0, 1, 2, 8, 9, 10, 11};

	return numbers[choose(sizeof(numbers))];
}

static size_t make_code(uint8_t *code, uint8_t prefix, uint8_t opcode, bool in_memory)
{
	uint8_t reg = choose_register(), rm = in_memory ? 7 : choose_register(), rex = (uint8_t)(REX | (choose(2) << 3));
	size_t len = 0;

	if (opcode >= 0x71 && opcode <= 0x73)
		reg = (uint8_t)choose(8);
	else if (reg & 8)
		rex |= 4;
	if (rm & 8)
		rex |= 1;
	if (prefix)
		code[len++] = prefix;
	if (rex != REX)
		code[len++] = rex;
	code[len++] = 0x0f;
	code[len++] = opcode;
	code[len++] = (uint8_t)((in_memory ? 0 : 0xc0) | (reg & 7) << 3 | (rm & 7));
	if (has_immediate(opcode))
		code[len++] = (uint8_t)(choose(4) ? choose(20) : draw());
	return len;
}

/* What else is behind 0F is not SSE's, and is not asked about. */
static bool is_asked(uint8_t opcode)
{
	return (opcode >= 0x10 && opcode <= 0x17) || (opcode >= 0x28 && opcode <= 0x2f) ||
	       (opcode >= 0x50 && opcode <= 0x7f) || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6) || opcode >= 0xd0;
}

static unsigned long long half(const struct state *s, int i, int which)
{
	unsigned long long value;

	memcpy(&value, s->xmm[i] + (which ? 8 : 0), sizeof(value));
	return value;
}

static void compare(const struct state *got, const struct state *wanted, const uint8_t *code, size_t len)
{
	char text[64] = "";

	for (size_t i = 0; i < len; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%02x ", code[i]);
	comment("%s: flags %llx, not %llx; mxcsr %x, not %x", text, (unsigned long long)got->flags,
		(unsigned long long)wanted->flags, got->mxcsr, wanted->mxcsr);
	for (int i = 0; i < 16; i++) {
		if (memcmp(got->xmm[i], wanted->xmm[i], 16))
			comment("xmm%d: %016llx%016llx, not %016llx%016llx", i, half(got, i, 1), half(got, i, 0),
				half(wanted, i, 1), half(wanted, i, 0));
	}
	for (int i = 0; i < 8; i++) {
		if (got->general[i] != wanted->general[i])
			comment("general %d: %llx, not %llx", i, (unsigned long long)got->general[i],
				(unsigned long long)wanted->general[i]);
	}
	if (memcmp(got->data, wanted->data, sizeof(got->data)))
		comment("memory differs");
}

static bool is_right(uint8_t prefix, uint8_t opcode, bool in_memory, bool *known)
{
	*known = false;
	for (int round = 0; round < ROUNDS; round++) {
		struct state here, there;
		uint8_t code[16];
		size_t len = make_code(code, prefix, opcode, in_memory);

		memset(&here, 0, sizeof(here));
		make_state(&here);
		there = here;
		if (!run_here(&here, code, len))
			continue;
		*known = true;
		run_natively(&there, code, len);
		there.flags = (there.flags & FLAGS_STATUS) | FLAGS_FIXED;
		if (memcmp(&here, &there, sizeof(here))) {
			compare(&here, &there, code, len);
			return false;
		}
	}
	return true;
}

static void try_all(void)
{
	static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
	int known = 0, wrong = 0;

	for (int p = 0; p < 4; p++) {
		for (int opcode = 0; opcode < 256; opcode++) {
			bool in_registers = false, in_memory = false;

			if (!is_asked((uint8_t)opcode))
				continue;
			wrong += !is_right(prefixes[p], (uint8_t)opcode, false, &in_registers);
			wrong += !is_right(prefixes[p], (uint8_t)opcode, true, &in_memory);
			known += in_registers || in_memory;
		}
	}
	result(!wrong, "what is carried out is what the CPU does");
	if (!result(known >= KNOWN, "all are known"))
		comment("%d of %d", known, KNOWN);
}

/* One instruction, at CODE, with the operand in memory at DATA + `at`. */
static bool runs(const char *name, const uint8_t *code, size_t len, uint64_t at, uint32_t mxcsr)
{
	struct state s, before;

	memset(&s, 0, sizeof(s));
	s.general[7] = DATA + at;
	s.mxcsr = mxcsr;
	s.flags = FLAGS_FIXED;
	before = s;
	if (run_here(&s, code, len))
		return true;
	if (memcmp(&s, &before, sizeof(s)))
		comment("%s: something has changed", name);
	return false;
}

static void try_refused(void)
{
	static const uint8_t addps[] = {0x0f, 0x58, 0x07}, movups[] = {0x0f, 0x10, 0x07}, divps[] = {0x0f, 0x5e, 0xc1};
	static const uint8_t mmx[] = {0x0f, 0xfc, 0xc1}, cvtps2pd[] = {0x0f, 0x5a, 0x07}, cvtdq2pd[] = {0xf3, 0x0f, 0xe6, 0x07};
	struct kvm_sregs sregs = *machine.vcpu.sregs, other = sregs;

	result(runs("ADDPS", addps, 3, 0, MASKED) && !runs("ADDPS", addps, 3, 8, MASKED),
	       "memory that is not aligned is refused");
	result(runs("MOVUPS", movups, 3, 8, MASKED) && runs("CVTPS2PD", cvtps2pd, 3, 8, MASKED) &&
		       runs("CVTDQ2PD", cvtdq2pd, 4, 8, MASKED),
	       "but not where it need not be");
	result(!runs("DIVPS", divps, 3, 0, MASKED & ~0x80u) && runs("DIVPS", divps, 3, 0, MASKED),
	       "0 / 0 is refused where that is not masked");
	result(!runs("PADDB", mmx, 3, 0, MASKED), "MMX registers are");
	other.cr4 &= ~(uint64_t)CR4_OSFXSR;
	vcpu_set_sregs(&machine.vcpu, &other);
	result(!runs("ADDPS", addps, 3, 0, MASKED), "so is all without OSFXSR");
	other = sregs;
	other.cr0 |= CR0_TS;
	vcpu_set_sregs(&machine.vcpu, &other);
	result(!runs("ADDPS", addps, 3, 0, MASKED), "with TS");
	other.cr0 = sregs.cr0 | CR0_EM;
	vcpu_set_sregs(&machine.vcpu, &other);
	result(!runs("ADDPS", addps, 3, 0, MASKED), "and with EM");
	vcpu_set_sregs(&machine.vcpu, &sregs);
}

static bool create(void)
{
	static uint8_t halt[] = {0xf4};
	static struct image image = {.path = "halt", .data = halt, .size = 1, .type = &image_raw};
	struct kvm_sregs sregs;
	char why[256];

	machine.options = &options;
	machine.image = &image;
	if (machine_create(&machine, why, sizeof(why))) {
		comment("%s", why);
		return false;
	}
	sregs = *machine.vcpu.sregs;
	sregs.cr4 |= CR4_OSFXSR;
	return !vcpu_set_sregs(&machine.vcpu, &sregs);
}

int main(void)
{
	if (!need_kvm())
		return 0;
	native_code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	machine.console = (struct console){.fd = memfd_create("console", MFD_CLOEXEC)};
	if (!result(native_code != MAP_FAILED && machine.console.fd >= 0 && create(), "a 64-bit machine is made"))
		return finish();
	try_all();
	try_refused();
	machine_destroy(&machine);
	return finish();
}
