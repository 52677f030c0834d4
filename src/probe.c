#define _GNU_SOURCE
#include "probe.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "probe_guest.h"

#define TRIES 3 /* of what a failed call or a signal has disturbed */
#define NOP 0x90
#define OUT_AL 0xe6 /* and a port: an exit at every privilege level, with IOPL 3 */
#define TRAP_AT 2   /* bytes behind PROBE_CODE */

static const uint8_t nops_and_out[] = {NOP, NOP, NOP, NOP, OUT_AL, 0x80};

static bool begin(struct prober *p, enum vcpu_mode mode, bool user)
{
	return prober_begin(p, mode, user, nops_and_out, sizeof(nops_and_out));
}

static bool is_at(const struct prober *p, uint64_t offset)
{
	return p->vcpu.regs->rip == PROBE_CODE + offset;
}

/* Whether `instruction`, planted in the middle of the code, stops the guest right there. */
static bool traps(struct prober *p, enum vcpu_mode mode, bool user, uint8_t instruction)
{
	const struct kvm_run *run = p->vcpu.run;
	bool int3 = instruction == TRAP_INT3, stopped;
	int reason;

	if (!begin(p, mode, user))
		return false;
	p->vm.memory[PROBE_CODE + TRAP_AT] = instruction;
	reason = prober_enter(p, int3 ? KVM_GUESTDBG_USE_SW_BP : 0, 0, 0, 1);
	if (int3)
		stopped = reason == KVM_EXIT_DEBUG && run->debug.arch.exception == 3;
	else
		stopped = reason == KVM_EXIT_INTERNAL_ERROR &&
			  run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION;
	if (!stopped || !is_at(p, TRAP_AT))
		return false;
	/* And whether the guest goes on when it is gone: KVM drops what it may have queued. */
	p->vm.memory[PROBE_CODE + TRAP_AT] = NOP;
	p->vcpu.regs_dirty = true;
	return prober_enter(p, 0, 0, 0, 1) == KVM_EXIT_IO;
}

static bool breaks(struct prober *p, enum vcpu_mode mode, bool user)
{
	return begin(p, mode, user) &&
	       prober_enter(p, KVM_GUESTDBG_USE_HW_BP, PROBE_CODE + TRAP_AT, 0, 1) ==
		       KVM_EXIT_DEBUG &&
	       p->vcpu.run->debug.arch.exception == 1 && is_at(p, TRAP_AT);
}

/* Behind breaks(). */
static bool passes(struct prober *p)
{
	vcpu_pass_breakpoint(&p->vcpu);
	return prober_enter(p, KVM_GUESTDBG_USE_HW_BP, PROBE_CODE + TRAP_AT, 0, 1) == KVM_EXIT_IO;
}

/* Code that writes (R/W 1) or reads (R/W 3) the byte at PROBE_DATA, and stops behind that. */
static bool watches(struct prober *p, enum vcpu_mode mode, bool user, unsigned int condition)
{
	uint8_t code[PROBE_ACCESS_MAX];
	size_t len = prober_access_code(code, mode, condition == 1, PROBE_DATA);

	return prober_begin(p, mode, user, code, len) &&
	       prober_enter(p, KVM_GUESTDBG_USE_HW_BP, PROBE_DATA, condition, 1) ==
		       KVM_EXIT_DEBUG &&
	       p->vcpu.run->debug.arch.exception == 1 && p->vcpu.run->debug.arch.dr6 & 1 &&
	       is_at(p, len - PROBE_OUT_SIZE);
}

static bool steps(struct prober *p, enum vcpu_mode mode, bool user)
{
	return begin(p, mode, user) && prober_step(p) == KVM_EXIT_DEBUG && is_at(p, 1);
}

/* Code that uses a page that was taken from KVM stops at that, and goes on when the page is there again. */
static bool guards(struct prober *p, enum vcpu_mode mode, bool user, bool write)
{
	uint8_t *page = p->vm.memory + PROBE_READ_ONLY;
	uint8_t code[PROBE_ACCESS_MAX];
	size_t len = prober_access_code(code, mode, write, PROBE_READ_ONLY);
	bool disturbed, stopped;

	if (!prober_begin(p, mode, user, code, len) ||
	    mprotect(page, VM_PAGE, write ? PROT_READ : PROT_NONE))
		return false;
	disturbed = p->disturbed;
	stopped = prober_enter(p, 0, 0, 0, 1) == -EFAULT && is_at(p, 0);
	if (stopped)
		p->disturbed = disturbed;
	mprotect(page, VM_PAGE, PROT_READ | PROT_WRITE);
	return stopped && prober_enter(p, 0, 0, 0, 1) == KVM_EXIT_IO;
}

/* Writing the registers takes TF away on a processor; an emulator goes on stepping. */
static bool stays_armed(struct prober *p)
{
	if (!steps(p, MODE_16, false))
		return false;
	p->vcpu.regs_dirty = true;
	return vcpu_enter(&p->vcpu) == KVM_EXIT_DEBUG && is_at(p, 2);
}

/* This cannot be tried, since it would be the end. */
static bool is_emulated_by_qemu(void)
{
	unsigned int max, signature[3];

	__cpuid(0x40000000, max, signature[0], signature[1], signature[2]);
	return !memcmp(signature, "TCGTCGTCGTCG", sizeof(signature));
}

static void find_once(struct prober *p, enum vcpu_mode mode, bool user, struct abilities *abilities)
{
	*abilities = (struct abilities){0};
	p->disturbed = false;
	abilities->steps = steps(p, mode, user);
	abilities->debug_registers = breaks(p, mode, user);
	abilities->passes = abilities->debug_registers && passes(p);
	abilities->watch = watches(p, mode, user, 1) && watches(p, mode, user, 3);
	abilities->guards = guards(p, mode, user, true) && guards(p, mode, user, false);
	if (traps(p, mode, user, TRAP_INT3))
		abilities->trap = TRAP_INT3;
	else if (traps(p, mode, user, TRAP_INT1))
		abilities->trap = TRAP_INT1;
}

/* A host on which some of it always fails is tried as often, too. */
static void find(struct prober *p, enum vcpu_mode mode, bool user, struct abilities *abilities)
{
	int tries = 0;

	do
		find_once(p, mode, user, abilities);
	while (p->disturbed && ++tries < TRIES);
}

static bool find_whether_armed(struct prober *p)
{
	bool result = false;
	int tries = 0;

	do {
		p->disturbed = false;
		result = stays_armed(p);
	} while (p->disturbed && ++tries < TRIES);
	return result;
}

int probe(struct findings *findings, char *why, size_t size)
{
	struct prober p;
	int result = -EAGAIN;

	*findings = (struct findings){0};
	for (int tries = 0; tries < TRIES; tries++) {
		result = prober_create(&p, why, size);
		if (!result)
			break;
	}
	if (result)
		return result;
	findings->done = true;
	for (enum vcpu_mode mode = MODE_16; mode < MODE_COUNT; mode++) {
		find(&p, mode, false, &findings->kernel[mode]);
		find(&p, mode, true, &findings->user[mode]);
	}
	findings->steps_stay_armed = find_whether_armed(&p);
	findings->lost_in_segments = is_emulated_by_qemu();
	prober_destroy(&p);
	return 0;
}

const struct abilities *probe_abilities(const struct findings *findings, const struct vcpu *vcpu)
{
	enum vcpu_mode mode = vcpu_mode(vcpu);

	return vcpu_cpl(vcpu) == 3 ? &findings->user[mode] : &findings->kernel[mode];
}
