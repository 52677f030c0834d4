/* --probe: the table that goes into a bug report. */
#define _GNU_SOURCE
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"
#include "probe_guest.h"

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static bool begin(struct prober *p, int mode, bool user, const uint8_t *code, size_t len)
{
	return prober_begin(p, (enum vcpu_mode)mode, user, code, len);
}

/* What came of running: where the guest stands, from PROBE_CODE on, and why. */
static const char *describe(const struct prober *p, int reason)
{
	static char text[32];
	const struct kvm_run *run = p->vcpu.run;
	int64_t at = (int64_t)p->vcpu.regs->rip - PROBE_CODE;
	const char *what;

	switch (reason) {
	case KVM_EXIT_DEBUG:
		what = run->debug.arch.exception == 3		     ? "int3"
		       : run->debug.arch.dr6 & 0xf		     ? "hit"
		       : run->debug.arch.dr6 & 0x4000		     ? "step"
								     : "trap";
		break;
	case KVM_EXIT_HLT:
		what = p->vcpu.regs->rip == PROBE_HANDLER + 1 ? "handler" : "halt";
		break;
	case KVM_EXIT_IO:
		what = "I/O";
		break;
	case KVM_EXIT_MMIO:
		what = "MMIO";
		break;
	case KVM_EXIT_SHUTDOWN:
		return "shutdown";
	case KVM_EXIT_INTERNAL_ERROR:
		what = "error";
		break;
	case KVM_EXIT_FAIL_ENTRY:
		return "entry failed";
	case -EINTR:
		return "no exit";
	case -EFAULT:
		what = "fault";
		break;
	default:
		snprintf(text, sizeof(text), "exit %d", reason);
		return text;
	}
	if (at < 0 || at > 0x40)
		snprintf(text, sizeof(text), "%s", what);
	else
		snprintf(text, sizeof(text), "%s at +%d", what, (int)at);
	return text;
}

static const char *run_code(struct prober *p, int mode, bool user, const uint8_t *code, size_t len,
			    uint32_t control, uint64_t address)
{
	if (!begin(p, mode, user, code, len))
		return "refused";
	return describe(p, prober_enter(p, control, address, 0, 1));
}

static const char *int3(struct prober *p, int mode, bool user)
{
	return run_code(p, mode, user, BYTES(0x90, 0xcc, 0x90, 0xe6, 0x80), KVM_GUESTDBG_USE_SW_BP, 0);
}

static const char *int1(struct prober *p, int mode, bool user)
{
	return run_code(p, mode, user, BYTES(0x90, 0xf1, 0x90, 0xe6, 0x80), 0, 0);
}

static const char *hlt(struct prober *p, int mode, bool user)
{
	return run_code(p, mode, user, BYTES(0x90, 0xf4, 0x90, 0xe6, 0x80), 0, 0);
}

static const char *execute(struct prober *p, int mode, bool user)
{
	return run_code(p, mode, user, BYTES(0x90, 0x90, 0x90, 0xe6, 0x80), KVM_GUESTDBG_USE_HW_BP,
			PROBE_CODE + 1);
}

/* Resumed on the breakpoint with RF set: a processor goes on. */
static const char *resume_flag(struct prober *p, int mode, bool user)
{
	execute(p, mode, user);
	p->vcpu.regs->rflags |= 0x10000;
	p->vcpu.regs_dirty = true;
	return describe(p, prober_enter(p, KVM_GUESTDBG_USE_HW_BP, PROBE_CODE + 1, 0, 1));
}

/* The lengths that are reported, as a list. */
static const char *watch(struct prober *p, int mode, bool user, unsigned int condition)
{
	static char text[24];
	static const size_t sizes[MODE_COUNT] = {2, 4, 8};
	const uint64_t address = PROBE_DATA;

	*text = 0;
	for (unsigned int len = 1; len <= (mode == MODE_64 ? 8 : 4); len *= 2) {
		/* With operands of that size: MOV [address],AL/AX/EAX/RAX or the other way. */
		uint8_t code[16] = {0};
		size_t at = 0;

		if (len > 1 && len != (mode == MODE_16 ? 2u : 4u) && len < 8)
			code[at++] = 0x66;
		if (len == 8)
			code[at++] = 0x48;
		code[at++] = (uint8_t)((condition == 1 ? 0xa2 : 0xa0) | (len > 1));
		memcpy(code + at, &address, sizes[mode]);
		at += sizes[mode];
		code[at++] = 0xe6;
		if (begin(p, mode, user, code, at) &&
		    prober_enter(p, KVM_GUESTDBG_USE_HW_BP, PROBE_DATA, condition, len) ==
			    KVM_EXIT_DEBUG)
			sprintf(text + strlen(text), "%s%u", *text ? " " : "", len);
	}
	return *text ? text : "none";
}

static const char *watch_write(struct prober *p, int mode, bool user)
{
	return watch(p, mode, user, 1);
}

