/* Running the guest: freely until a point or an event, or for one instruction. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exits.h"
#include "machine.h"
#include "memory.h"
#include "message.h"
#include "port.h"
#include "trap.h"

enum outcome {
	GOES_ON,     /* nothing to be reported yet */
	STEPPED,     /* one instruction, or one iteration of a string instruction, is done */
	INTERRUPTED, /* there was a kick */
	STOPPED,     /* *stop says why */
};

static volatile sig_atomic_t ending = -1; /* exit status of machine_end() */
static volatile sig_atomic_t in_run;

bool machine_end(struct machine *machine, int status)
{
	ending = status;
	if (!in_run)
		return false;
	vcpu_kick(&machine->vcpu);
	return true;
}

int machine_ending(void)
{
	return ending;
}

static enum outcome report(struct gdbstub_stop *stop, enum gdbstub_reason reason, int signal)
{
	stop->reason = reason;
	stop->signal = (enum gdbstub_signal)signal;
	return STOPPED;
}

static void halt(struct machine *machine)
{
	char where[32];

	machine->life = MACHINE_HALTED;
	machine->halted_at = vcpu_pc(&machine->vcpu);
	machine_say(machine, "halted at %s", vcpu_where(&machine->vcpu, where, sizeof(where)));
}

static enum outcome fail(struct machine *machine, int exit, struct gdbstub_stop *stop)
{
	struct exit_report what;

	exit_describe(&machine->vcpu, exit, &what);
	if (what.dead) {
		machine->life = MACHINE_DEAD;
		machine->fatal_signal = what.signal;
		strcpy(machine->epitaph, what.text);
	}
	/* After an instruction that it cannot emulate, KVM may hold a #UD back: this drops it. */
	machine->vcpu.regs_dirty = true;
	machine_say(machine, "%s", what.text);
	return report(stop, GDBSTUB_STOPPED, what.signal);
}

/*
 * An access to where there is no memory. Nothing answers: a read gives ones, a write is lost. A
 * debugger is told, since it is a mistake more often than not.
 */
static bool serve_mmio(struct machine *machine)
{
	struct kvm_run *run = machine->vcpu.run;

	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	machine_say(machine, "%s of %u bytes at physical address 0x%llx, where there is no memory",
		    run->mmio.is_write ? "write" : "read", run->mmio.len,
		    (unsigned long long)run->mmio.phys_addr);
	return machine->stub && gdbstub_connected(machine->stub);
}

/*
 * Completes the I/O instruction that was served last, and what further accesses it makes. On some
 * hosts that ends a step (STEPPED), on others nobody says so (GOES_ON).
 */
static enum outcome complete_io(struct machine *machine, bool *bus_error, struct gdbstub_stop *stop)
{
	while (machine->vcpu.io_pending) {
		int exit = vcpu_complete(&machine->vcpu);

		switch (exit) {
		case -EINTR:
			return GOES_ON;
		case KVM_EXIT_IO:
			port_exit(machine);
			machine->vcpu.io_pending = true;
			break;
		case KVM_EXIT_MMIO:
			*bus_error |= serve_mmio(machine);
			machine->vcpu.io_pending = true;
			break;
		case KVM_EXIT_DEBUG:
			return STEPPED;
		default:
			return fail(machine, exit, stop);
		}
	}
	return GOES_ON;
}

/* Serves an I/O exit; an MMIO exit that a debugger is to see ends the run. */
static enum outcome serve_io(struct machine *machine, int exit, struct gdbstub_stop *stop)
{
	bool bus_error = false;

	machine->vcpu.io_pending = true;
	if (exit == KVM_EXIT_IO)
		port_exit(machine);
	else
		bus_error = serve_mmio(machine);
	if (!bus_error)
		return GOES_ON;
	if (complete_io(machine, &bus_error, stop) == STOPPED)
		return STOPPED;
	return report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_BUS);
}

/* HLT, at any privilege level that may use it; its length with prefixes, or 0. */
static size_t at_hlt(const struct vcpu *vcpu)
{
	static const char prefixes[] = "\x26\x2e\x36\x3e\x64\x65\x66\x67\xf2\xf3";
	uint8_t code[15];
	ssize_t n = memory_read(vcpu, vcpu_pc(vcpu), code, 1);

	/* One byte is enough for nearly all instructions. */
	if (n < 1 || vcpu_cpl(vcpu))
		return 0;
	if (code[0] == 0xf4)
		return 1;
	if (!code[0] || !strchr(prefixes, code[0]))
		return 0;
	n = memory_read(vcpu, vcpu_pc(vcpu), code, sizeof(code));
	for (ssize_t i = 0; i < n; i++) {
		if (code[i] == 0xf4)
			return (size_t)i + 1;
		if (!code[i] || !strchr(prefixes, code[i]))
			break;
	}
	return 0;
}

