/*
 * What compute() does is what KVM does: random instructions with random registers, in each mode, are carried out both
 * ways. And what it must leave to KVM, it leaves.
 *
 * Environment: COMPUTE_SEED begins the random numbers, COMPUTE_COUNT says how many instructions there are in each mode.
 */
#define _GNU_SOURCE
#include "compute.h"

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
#include "step.h"
#include "need_kvm.h"
#include "tap.h"

#define COUNT 4000
#define CODE 0x1000u
#define STACK 0x8000u
#define OWN_STEPS 10
/* CF, PF, AF, ZF, SF, DF, OF and what is always set. */
#define FLAGS 0xcd5u
#define FLAGS_FIXED 0x2u
#define EFER_NXE 0x800u
#define ACCESSED 0x20u
#define USER 0x4u
#define LARGE 0x80u
#define NOT_EXECUTABLE (1ull << 63)
#define LARGE_PAGE 0x200000u

static struct machine machine;
static struct options options = {.load = CODE, .memory = 4 << 20, .type = "raw"};
static struct kvm_sregs start_sregs;
static uint64_t random_state;

static uint64_t choose(uint64_t limit)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (random_state >> 33) % limit;
}

static uint64_t from_environment(const char *name, uint64_t preset)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : preset;
}

/* Puts the vCPU at `code`, with these registers. */
static bool place(const uint8_t *code, size_t len, const struct kvm_regs *regs)
{
	if (len)
		memcpy(vm_host(&machine.vm, CODE, NULL), code, len);
	*machine.vcpu.regs = *regs;
	machine.vcpu.regs_dirty = true;
	machine.life = MACHINE_ALIVE;
	machine.inject = 0;
	machine.guest_tf = false;
	return !vcpu_end_shadow(&machine.vcpu) && !vcpu_set_sregs(&machine.vcpu, &start_sregs);
}

/* KVM does a NOP, which marks the page as one that the CPU has used. */
static bool touch(void)
{
	static const uint8_t nop[] = {0x90};
	struct kvm_regs regs = {.rip = CODE, .rflags = FLAGS_FIXED};
	struct gdbstub_stop stop = {0};

	machine.step_kvm = true;
	return place(nop, sizeof(nop), &regs) && step(&machine, false, &stop) == STEPPED;
}

static bool create(enum vcpu_mode mode)
{
	static uint8_t halt[] = {0xf4};
	static struct image image = {.path = "halt", .data = halt, .size = 1, .type = &image_raw};
	char why[256];

	options.mode = 16 << mode;
	machine.options = &options;
	machine.image = &image;
	if (machine.vm.memory)
		machine_destroy(&machine);
	if (machine_create(&machine, why, sizeof(why)) || probe(&machine.findings, why, sizeof(why))) {
		comment("%s", why);
		return false;
	}
	start_sregs = *machine.vcpu.sregs;
	return touch();
}

static bool computes(const uint8_t *code, size_t len, const struct kvm_regs *regs)
{
	struct instruction instruction;

	if (!place(code, len, regs))
		return false;
	decode_next(&machine.vcpu, &instruction);
	return compute(&machine.vcpu, &instruction);
}

static void show(const char *name, const struct kvm_regs *r)
{
	comment("%s ax %llx cx %llx dx %llx bx %llx sp %llx bp %llx si %llx di %llx 8 %llx 9 %llx 10 %llx 11 %llx "
		"12 %llx 13 %llx 14 %llx 15 %llx ip %llx fl %llx",
		name, r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11,
		r->r12, r->r13, r->r14, r->r15, r->rip, r->rflags);
}

static struct kvm_regs random_registers(enum vcpu_mode mode)
{
	static const uint64_t edges[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
					 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, UINT64_MAX};
	struct kvm_regs r = {.rip = CODE, .rflags = FLAGS_FIXED};
	__u64 *all[] = {&r.rax, &r.rcx, &r.rdx, &r.rbx, &r.rsp, &r.rbp, &r.rsi, &r.rdi,
			&r.r8,	&r.r9,	&r.r10, &r.r11, &r.r12, &r.r13, &r.r14, &r.r15};

