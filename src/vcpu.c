#define _GNU_SOURCE
#include "vcpu.h"
#include "devices/lapic.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 256 /* of a computed step some 50 us */
#define INJECTIONS (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)
/* Of the MSR IA32_APIC_BASE. */
#define APIC_BASE_ENABLE 0x800ull
#define APIC_BASE_BOOT 0x100ull

static int read_registers(struct vcpu *vcpu)
{
	if (ioctl(vcpu->fd, KVM_GET_REGS, vcpu->regs) ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, (struct kvm_sregs *)vcpu->sregs))
		return -errno;
	return 0;
}

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int id, bool has_apic, char *why, size_t why_size)
{
	const char *what = "create a virtual CPU";
	void *run = MAP_FAILED;
	int error;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0)
		goto failed;
	what = "map a virtual CPU's run page";
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		goto failed;
	vcpu->run = run;
	vcpu->regs = &vcpu->own_regs;
	vcpu->sregs = &vcpu->own_sregs;
	if (vm->sync_regs) {
		vcpu->regs = &vcpu->run->s.regs.regs;
		vcpu->sregs = &vcpu->run->s.regs.sregs;
		vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	}
	if (vm->sync_events) {
		vcpu->events = &vcpu->run->s.regs.events;
		vcpu->run->kvm_valid_regs |= KVM_SYNC_X86_EVENTS;
	}
	what = "read a virtual CPU's registers";
	if (read_registers(vcpu))
		goto failed;
	/* KVM sets CPUID's bit for the APIC again by this one. */
	vcpu->has_apic = has_apic;
	vcpu->own_sregs = *vcpu->sregs;
	if (has_apic)
		vcpu->own_sregs.apic_base = LAPIC_BASE | APIC_BASE_BOOT | APIC_BASE_ENABLE;
	else
		vcpu->own_sregs.apic_base &= ~APIC_BASE_ENABLE;
	what = "switch a virtual CPU's APIC on or off";
	if (vcpu->own_sregs.apic_base == vcpu->sregs->apic_base || !vcpu_set_sregs(vcpu, &vcpu->own_sregs))
		return 0;
failed:
	error = errno;
	vcpu_destroy(vcpu);
	snprintf(why, why_size, "KVM cannot %s: %s", what, strerror(error));
	return -error;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	/* First, for a signal handler that kicks it. */
	vcpu->run = NULL;
	if (run)
		munmap(run, vcpu->vm->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	vcpu->fd = -1;
	free(vcpu->xsave);
	free(vcpu->msrs);
	vcpu->xsave = NULL;
	vcpu->msrs = NULL;
}