/*
 * One instruction, or one iteration of a string instruction. Uniform over hosts that end a step with
 * KVM_EXIT_DEBUG and hosts that, after an I/O exit, do not.
 */
static enum outcome step(struct machine *machine, struct gdbstub_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu;
	size_t hlt = at_hlt(vcpu);

	machine->life = MACHINE_ALIVE;
	if (machine->vm.traps.count)
		traps_remove(&machine->vm);
	if (hlt) {
		/* Emulating hosts step over a HLT and remember it, and stop one instruction late. */
		vcpu->regs->rip += hlt;
		if (vcpu_mode(vcpu) != MODE_64)
			vcpu->regs->rip = (uint32_t)vcpu->regs->rip;
		vcpu->regs_dirty = true;
		halt(machine);
		return STEPPED;
	}
	for (;;) {
		struct kvm_regs before = *vcpu->regs;
		bool bus_error = false;
		int exit;

		/* The last thing before KVM_RUN: TF is lost with every write of the registers. */
		exit = vcpu_debug(vcpu,
				  KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |
					  KVM_GUESTDBG_BLOCKIRQ | machine->inject,
				  NULL, !machine->findings.steps_stay_armed);
		machine->inject = 0;
		if (!exit)
			exit = vcpu_enter(vcpu);
		switch (exit) {
		case KVM_EXIT_DEBUG:
			return STEPPED;
		case KVM_EXIT_HLT:
			halt(machine);
			return STEPPED;
		case -EINTR:
			if (before.rip == vcpu->regs->rip && before.rcx == vcpu->regs->rcx)
				return INTERRUPTED;
			return STEPPED;
		case KVM_EXIT_IO:
			port_exit(machine);
			break;
		case KVM_EXIT_MMIO:
			bus_error = serve_mmio(machine);
			break;
		default:
			return fail(machine, exit, stop);
		}
		vcpu->io_pending = true;
		switch (complete_io(machine, &bus_error, stop)) {
		case STOPPED:
			return STOPPED;
		case STEPPED:
			break;
		default:
			/* Not begun: an instruction that reads first was restarted. */
			if (before.rip == vcpu->regs->rip && before.rcx == vcpu->regs->rcx &&
			    before.rsi == vcpu->regs->rsi && before.rdi == vcpu->regs->rdi &&
			    !bus_error)
				continue;
		}
		if (bus_error)
			return report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_BUS);
		return STEPPED;
	}
}

/* At a point, or on a trap that the guest reached by another address of the same memory. */
static enum outcome hit(struct machine *machine, struct gdbstub_stop *stop)
{
	enum gdbstub_reason reason = points_at(&machine->points, vcpu_pc(&machine->vcpu));

	return report(stop, reason == GDBSTUB_STOPPED ? GDBSTUB_SWBREAK : reason,
		      GDBSTUB_SIGNAL_TRAP);
}

static bool at_trap(const struct machine *machine)
{
	uint64_t gpa;

	return machine->vm.traps.count &&
	       !memory_translate(&machine->vcpu, vcpu_pc(&machine->vcpu), &gpa) &&
	       trap_at(&machine->vm, gpa);
}

static enum outcome debug_exit(struct machine *machine, struct gdbstub_stop *stop)
{
	const struct kvm_debug_exit_arch *debug = &machine->vcpu.run->debug.arch;

	if (debug->exception == 3) {
		if (at_trap(machine))
			return hit(machine, stop);
		/* The guest's own INT3: with RIP still at it, the handler sees the address behind. */
		machine->inject = KVM_GUESTDBG_INJECT_BP;
		return GOES_ON;
	}
	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED)
		return hit(machine, stop);
	/* The guest's own TF or debug registers. */
	machine->inject = KVM_GUESTDBG_INJECT_DB;
	return GOES_ON;
}

static enum outcome enter(struct machine *machine, struct gdbstub_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu;
	uint32_t control = points_control(&machine->points) | machine->inject;
	int exit;

	if (machine->inject)
		control |= KVM_GUESTDBG_ENABLE;
	exit = vcpu_debug(vcpu, control, machine->points.debugreg, false);
	machine->inject = 0;
	if (!exit)
		exit = vcpu_enter(vcpu);
	switch (exit) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
		return serve_io(machine, exit, stop);
	case KVM_EXIT_DEBUG:
		return debug_exit(machine, stop);
	case -EINTR:
	case KVM_EXIT_INTR:
		return INTERRUPTED;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		return GOES_ON;
	case KVM_EXIT_HLT:
		halt(machine);
		return report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	case KVM_EXIT_INTERNAL_ERROR:
		if (vcpu->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION &&
		    at_trap(machine)) {
			vcpu->regs_dirty = true; /* drops the #UD that KVM may hold back */
			return hit(machine, stop);
		}
		break;
	}
	return fail(machine, exit, stop);
}

