#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"

#define MEMORY_SIZE 0x10000
#define HANDLER 0x800	  /* where every real-mode interrupt goes: a HLT */
#define CODE 0x1000
#define PAGE_TABLES 0x2000 /* PML4, page directory pointers, page directory */
#define GDT_CODE 0x08
#define GDT_DATA 0x10
#define NOP 0x90
#define HLT 0xf4

#define PAGE_PRESENT_WRITABLE 0x3
#define PAGE_LARGE 0x80

struct prober {
	struct vm vm;
	struct vcpu vcpu;
	struct kvm_sregs reset;
};

/* Code of NOPs that ends in HLT, at CODE, in a fresh CPU of the given mode. */
static bool begin(struct prober *p, enum vcpu_mode mode)
{
	struct kvm_sregs sregs = p->reset;
	uint64_t tables[3] = {(PAGE_TABLES + 0x1000) | PAGE_PRESENT_WRITABLE,
			      (PAGE_TABLES + 0x2000) | PAGE_PRESENT_WRITABLE,
			      PAGE_PRESENT_WRITABLE | PAGE_LARGE};

	memset(p->vm.memory + CODE, NOP, 8);
	p->vm.memory[CODE + 8] = HLT;
	p->vm.memory[HANDLER] = HLT;
	for (unsigned int vector = 0; vector < 256; vector++)
		memcpy(p->vm.memory + 4 * vector, &(uint32_t){HANDLER}, 4);
	for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS; s++) {
		if (mode == MODE_16)
			segment_set_real(segment_of(&sregs, s), s, 0);
		else
			segment_set_flat(segment_of(&sregs, s), s,
					 s == SEGMENT_CS ? GDT_CODE : GDT_DATA,
					 mode == MODE_64 && s == SEGMENT_CS);
	}
	sregs.idt = (struct kvm_dtable){.limit = mode == MODE_16 ? 0x3ff : 0};
	if (mode != MODE_16)
		sregs.cr0 |= CR0_PE;
	if (mode == MODE_64) {
		for (unsigned int level = 0; level < 3; level++)
			memcpy(p->vm.memory + PAGE_TABLES + 0x1000 * level, &tables[level], 8);
		sregs.cr3 = PAGE_TABLES;
		sregs.cr4 |= CR4_PAE;
		sregs.efer |= EFER_LME | EFER_LMA;
		sregs.cr0 |= CR0_PG;
	}
	memset(p->vcpu.regs, 0, sizeof(*p->vcpu.regs));
	p->vcpu.regs->rip = CODE;
	p->vcpu.regs->rsp = HANDLER;
	p->vcpu.regs->rflags = 2;
	p->vcpu.regs_dirty = true;
	return !vcpu_set_sregs(&p->vcpu, &sregs);
}

static int enter(struct prober *p, uint32_t control, uint64_t address)
{
	uint64_t debugreg[8] = {[0] = address, [7] = 0x402}; /* global, execute, register 0 */

	if (vcpu_debug(&p->vcpu, control, debugreg, true))
		return -1;
	return vcpu_enter(&p->vcpu);
}

/* Whether `instruction`, planted in the middle of the code, stops the guest right there. */
static bool traps(struct prober *p, enum vcpu_mode mode, uint8_t instruction)
{
	const struct kvm_run *run = p->vcpu.run;
	bool int3 = instruction == TRAP_INT3, stopped;
	int reason;

	if (!begin(p, mode))
		return false;
	p->vm.memory[CODE + 2] = instruction;
	reason = enter(p, KVM_GUESTDBG_ENABLE | (int3 ? KVM_GUESTDBG_USE_SW_BP : 0), 0);
	if (int3)
		stopped = reason == KVM_EXIT_DEBUG && run->debug.arch.exception == 3;
	else
		stopped = reason == KVM_EXIT_INTERNAL_ERROR &&
			  run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION;
	if (!stopped || p->vcpu.regs->rip != CODE + 2)
		return false;
	/* And whether the guest goes on when it is gone: KVM drops what it may have queued. */
	p->vm.memory[CODE + 2] = NOP;
	p->vcpu.regs_dirty = true;
	return enter(p, 0, 0) == KVM_EXIT_HLT && p->vcpu.regs->rip == CODE + 9;
}

static bool breaks(struct prober *p, enum vcpu_mode mode)
{
	return begin(p, mode) &&
	       enter(p, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, CODE + 2) == KVM_EXIT_DEBUG &&
	       p->vcpu.run->debug.arch.exception == 1 && p->vcpu.regs->rip == CODE + 2;
}

static bool steps(struct prober *p, enum vcpu_mode mode)
{
	return begin(p, mode) &&
	       enter(p, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, 0) == KVM_EXIT_DEBUG &&
	       p->vcpu.regs->rip == CODE + 1;
}

/* Writing the registers takes TF away on a processor; an emulator goes on stepping. */
static bool stays_armed(struct prober *p)
{
	if (!steps(p, MODE_16))
		return false;
	p->vcpu.regs_dirty = true;
	return vcpu_enter(&p->vcpu) == KVM_EXIT_DEBUG && p->vcpu.regs->rip == CODE + 2;
}

int probe(struct findings *findings, char *why, size_t size)
{
	struct prober p;
	int result;

	*findings = (struct findings){.done = true};
	result = vm_create(&p.vm, MEMORY_SIZE, why, size);
	if (result)
		return result;
	result = vcpu_create(&p.vcpu, &p.vm, 0, why, size);
	if (!result) {
		p.reset = *p.vcpu.sregs;
		for (enum vcpu_mode mode = MODE_16; mode < MODE_COUNT; mode++) {
			findings->steps[mode] = steps(&p, mode);
			findings->debug_registers[mode] = breaks(&p, mode);
			if (traps(&p, mode, TRAP_INT3))
				findings->trap[mode] = TRAP_INT3;
			else if (traps(&p, mode, TRAP_INT1))
				findings->trap[mode] = TRAP_INT1;
		}
		findings->steps_stay_armed = stays_armed(&p);
		vcpu_destroy(&p.vcpu);
	}
	vm_destroy(&p.vm);
	return result;
}