static const char *watch_access(struct prober *p, int mode, bool user)
{
	return watch(p, mode, user, 3);
}

/* REP STOSB of three, the first watched: how many are left when that is reported. */
static const char *watch_rep(struct prober *p, int mode, bool user)
{
	static char text[16];

	if (!begin(p, mode, user, BYTES(0xf3, 0xaa, 0xe6, 0x80)))
		return "refused";
	p->vcpu.regs->rcx = 3;
	p->vcpu.regs->rdi = PROBE_DATA;
	p->vcpu.regs_dirty = true;
	if (prober_enter(p, KVM_GUESTDBG_USE_HW_BP, PROBE_DATA, 1, 1) != KVM_EXIT_DEBUG)
		return "none";
	snprintf(text, sizeof(text), "%llu of 3 left", (unsigned long long)p->vcpu.regs->rcx);
	return text;
}

static const char *step_code(struct prober *p, int mode, bool user, const uint8_t *code, size_t len)
{
	if (!begin(p, mode, user, code, len))
		return "refused";
	return describe(p, prober_step(p));
}

static const char *step_nop(struct prober *p, int mode, bool user)
{
	return step_code(p, mode, user, BYTES(0x90, 0x90));
}

static const char *step_hlt(struct prober *p, int mode, bool user)
{
	const char *text = step_code(p, mode, user, BYTES(0xf4, 0x90));

	/* An emulator that steps past it remembers it for the next run. */
	if (p->vcpu.run->exit_reason == KVM_EXIT_DEBUG)
		prober_enter(p, 0, 0, 0, 1);
	return text;
}

static const char *step_out(struct prober *p, int mode, bool user)
{
	return step_code(p, mode, user, BYTES(0xe6, 0x80, 0x90));
}

/* What completes that. */
static const char *step_out_then(struct prober *p, int mode, bool user)
{
	step_out(p, mode, user);
	return describe(p, prober_step(p));
}

static const char *step_int(struct prober *p, int mode, bool user)
{
	return step_code(p, mode, user, BYTES(0xcd, 0x40, 0x90));
}

/* Whether the flags that a stepped PUSHF pushes have TF. */
static const char *step_pushf(struct prober *p, int mode, bool user)
{
	const char *what = step_code(p, mode, user, BYTES(0x9c, 0x90));

	if (p->vcpu.regs->rip != PROBE_CODE + 1)
		return what;
	return p->vm.memory[(p->vcpu.regs->rsp & 0xffff) + 1] & 1 ? "TF leaks" : "clean";
}

/* REP STOSB of three: how many are left after one step. */
static const char *step_rep(struct prober *p, int mode, bool user)
{
	static char text[16];

	if (!begin(p, mode, user, BYTES(0xf3, 0xaa, 0x90)))
		return "refused";
	p->vcpu.regs->rcx = 3;
	p->vcpu.regs->rdi = PROBE_DATA;
	p->vcpu.regs_dirty = true;
	if (prober_step(p) != KVM_EXIT_DEBUG)
		return "not reported";
	snprintf(text, sizeof(text), "%llu of 3 left", (unsigned long long)p->vcpu.regs->rcx);
	return text;
}

static const char *step_mov_ss(struct prober *p, int mode, bool user)
{
	/* Reloading SS in protected mode would take a GDT. */
	if (mode != MODE_16 || user)
		return "-";
	return step_code(p, mode, user, BYTES(0x8e, 0xd0, 0x90, 0x90));
}

static const char *step_cpuid(struct prober *p, int mode, bool user)
{
	return step_code(p, mode, user, BYTES(0x0f, 0xa2, 0x90));
}

static const char *access_page(struct prober *p, int mode, bool user, bool write, uint64_t address)
{
	uint8_t code[PROBE_ACCESS_MAX];

	return run_code(p, mode, user, code, prober_access_code(code, (enum vcpu_mode)mode, write, address),
			0, 0);
}

static const char *write_read_only(struct prober *p, int mode, bool user)
{
	return access_page(p, mode, user, true, PROBE_READ_ONLY);
}

/* PUSHA to a read-only slot: how many of its eight words come out. */
static const char *push_read_only(struct prober *p, int mode, bool user)
{
	static char text[16];
	int words = 0;

	if (mode == MODE_64)
		return "-";
	if (!begin(p, mode, user, BYTES(0x60, 0xe6, 0x80)))
		return "refused";
	p->vcpu.regs->rsp = PROBE_READ_ONLY + 0x100;
	p->vcpu.regs_dirty = true;
	while (prober_enter(p, 0, 0, 0, 1) == KVM_EXIT_MMIO)
		words++;
	snprintf(text, sizeof(text), "%d of 8", words);
	return text;
}