/* A client that wants the guest to stop, or the end of the program. */
static enum outcome attend(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	bool bus_error = false;

	if (ending < 0 && !asked && !(machine->stub && gdbstub_poll(machine->stub)))
		return GOES_ON;
	if (complete_io(machine, &bus_error, stop) == STOPPED)
		return STOPPED;
	if (ending >= 0) {
		stop->status = ending;
		return report(stop, GDBSTUB_EXITED, GDBSTUB_SIGNAL_NONE);
	}
	return report(stop, GDBSTUB_INTERRUPTED, GDBSTUB_SIGNAL_INT);
}

static void tell_of_stepping(struct machine *machine)
{
	if (!machine->told_of_stepping)
		machine_say(machine, "the guest runs slowly: on this host some of these breakpoints "
				     "can only be found by stepping");
	machine->told_of_stepping = true;
}

/*
 * A point at the program counter. The client has been told of this stop, so it wants to go on from
 * it; but after a `jump` gdb sets its points behind the write of the program counter and wants to be
 * stopped at once.
 */
static enum outcome leave_point(struct machine *machine, struct gdbstub_stop *stop)
{
	enum outcome outcome;

	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) == GDBSTUB_STOPPED)
		return GOES_ON;
	if (machine->hit_here)
		return hit(machine, stop);
	outcome = step(machine, stop);
	if (outcome != STEPPED)
		return outcome;
	if (machine->life == MACHINE_HALTED)
		return report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED)
		return hit(machine, stop);
	return GOES_ON;
}

static enum outcome step_to_point(struct machine *machine, struct gdbstub_stop *stop)
{
	enum outcome outcome = step(machine, stop);

	if (outcome != STEPPED)
		return outcome;
	if (machine->life == MACHINE_HALTED)
		return report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED)
		return hit(machine, stop);
	return GOES_ON;
}

static void run_freely(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	enum outcome outcome = GOES_ON;
	enum points_armed armed;

	if (asked && attend(machine, true, stop) == STOPPED)
		return;
	do {
		outcome = leave_point(machine, stop);
		if (outcome == INTERRUPTED && vcpu_was_kicked(&machine->vcpu))
			outcome = attend(machine, false, stop) == STOPPED ? STOPPED : INTERRUPTED;
	} while (outcome == INTERRUPTED);
	if (outcome == STOPPED)
		return;
	armed = points_arm(machine);
	if (armed == POINTS_STEP)
		tell_of_stepping(machine);
	while (outcome != STOPPED) {
		if (vcpu_was_kicked(&machine->vcpu) && attend(machine, false, stop) == STOPPED)
			return;
		outcome = armed == POINTS_STEP ? step_to_point(machine, stop) : enter(machine, stop);
	}
}

static void run_step(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	enum outcome outcome = INTERRUPTED;

	report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_TRAP);
	while (outcome == INTERRUPTED) {
		if ((asked || vcpu_was_kicked(&machine->vcpu)) &&
		    attend(machine, asked, stop) == STOPPED)
			return;
		outcome = step(machine, stop);
	}
}

static void prepare(struct machine *machine)
{
	char why[256];

	if (probe(&machine->findings, why, sizeof(why)))
		message("cannot find out what this host's KVM does: %s", why);
}

void machine_run(struct machine *machine, enum gdbstub_resume how, struct gdbstub_stop *stop)
{
	bool asked = false;

	stop->thread = 1;
	in_run = 1;
	if (!machine->findings.done && (how == GDBSTUB_STEP || machine->points.count))
		prepare(machine);
	/* On a processor a step can run a whole handler, which may never return. */
	if (machine->stub && (how == GDBSTUB_CONTINUE || !machine->findings.steps_stay_armed))
		asked = gdbstub_watch(machine->stub);
	if (machine->life == MACHINE_DEAD) {
		machine_say(machine, "%s; the guest is dead", machine->epitaph);
		report(stop, GDBSTUB_STOPPED, machine->fatal_signal);
	} else if (how == GDBSTUB_STEP) {
		run_step(machine, asked, stop);
	} else if (machine->life == MACHINE_HALTED &&
		   vcpu_pc(&machine->vcpu) == machine->halted_at && !machine->pc_moved) {
		/* Nothing here raises interrupts, so nothing can wake it. */
		halt(machine);
		report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	} else {
		machine->life = MACHINE_ALIVE;
		run_freely(machine, asked, stop);
	}
	machine->pc_moved = machine->hit_here = false;
	in_run = 0;
	/* For a signal that came after the last look and found the machine running. */
	if (ending >= 0) {
		stop->status = ending;
		report(stop, GDBSTUB_EXITED, GDBSTUB_SIGNAL_NONE);
	}
}
