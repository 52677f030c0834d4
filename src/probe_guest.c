#define _GNU_SOURCE
#include "probe_guest.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "segment.h"

#define MEMORY_SIZE 0x10000
#define CODE_SIZE 0x40
#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define NOP 0x90
#define HLT 0xf4
#define RFLAGS_IOPL 0x3000

#define PAGE_USER_WRITABLE 0x7
#define PAGE_LARGE 0x80

/* A guest that KVM does not let go: an emulated host's, mostly. */
static struct vcpu *volatile running;

static void on_overtime(int number)
{
	(void)number;
	if (running)
		vcpu_kick(running);
}

static void set_overtime(long microseconds)
{
	/* Of this process, so that a busy machine does not count. */
	const struct itimerval timer = {.it_value = {.tv_usec = microseconds}};

	setitimer(ITIMER_PROF, &timer, NULL);
}

int prober_create(struct prober *p, char *why, size_t size)
{
	int result = vm_create(&p->vm, MEMORY_SIZE, why, size);

	p->disturbed = false;
	if (result)
		return result;
	result = vcpu_create(&p->vcpu, &p->vm, 0, false, why, size);
	if (result) {
		vm_destroy(&p->vm);
		return result;
	}
	p->reset = *p->vcpu.sregs;
	running = &p->vcpu;
	sigaction(SIGPROF, &(struct sigaction){.sa_handler = on_overtime, .sa_flags = SA_RESTART}, NULL);
	/* Wherever a guest may stray, it ends there; as page table entries these are not present. */
	memset(p->vm.memory, HLT, MEMORY_SIZE);
	return 0;
}

void prober_destroy(struct prober *p)
{
	set_overtime(0);
	running = NULL;
	vcpu_destroy(&p->vcpu);
	vm_destroy(&p->vm);
}

static void set_segments(struct kvm_sregs *sregs, enum vcpu_mode mode, bool user)
{
	for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS; s++) {
		struct kvm_segment *segment = segment_of(sregs, s);
		uint16_t selector = s == SEGMENT_CS ? SELECTOR_CODE : SELECTOR_DATA;

		if (mode == MODE_16)
			segment_set_real(segment, s, user ? selector : 0);
		else
			segment_set_flat(segment, s, selector, mode == MODE_64 && s == SEGMENT_CS);
		if (user) {
			segment->base = 0;
			segment->selector |= 3;
			segment->dpl = 3;
		}
	}
}

bool prober_begin(struct prober *p, enum vcpu_mode mode, bool user, const void *code, size_t len)
{
	const uint64_t tables[3] = {(PROBE_TABLES + 0x1000) | PAGE_USER_WRITABLE,
				    (PROBE_TABLES + 0x2000) | PAGE_USER_WRITABLE,
				    PAGE_USER_WRITABLE | PAGE_LARGE};
	const uint32_t handler = PROBE_HANDLER;
	struct kvm_sregs sregs = p->reset;

	/* An I/O instruction of the guest before would be completed with this one's registers. */
	while (p->vcpu.io_pending) {
		int exit;

		vcpu_was_kicked(&p->vcpu);
		exit = vcpu_complete(&p->vcpu);
		p->vcpu.io_pending = exit == KVM_EXIT_IO || exit == KVM_EXIT_MMIO;
	}

	memset(p->vm.memory + PROBE_CODE, NOP, CODE_SIZE);
	memcpy(p->vm.memory + PROBE_CODE, code, len);
	for (unsigned int vector = 0; vector < 256; vector++)
		memcpy(p->vm.memory + 4 * vector, &handler, sizeof(handler));
	set_segments(&sregs, mode, user);
	/* Without an IDT whatever is not reported ends in a triple fault. */
	sregs.idt = (struct kvm_dtable){.limit = mode == MODE_16 && !user ? 0x3ff : 0};
	if (mode != MODE_16 || user)
		sregs.cr0 |= CR0_PE;
	if (mode == MODE_64) {
		for (unsigned int level = 0; level < 3; level++)
			memcpy(p->vm.memory + PROBE_TABLES + 0x1000 * level, &tables[level], 8);
		sregs.cr3 = PROBE_TABLES;
		sregs.cr4 |= CR4_PAE;
		sregs.efer |= EFER_LME | EFER_LMA;
		sregs.cr0 |= CR0_PG;
	}
	memset(p->vcpu.regs, 0, sizeof(*p->vcpu.regs));
	p->vcpu.regs->rip = PROBE_CODE;
	p->vcpu.regs->rsp = PROBE_HANDLER;
	p->vcpu.regs->rflags = user ? 2 | RFLAGS_IOPL : 2;
	p->vcpu.regs_dirty = true;
	/* Before that, or a flags image of the mode before would be put together with these. */
	if (!vcpu_debug(&p->vcpu, 0, NULL, true) && !vcpu_set_sregs(&p->vcpu, &sregs))
		return true;
	p->disturbed = true;
	return false;
}

int prober_enter(struct prober *p, uint32_t control, uint64_t address, unsigned int condition,
		 unsigned int length)
{
	static const unsigned int lengths[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	const uint64_t debugreg[8] = {
		[0] = address,
		/* global, register 0; bit 10 is always set */
		[7] = 0x402 | (uint64_t)(condition | lengths[length] << 2) << 16,
	};
	int exit;

	if (vcpu_debug(&p->vcpu, control | KVM_GUESTDBG_ENABLE, debugreg, true)) {
		p->disturbed = true;
		return -1;
	}
	vcpu_was_kicked(&p->vcpu);
	set_overtime(200000);
	exit = vcpu_enter(&p->vcpu);
	p->vcpu.io_pending = exit == KVM_EXIT_IO || exit == KVM_EXIT_MMIO;
	p->disturbed |= exit < 0 && !p->vcpu.kicked;
	return exit;
}

int prober_step(struct prober *p)
{
	return prober_enter(p, KVM_GUESTDBG_SINGLESTEP, 0, 0, 1);
}

size_t prober_access_code(uint8_t code[PROBE_ACCESS_MAX], enum vcpu_mode mode, bool write,
			  uint64_t address)
{
	static const size_t sizes[MODE_COUNT] = {2, 4, 8};
	size_t len = 1;

	code[0] = write ? 0xa2 : 0xa0;
	memcpy(code + len, &address, sizes[mode]);
	len += sizes[mode];
	code[len++] = 0xe6; /* to a port: an exit at every privilege level, with IOPL 3 */
	code[len++] = 0x80;
	return len;
}