	for (size_t i = 0; i < (mode == MODE_64 ? 16 : 8); i++) {
		*all[i] = choose(2) ? edges[choose(sizeof(edges) / sizeof(*edges))]
				    : choose(1ull << 31) << 33 ^ choose(1ull << 31) << 11 ^ choose(1ull << 31);
		if (mode != MODE_64)
			*all[i] &= 0xffffffff;
	}
	r.rflags |= choose(1ull << 31) & FLAGS;
	return r;
}

/* Prefixes now and then, an opcode, and what may come behind it: mostly registers as operands. */
static size_t random_instruction(uint8_t code[INSTRUCTION_MAX], enum vcpu_mode mode)
{
	size_t n = 0;

	if (!choose(3))
		code[n++] = 0x66;
	if (!choose(8))
		code[n++] = 0x67;
	if (mode == MODE_64 && choose(2))
		code[n++] = (uint8_t)(0x40 + choose(16));
	if (!choose(4))
		code[n++] = 0x0f;
	code[n++] = (uint8_t)choose(256);
	code[n++] = (uint8_t)(choose(8) ? 0xc0 + choose(64) : choose(256));
	while (n < INSTRUCTION_MAX)
		code[n++] = (uint8_t)choose(256);
	return n;
}

static bool same(const struct kvm_regs *a, const struct kvm_regs *b)
{
	struct kvm_regs x = *a, y = *b;

	/* RF is a matter of how it was stepped. */
	x.rflags &= ~(uint64_t)RFLAGS_RF;
	y.rflags &= ~(uint64_t)RFLAGS_RF;
	return !memcmp(&x, &y, sizeof(x));
}

static bool try_random(enum vcpu_mode mode, uint64_t count)
{
	uint64_t done = 0, refused = 0, wrong = 0;

	for (uint64_t i = 0; i < count; i++) {
		struct kvm_regs regs = random_registers(mode), computed;
		struct gdbstub_stop stop = {0};
		uint8_t code[INSTRUCTION_MAX];
		size_t len = random_instruction(code, mode);

		if (!computes(code, len, &regs))
			continue;
		computed = *machine.vcpu.regs;
		done++;
		if (!place(code, len, &regs))
			return false;
		if (step(&machine, false, &stop) != STEPPED) {
			refused++; /* this host's KVM cannot do it */
			continue;
		}
		if (same(&computed, machine.vcpu.regs))
			continue;
		if (++wrong > 5)
			continue;
		comment("%02x %02x %02x %02x %02x %02x %02x %02x", code[0], code[1], code[2], code[3], code[4], code[5],
			code[6], code[7]);
		show("before  ", &regs);
		show("computed", &computed);
		show("KVM     ", machine.vcpu.regs);
	}
	comment("%llu of %llu computed, %llu of them unknown to KVM, %llu otherwise", (unsigned long long)done,
		(unsigned long long)count, (unsigned long long)refused, (unsigned long long)wrong);
	return !wrong && done > count / 8 && refused < done / 4;
}

#define ENCODING(...) {sizeof((uint8_t[]){__VA_ARGS__}), {__VA_ARGS__}}

struct encoding {
	size_t len;
	uint8_t code[INSTRUCTION_MAX];
};