/* Memory that is taken from KVM while the guest reads it. */
static const char *read_lost(struct prober *p, int mode, bool user)
{
	uint8_t code[PROBE_ACCESS_MAX];
	const char *text;

	mprotect(p->vm.memory + PROBE_READ_ONLY, VM_PAGE, PROT_NONE);
	text = run_code(p, mode, user, code,
			prober_access_code(code, (enum vcpu_mode)mode, false, PROBE_READ_ONLY), 0, 0);
	mprotect(p->vm.memory + PROBE_READ_ONLY, VM_PAGE, PROT_READ | PROT_WRITE);
	return text;
}

/* A plain instruction whose page tables cannot be written: whether the processor's walk counts as a write. */
static const char *walk_protected(struct prober *p, int mode, bool user)
{
	const char *text;

	if (mode != MODE_64)
		return "-";
	if (!begin(p, mode, user, BYTES(0x90, 0xe6, 0x80)))
		return "refused";
	for (unsigned int level = 0; level < 3; level++)
		p->vm.memory[PROBE_TABLES + VM_PAGE * level] |= PROBE_ACCESSED_DIRTY;
	mprotect(p->vm.memory + PROBE_TABLES, 3 * VM_PAGE, PROT_READ);
	text = describe(p, prober_enter(p, 0, 0, 0, 1));
	mprotect(p->vm.memory + PROBE_TABLES, 3 * VM_PAGE, PROT_READ | PROT_WRITE);
	return text;
}

static const char *read_absent(struct prober *p, int mode, bool user)
{
	return access_page(p, mode, user, false, PROBE_ABSENT);
}

static const struct {
	const char *name;
	const char *(*cell)(struct prober *p, int mode, bool user);
} rows[] = {
	{"INT3 (cc), intercepted", int3},
	{"INT1 (f1)", int1},
	{"HLT", hlt},
	{"execute breakpoint", execute},
	{"  resumed with RF", resume_flag},
	{"write watch, bytes", watch_write},
	{"access watch, bytes", watch_access},
	{"  in REP STOSB", watch_rep},
	{"step NOP", step_nop},
	{"step HLT", step_hlt},
	{"step OUT", step_out},
	{"  and again", step_out_then},
	{"step INT n", step_int},
	{"step PUSHF", step_pushf},
	{"step REP STOSB", step_rep},
	{"step MOV SS", step_mov_ss},
	{"step CPUID", step_cpuid},
	{"write to a read-only slot", write_read_only},
	{"  PUSHA there", push_read_only},
	{"read without a slot", read_absent},
	{"read of protected memory", read_lost},
	{"walk of protected tables", walk_protected},
};

/* The kernel module that runs guests here, as far as sysfs tells. */
static const char *back_end(void)
{
	static const char *const modules[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};
	char path[64];

	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
		if (!access(path, F_OK))
			return modules[i];
	}
	return "unknown";
}

/* Memory with a read-only page and a hole in it. */
static bool carve(struct prober *p)
{
	const struct {
		uint64_t start, size;
		uint32_t flags;
	} slots[] = {{0, PROBE_READ_ONLY, 0},
		     {PROBE_READ_ONLY, 0x1000, KVM_MEM_READONLY},
		     {PROBE_ABSENT + 0x1000, 0x1000, 0}};
	struct kvm_userspace_memory_region region = {0};

	if (ioctl(p->vm.fd, KVM_SET_USER_MEMORY_REGION, &region)) /* away with the first */
		return false;
	for (uint32_t i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
		region = (struct kvm_userspace_memory_region){
			.slot = i,
			.flags = slots[i].flags,
			.guest_phys_addr = slots[i].start,
			.memory_size = slots[i].size,
			.userspace_addr = (uintptr_t)p->vm.memory + slots[i].start};
		if (ioctl(p->vm.fd, KVM_SET_USER_MEMORY_REGION, &region))
			return false;
	}
	return true;
}

int probe_print(char *why, size_t size)
{
	static const char *const columns[] = {"16-bit",	      "16-bit user", "32-bit",
					      "32-bit user", "64-bit",	    "64-bit user"};
	struct utsname host = {0};
	struct findings findings;
	struct prober p;
	int result = probe(&findings, why, size);

	if (!result)
		result = prober_create(&p, why, size);
	if (result)
		return result;
	uname(&host);
	printf("%s, Linux %s %s, %s\n", PACKAGE_STRING, host.release, host.machine, back_end());
	printf("guest debugging 0x%x, synchronised registers %s, steps %s\n\n", p.vm.debug,
	       p.vm.sync_regs ? "yes" : "no",
	       findings.steps_stay_armed ? "stay armed (guest code is emulated)"
					 : "must be armed each time");
	if (findings.lost_in_segments)
		printf("a processor of QEMU's emulation: execution breakpoints fail where CS does not begin at 0\n\n");
	if (!carve(&p))
		printf("(this KVM does not take read-only slots)\n");
	printf("%-26s", "");
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		printf("%-15s", columns[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		printf("\n%-26s", rows[i].name);
		for (int column = 0; column < 2 * MODE_COUNT; column++)
			printf("%-15s", rows[i].cell(&p, column / 2, column & 1));
	}
	printf("\n");
	prober_destroy(&p);
	return 0;
}