#define RING_ENTRIES \
	((VM_PAGE - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

/*
 * Writes to the window that KVM has collected instead of leaving the guest for each. They are older than the
 * exit, so nothing is to be done about that before them.
 */
static void serve_coalesced(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_coalesced_mmio_ring *ring =
		(void *)((uint8_t *)vcpu->run + (size_t)vm->coalesced_page * VM_PAGE);
	uint64_t left;

	while (ring->first != ring->last) {
		struct kvm_coalesced_mmio *write = &ring->coalesced_mmio[ring->first];

		if (write->len <= sizeof(write->data) && vm_in_window(vm, write->phys_addr, &left) &&
		    write->len <= left)
			vm_access_window(vm, write->phys_addr, write->data, write->len, WINDOW_WRITE);
		ring->first = (ring->first + 1) % (unsigned int)RING_ENTRIES;
	}
}

static int run(struct vcpu *vcpu)
{
	int result = vcpu_need_features(vcpu), error;

	if (result)
		return result;
	if (vcpu->set_tf) {
		vcpu->regs->rflags |= RFLAGS_TF;
		vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
		vcpu->set_tf = vcpu->regs_dirty = false;
	} else if (vcpu->regs_dirty && vcpu->vm->sync_regs &&
		   (vcpu->steps_without_tf || !(vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP))) {
		vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
		vcpu->regs_dirty = false;
	} else if (vcpu->regs_dirty) {
		/* Not by kvm_dirty_regs: those take effect after KVM_SET_GUEST_DEBUG and lose TF. */
		if (ioctl(vcpu->fd, KVM_SET_REGS, vcpu->regs))
			return -errno;
		vcpu->regs_dirty = false;
	}
	/* The reason for the exit before would look like the one for a failure. */
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	result = ioctl(vcpu->fd, KVM_RUN, 0);
	error = errno;
	vcpu->run->kvm_dirty_regs = 0;
	vcpu->io_pending = false;
	vcpu->fpu_valid = false;
	if (vcpu->vm->coalesced_page && vcpu->vm->window.size)
		serve_coalesced(vcpu);
	if (!vcpu->vm->sync_regs) {
		int failed = read_registers(vcpu);

		if (failed)
			return failed;
	}
	/* The exit reason means nothing after a failed KVM_RUN. */
	return result < 0 ? -error : (int)vcpu->run->exit_reason;
}

void vcpu_take_signal(struct vcpu *vcpu, int number, void (*handler)(int number))
{
	/* struct kvm_signal_mask: a length, and a bit for each signal, of which the first is number 1 */
	struct {
		uint32_t len;
		uint8_t sigset[8];
	} mask = {.len = sizeof(mask.sigset)};
	sigset_t blocked, number_alone;

	sigemptyset(&number_alone);
	sigaddset(&number_alone, number);
	if (sigprocmask(SIG_BLOCK, &number_alone, &blocked))
		return;
	for (int i = 1; i < NSIG && i <= 64; i++) {
		if (i != number && sigismember(&blocked, i) == 1)
			mask.sigset[(i - 1) / 8] |= (uint8_t)(1u << (i - 1) % 8);
	}
	if (ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask)) {
		sigprocmask(SIG_UNBLOCK, &number_alone, NULL);
		return;
	}
	vcpu->signal = number;
	vcpu->on_signal = handler;
}

static void take_signal(const struct vcpu *vcpu)
{
	static const struct timespec at_once;
	sigset_t set;

	if (!vcpu->signal)
		return;
	sigemptyset(&set);
	sigaddset(&set, vcpu->signal);
	if (sigtimedwait(&set, NULL, &at_once) == vcpu->signal)
		vcpu->on_signal(vcpu->signal);
}

void vcpu_pass_round(struct vcpu *vcpu)
{
	if (++vcpu->rounds < ROUNDS)
		return;
	vcpu->rounds = 0;
	take_signal(vcpu);
}

int vcpu_enter(struct vcpu *vcpu)
{
	int exit;

	if (!(vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP))
		vcpu->own_breakpoints_known = false;
	exit = run(vcpu);
	if (exit == -EINTR || exit == KVM_EXIT_INTR)
		take_signal(vcpu);
	return exit;
}

int vcpu_complete(struct vcpu *vcpu)
{
	int result;

	vcpu->run->immediate_exit = 1;
	result = run(vcpu);
	/* A kick's is not to be lost: off first, then on again for one that came meanwhile. */
	vcpu->run->immediate_exit = 0;
	if (vcpu->kicked)
		vcpu->run->immediate_exit = 1;
	return result;
}

void vcpu_kick(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	vcpu->kicked = 1;
	/* There is none while the machine begins anew. */
	if (run)
		run->immediate_exit = 1;
}

void vcpu_defer_kick(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 0;
}

void vcpu_skip(struct vcpu *vcpu, unsigned int length)
{
	struct kvm_regs *regs = vcpu->regs;

	regs->rip += length;
	regs->rflags &= ~(uint64_t)RFLAGS_RF;
	if (vcpu_mode(vcpu) != MODE_64)
		regs->rip &= vcpu_mode(vcpu) == MODE_32 ? 0xffffffff : 0xffff;
	vcpu->regs_dirty = true;
}

bool vcpu_was_kicked(struct vcpu *vcpu)
{
	if (!vcpu->kicked)
		return false;
	vcpu->kicked = 0;
	vcpu->run->immediate_exit = 0;
	return true;
}

static struct kvm_guest_debug make_debug(const struct vcpu *vcpu, uint32_t control, const uint64_t debugreg[8])
{
	struct kvm_guest_debug debug = {.control = control & vcpu->vm->debug};

	if (control & KVM_GUESTDBG_USE_HW_BP)
		memcpy(debug.arch.debugreg, debugreg, sizeof(debug.arch.debugreg));
	return debug;
}

static bool knows_debug(const struct vcpu *vcpu, const struct kvm_guest_debug *debug)
{
	return vcpu->debug_known && !memcmp(debug, &vcpu->debug, sizeof(*debug));
}

bool vcpu_step_again(struct vcpu *vcpu, uint32_t control, const uint64_t debugreg[8])
{
	struct kvm_guest_debug debug = make_debug(vcpu, control, debugreg);

	vcpu->set_tf = vcpu->vm->sync_regs && !vcpu->io_pending && knows_debug(vcpu, &debug);
	return vcpu->set_tf;
}

static int write_events(struct vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	vcpu->run->kvm_dirty_regs &= ~(uint64_t)KVM_SYNC_X86_EVENTS;
	return ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, events);
}