/* One of each kind; they are the same in all modes. */
static const struct encoding plain[] = {
	ENCODING(0x01, 0xd8),	    /* add ax, bx */
	ENCODING(0x28, 0xe1),	    /* sub cl, ah */
	ENCODING(0x3c, 0x0d),	    /* cmp al, 13 */
	ENCODING(0x74, 0x02),	    /* jz */
	ENCODING(0x83, 0xc6, 0x10), /* add si, 16 */
	ENCODING(0x84, 0xc0),	    /* test al, al */
	ENCODING(0x87, 0xcb),	    /* xchg bx, cx */
	ENCODING(0x89, 0xe5),	    /* mov bp, sp */
	ENCODING(0x8d, 0x47, 0x04), /* lea */
	ENCODING(0x90),		    /* nop */
	ENCODING(0xf3, 0x90),	    /* pause */
	ENCODING(0x93),		    /* xchg ax, bx */
	ENCODING(0x98), ENCODING(0x99),
	ENCODING(0xa8, 0x01),	    /* test al, 1 */
	ENCODING(0xb4, 0x0e),	    /* mov ah, 14 */
	ENCODING(0xc1, 0xe0, 0x04), /* shl ax, 4 */
	ENCODING(0xc6, 0xc0, 0x01), /* mov al, 1 */
	ENCODING(0xd1, 0xd8),	    /* rcr ax, 1 */
	ENCODING(0xe2, 0xfe),	    /* loop */
	ENCODING(0xe3, 0x00),	    /* jcxz */
	ENCODING(0xeb, 0xfe),	    /* jmp $ */
	ENCODING(0xf5), ENCODING(0xf9), ENCODING(0xfc),
	ENCODING(0xf6, 0xd0),	    /* not al */
	ENCODING(0xf7, 0xd8),	    /* neg ax */
	ENCODING(0xfe, 0xc8),	    /* dec al */
	ENCODING(0xff, 0xe3),	    /* jmp bx */
	ENCODING(0x0f, 0x44, 0xc3), /* cmovz ax, bx */
	ENCODING(0x0f, 0x85, 0x00, 0x00, 0x00, 0x00), ENCODING(0x0f, 0x94, 0xc0),
	ENCODING(0x0f, 0xaf, 0xc3), /* imul ax, bx */
	ENCODING(0x0f, 0xb6, 0xc0), /* movzx ax, al */
	ENCODING(0x6b, 0xc3, 0x05), /* imul ax, bx, 5 */
};

/* What touches memory, faults, is a prefix's, or belongs to the system. */
static const struct encoding others[] = {
	ENCODING(0xf0, 0x01, 0xd8),	  /* lock, which faults */
	ENCODING(0x01, 0x07),		  /* add [], ax */
	ENCODING(0x8d, 0xc0),		  /* lea of a register */
	ENCODING(0xff, 0xd3),		  /* call bx */
	ENCODING(0xff, 0xf0),		  /* push ax */
	ENCODING(0x50), ENCODING(0xc3), ENCODING(0xcd, 0x10), ENCODING(0xcc), ENCODING(0xf1), ENCODING(0xf4),
	ENCODING(0xfa), ENCODING(0xfb), ENCODING(0x9c), ENCODING(0x9d),
	ENCODING(0x8e, 0xd8),		  /* mov ds, ax */
	ENCODING(0xf7, 0xf3),		  /* div bx */
	ENCODING(0xe4, 0x60), ENCODING(0xee),
	ENCODING(0x0f, 0x22, 0xc0), ENCODING(0x0f, 0x0b), ENCODING(0x0f, 0xa2), ENCODING(0x0f, 0x31),
	ENCODING(0xf3, 0x0f, 0xb8, 0xc0), /* popcnt */
	ENCODING(0xf3, 0xa4),
	ENCODING(0xc6, 0xc8, 0x01),	  /* mov's group has no other */
	ENCODING(0xd9, 0xe8),
};

/* PAUSE with a register: what that is the processor is to say. */
static const struct encoding others_64[] = {ENCODING(0xf3, 0x41, 0x90)};

static bool are(const struct encoding *encodings, size_t count, bool computed)
{
	struct kvm_regs regs = {.rip = CODE, .rflags = FLAGS_FIXED, .rbx = CODE, .rsp = STACK, .rdi = 0x2000};
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		if (computes(encodings[i].code, encodings[i].len, &regs) == computed)
			continue;
		comment("%02x %02x %02x: %scomputed", encodings[i].code[0], encodings[i].code[1], encodings[i].code[2],
			computed ? "not " : "");
		good = false;
	}
	return good;
}

/* An INC at CODE, as the vCPU stands. */
static bool increments(void)
{
	struct instruction instruction;

	decode_next(&machine.vcpu, &instruction);
	return compute(&machine.vcpu, &instruction);
}

/* Of whoever runs at `cpl`, with page tables as they are. */
static bool increments_at(uint8_t cpl, uint64_t cr4)
{
	static const uint8_t code[] = {0xfe, 0xc0};
	struct kvm_regs regs = {.rip = CODE, .rflags = FLAGS_FIXED};
	struct kvm_sregs *sregs = (struct kvm_sregs *)machine.vcpu.sregs;

	/* KVM need not know of it: nothing of it runs. */
	place(code, sizeof(code), &regs);
	sregs->ss.dpl = cpl;
	sregs->cr4 |= cr4;
	sregs->efer |= EFER_NXE;
	return increments();
}

static void try_pages(void)
{
	const struct kvm_regs behind = {.rip = LARGE_PAGE - 1, .rflags = FLAGS_FIXED};
	uint64_t *entries[4], gpa = start_sregs.cr3 & ~0xfffull;
	int levels = 0;

	/* Down to the entry that maps the page: of 2 MiB, or less. */
	do {
		entries[levels] = vm_host(&machine.vm, gpa, NULL);
		gpa = *entries[levels] & 0xffffffffff000ull;
	} while (levels++ < 3 && !(levels > 1 && *entries[levels - 1] & LARGE));
	for (int i = 0; i < levels; i++)
		*entries[i] |= ACCESSED;
	result(increments_at(0, 0), "a page that the CPU has used is computed in");
	for (int i = 0; i < levels; i++) {
		*entries[i] &= ~(uint64_t)ACCESSED;
		result(!increments_at(0, 0), "one that it has not, level %d, is for KVM, which marks it", i);
		*entries[i] |= ACCESSED;
	}
	*entries[levels - 1] |= NOT_EXECUTABLE;
	result(!increments_at(0, 0), "one that is not executable is for KVM, which faults");
	*entries[levels - 1] &= ~NOT_EXECUTABLE;
	result(!increments_at(3, 0), "so is one of the kernel's at privilege level 3");
	for (int i = 0; i < levels; i++)
		*entries[i] |= USER;
	result(increments_at(3, 0), "and not one of the user's");
	result(increments_at(0, 0) && !increments_at(0, CR4_SMEP), "which the kernel runs in without SMEP");
	result(!increments_at(0, CR4_CET), "with CET it is for KVM");
	memcpy(vm_host(&machine.vm, LARGE_PAGE - 1, NULL), (const uint8_t[]){0xfe, 0xc0}, 2);
	place(NULL, 0, &behind);
	result(!increments(), "an instruction across two pages is for KVM");
}

/*
 * Breakpoints of the guest's own, in its debug registers: whether a step heeds them is the host's matter, but not who
 * carries the instructions out.
 */