/* What KVM_RUN was to take along: it would undo what is to be injected now. */
static int settle_events(struct vcpu *vcpu)
{
	if (!(vcpu->run->kvm_dirty_regs & KVM_SYNC_X86_EVENTS))
		return 0;
	return write_events(vcpu, vcpu->events);
}

int vcpu_debug(struct vcpu *vcpu, uint32_t control, const uint64_t debugreg[8], bool again)
{
	struct kvm_guest_debug debug = make_debug(vcpu, control, debugreg);

	/* These would take effect behind it, too, and lose TF. */
	if (control & KVM_GUESTDBG_SINGLESTEP && vcpu->run->kvm_dirty_regs & KVM_SYNC_X86_REGS) {
		vcpu->run->kvm_dirty_regs &= ~(uint64_t)KVM_SYNC_X86_REGS;
		vcpu->regs_dirty = true;
	}
	if (!again && knows_debug(vcpu, &debug))
		return 0;
	/* TF goes with the address that KVM believes the vCPU to be at. */
	if (vcpu->regs_dirty) {
		if (ioctl(vcpu->fd, KVM_SET_REGS, vcpu->regs))
			return -errno;
		vcpu->regs_dirty = false;
	}
	if (control & INJECTIONS && settle_events(vcpu))
		return -errno;
	if (ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug))
		return -errno;
	/* An injection is done once, and would be done again. */
	vcpu->debug_known = !(control & INJECTIONS);
	vcpu->debug = debug;
	return 0;
}

void vcpu_pass_breakpoint(struct vcpu *vcpu)
{
	vcpu->regs->rflags |= RFLAGS_RF;
	if (vcpu->vm->sync_regs)
		vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
	else
		vcpu->regs_dirty = true;
}

int vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	/* Most of their bits need a feature of the CPU's. */
	int result = sregs->cr4 || sregs->efer ? vcpu_need_features(vcpu) : 0;

	if (result)
		return result;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, sregs))
		return -errno;
	/* Without an APIC in the kernel KVM_RUN takes it from there. */
	vcpu->run->cr8 = sregs->cr8;
	if (sregs != vcpu->sregs)
		memcpy((struct kvm_sregs *)vcpu->sregs, sregs, sizeof(*sregs));
	return 0;
}

int vcpu_reread_sregs(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_GET_SREGS, (struct kvm_sregs *)vcpu->sregs) ? -errno : 0;
}

/* Nothing but KVM_RUN and what is here changes a shadow, and what it has left to be delivered is looked at behind it. */
static int read_events(const struct vcpu *vcpu, struct kvm_vcpu_events *events)
{
	if (!vcpu->events)
		return ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, events);
	*events = *vcpu->events;
	return 0;
}

int vcpu_end_shadow(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	if (read_events(vcpu, &events))
		return -errno;
	if (!events.interrupt.shadow)
		return 0;
	events.interrupt.shadow = 0;
	events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
	if (write_events(vcpu, &events))
		return -errno;
	if (vcpu->events)
		*vcpu->events = events;
	return 0;
}

bool vcpu_in_shadow(const struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	return !read_events(vcpu, &events) && events.interrupt.shadow;
}

bool vcpu_is_settled(const struct vcpu *vcpu)
{
	const struct kvm_vcpu_events *events = vcpu->events;

	return events && !vcpu->io_pending && !events->interrupt.shadow && !events->interrupt.injected &&
	       !events->exception.injected && !events->exception.pending && !events->nmi.injected &&
	       !events->nmi.pending;
}

int vcpu_interrupt(struct vcpu *vcpu, uint8_t vector)
{
	struct kvm_interrupt interrupt = {.irq = vector};

	return settle_events(vcpu) || ioctl(vcpu->fd, KVM_INTERRUPT, &interrupt) ? -errno : 0;
}

int vcpu_take_back(struct vcpu *vcpu, int *vector, int *exception)
{
	struct kvm_vcpu_events events;

	*vector = *exception = -1;
	if (read_events(vcpu, &events))
		return -errno;
	if (events.interrupt.injected)
		*vector = events.interrupt.nr;
	if (events.exception.injected)
		*exception = events.exception.nr;
	/* Also if there seems to be none: KVM does not tell of an INT's, which will be done again. */
	events.interrupt.injected = events.exception.injected = events.exception.pending = 0;
	/* KVM_SET_SREGS would queue it again. */
	memset(((struct kvm_sregs *)vcpu->sregs)->interrupt_bitmap, 0, sizeof(vcpu->sregs->interrupt_bitmap));
	if (!vcpu->events)
		return write_events(vcpu, &events) ? -errno : 0;
	*vcpu->events = events;
	vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_EVENTS;
	return 0;
}