static void try_own_breakpoints(void)
{
	static const uint8_t code[] = {
		0xc7, 0x06, 0x04, 0x00, 0x30, 0x10, /* mov word [1 * 4], 1030 */
		0xc7, 0x06, 0x06, 0x00, 0x00, 0x00, /* mov word [1 * 4 + 2], 0 */
		0x43,				    /* inc bx */
		0x66, 0xb8, 0x21, 0x10, 0x00, 0x00, /* mov eax, place */
		0x0f, 0x23, 0xc0,		    /* mov dr0, eax */
		0x66, 0xb8, 0x02, 0x04, 0x00, 0x00, /* mov eax, 402 */
		0x0f, 0x23, 0xf8,		    /* mov dr7, eax */
		0x43, 0x43,			    /* inc bx */
		0x41, 0x42, 0x41, 0x42,		    /* place: inc cx, inc dx */
	};
	static const struct kvm_debugregs none = {.dr6 = 0xffff0ff0, .dr7 = 0x400};
	struct kvm_regs regs = {.rip = CODE, .rflags = FLAGS_FIXED, .rsp = STACK};
	uint64_t rip[2][OWN_STEPS] = {{0}};
	struct gdbstub_stop stop = {0};
	bool good = true;

	for (int own = 0; own < 2; own++) {
		good &= place(code, sizeof(code), &regs) && !vcpu_set_debug_registers(&machine.vcpu, &none);
		machine.step_kvm = !own;
		for (int i = 0; i < OWN_STEPS; i++) {
			good &= step(&machine, false, &stop) == STEPPED;
			rip[own][i] = machine.vcpu.regs->rip;
		}
	}
	machine.step_kvm = true;
	vcpu_set_debug_registers(&machine.vcpu, &none);
	result(good && !memcmp(rip[0], rip[1], sizeof(rip[0])), "the guest's own breakpoints are heeded as by KVM");
	comment("%d steps end at 0x%llx", OWN_STEPS, (unsigned long long)rip[0][OWN_STEPS - 1]);
}

/* What else makes it KVM's: a shadow, an I/O instruction that is not complete, a limit. */
static void try_16(void)
{
	static const uint8_t sti[] = {0xfb, 0xfe, 0xc0}, jump[] = {0x66, 0xe9, 0x00, 0x00, 0x01, 0x00},
			     increment[] = {0xfe, 0xc0};
	struct kvm_regs regs = {.rip = CODE, .rflags = FLAGS_FIXED, .rsp = STACK};
	struct gdbstub_stop stop = {0};

	place(sti, sizeof(sti), &regs);
	result(step(&machine, false, &stop) == STEPPED && vcpu_in_shadow(&machine.vcpu) && !increments(),
	       "behind a STI it is for KVM");
	result(!vcpu_end_shadow(&machine.vcpu) && increments(), "and behind its shadow not");
	result(!computes(jump, sizeof(jump), &regs) && machine.vcpu.regs->rip == CODE,
	       "a jump beyond the segment is for KVM, with nothing changed");
	place(increment, sizeof(increment), &regs);
	machine.vcpu.io_pending = true;
	result(!increments(), "with an I/O instruction to be completed it is for KVM");
	machine.vcpu.io_pending = false;
}

int main(void)
{
	uint64_t count = from_environment("COMPUTE_COUNT", COUNT);

	if (!need_kvm())
		return 0;
	random_state = from_environment("COMPUTE_SEED", 1);
	machine.console = (struct console){.fd = memfd_create("console", MFD_CLOEXEC)};
	for (enum vcpu_mode mode = MODE_16; mode <= MODE_64; mode++) {
		int bits = 16 << mode;

		if (!result(machine.console.fd >= 0 && create(mode), "a %d-bit machine is made", bits))
			continue;
		if (!machine.vcpu.events) {
			result(true, "%d-bit # SKIP this KVM does not tell what is pending", bits);
			continue;
		}
		result(are(plain, sizeof(plain) / sizeof(*plain), true), "%d-bit: plain instructions are computed", bits);
		result(are(others, sizeof(others) / sizeof(*others), false), "%d-bit: others are not", bits);
		result(try_random(mode, count), "%d-bit: what is computed is what KVM does", bits);
		if (mode == MODE_16) {
			try_16();
			try_own_breakpoints();
		}
		if (mode == MODE_64) {
			result(are(others_64, sizeof(others_64) / sizeof(*others_64), false), "a PAUSE with REX.B is not");
			try_pages();
		}
	}
	machine_destroy(&machine);
	points_free(&machine.points);
	return finish();
}
