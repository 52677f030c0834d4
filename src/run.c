/* Running the guest until there is something to report. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

#include "bios/bios.h"
#include "aliases.h"
#include "emulate.h"
#include "free_steps.h"
#include "exits.h"
#include "input.h"
#include "irq.h"
#include "memory.h"
#include "message.h"
#include "resident.h"
#include "screen_live.h"
#include "step.h"
#include "string_io.h"
#include "trap.h"

#define BIOS_STUB_STEPS 8 /* more than it takes to ask for the service */

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

/*
 * At a breakpoint, or on the trap of one that the guest has reached by another address. Whether it is to be
 * reported depends on its conditions; if not, the guest goes on from it by leave_point().
 */
static enum outcome hit(struct machine *machine, struct gdbstub_stop *stop)
{
	uint64_t addr = vcpu_pc(&machine->vcpu);
	bool alias = points_at(&machine->points, addr) == GDBSTUB_STOPPED && aliases_at_pc(machine, &addr);
	bool over = machine->over.active && vcpu_pc(&machine->vcpu) == machine->over.pc;
	enum gdbstub_reason reason = over && machine->over.has_point ? GDBSTUB_STOPPED : points_hit(machine, addr);

	if (over && reason == GDBSTUB_STOPPED && vcpu_sp(&machine->vcpu) >= machine->over.sp)
		return exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_TRAP);
	if (points_at(&machine->points, addr) != GDBSTUB_STOPPED && reason == GDBSTUB_STOPPED) {
		machine->at_point = true;
		return GOES_ON;
	}
	if (!alias)
		return exit_report(stop, reason, GDBSTUB_SIGNAL_TRAP);
	/* gdb takes a breakpoint's stop where it knows of none for a late one, and goes on. */
	machine_say(machine, "the breakpoint at 0x%llx, by another address of the same memory",
		    (unsigned long long)addr);
	return exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_TRAP);
}

static bool at_trap(const struct machine *machine)
{
	uint64_t gpa;

	return machine->vm.traps.count &&
	       !memory_translate(&machine->vcpu, vcpu_pc(&machine->vcpu), &gpa) &&
	       trap_at(&machine->vm, gpa);
}

/* The guest's own TF or debug registers, or ICEBP, which Intel processors report before it is done. */
static void give_back_trap(struct machine *machine)
{
	struct instruction instruction;

	decode_next(&machine->vcpu, &instruction);
	if (instruction.class == CLASS_ICEBP && !(machine->vcpu.run->debug.arch.dr6 & (DR6_BS | 0xf))) {
		machine->vcpu.regs->rip += instruction.length;
		machine->vcpu.regs_dirty = true;
	}
	machine->inject = KVM_GUESTDBG_INJECT_DB;
}

static enum outcome debug_exit(struct machine *machine, struct gdbstub_stop *stop)
{
	const struct kvm_debug_exit_arch *debug = &machine->vcpu.run->debug.arch;
	enum gdbstub_reason reason;

	if (debug->exception == 3) {
		if (at_trap(machine))
			return hit(machine, stop);
		/* The guest's own INT3: with RIP still at it, the handler sees the address behind. */
		machine->inject = KVM_GUESTDBG_INJECT_BP;
		return GOES_ON;
	}
	reason = points_watch_register(&machine->points, debug->dr6, &stop->addr);
	/* The trap of the guest's own TF comes before a breakpoint on the next instruction. */
	if (debug->dr6 & DR6_BS)
		give_back_trap(machine);
	if (reason != GDBSTUB_STOPPED)
		return exit_report(stop, reason, GDBSTUB_SIGNAL_TRAP);
	if (machine->inject)
		return GOES_ON;
	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED)
		return hit(machine, stop);
	give_back_trap(machine);
	return GOES_ON;
}

/* The guest waits in a HLT. One that is stopped there is put back to it, to wait again when it goes on. */
static enum outcome halted(struct machine *machine, struct gdbstub_stop *stop)
{
	enum outcome outcome = irq_wait(machine);
	bool waits;

	if (outcome == STOPPED) {
		waits = machine->bios.waits;
		bios_rewind(machine);
		if (waits)
			machine_say(machine, "the guest waits for a key, and nobody presses one");
		exit_halt(machine);
		return exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	}
	if (outcome == INTERRUPTED) {
		machine->vcpu.regs->rip--;
		machine->vcpu.regs_dirty = true;
	}
	return outcome;
}

/* Points that could not be found are not to be lost without a word. */
static bool prepare(struct machine *machine)
{
	char why[256];

	if (!probe(&machine->findings, why, sizeof(why)))
		return true;
	machine_say(machine, "the guest does not run: cannot find out what this host's KVM does: %s", why);
	return false;
}

/* An instruction that this KVM cannot emulate, and the program can. */
static bool carry_out(struct machine *machine)
{
	struct instruction instruction;
	struct interrupt_gate gate;
	bool had_tf;

	decode_next(&machine->vcpu, &instruction);
	/* Nobody but a step sees what it writes and reads. */
	if (machine->points.watches) {
		machine->vcpu.regs_dirty = true; /* drops the #UD that KVM may hold back */
		machine->to_step = 1;
		return true;
	}
	had_tf = machine->vcpu.regs->rflags & RFLAGS_TF;
	if (!emulate(&machine->vcpu, &instruction, &gate))
		return false;
	/* The guest's own trap, but not behind an INT. */
	if (had_tf && !gate.frame)
		machine->inject = KVM_GUESTDBG_INJECT_DB;
	machine->guest_tf = machine->vcpu.regs->rflags & RFLAGS_TF;
	machine->carried_out = true;
	return true;
}

static enum outcome enter(struct machine *machine, struct gdbstub_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu;
	uint32_t control = points_control(&machine->points) | machine->inject;
	enum outcome outcome;
	bool bus_error = false;
	int exit;

	if (machine->inject)
		control |= KVM_GUESTDBG_ENABLE;
	/* The end of stepping takes TF away, and does not know that it was the guest's. */
	if (machine->guest_tf && vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP) {
		vcpu_debug(vcpu, control & ~machine->inject, machine->points.debugreg, false);
		vcpu->regs->rflags |= RFLAGS_TF;
		vcpu->regs_dirty = true;
	}
	/* Behind that, since writing the registers drops an exception that is to be injected. */
	exit = vcpu_debug(vcpu, control, machine->points.debugreg, machine->inject);
	machine->inject = 0;
	if (!exit)
		exit = irq_offer(machine);
	if (!exit)
		exit = guard_apply(&machine->guard);
	if (!exit)
		exit = vcpu_enter(vcpu);
	guard_release(&machine->guard);
	machine->guest_tf = vcpu->regs->rflags & RFLAGS_TF;
	switch (exit) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
		if (string_io_serve(machine, exit, stop, &outcome))
			return outcome;
		exit_serve_io(machine, exit, &bus_error);
		if (!bus_error && !machine->bios.trapped && machine->request == MACHINE_GO_ON)
			return GOES_ON;
		if (exit_complete_io(machine, &bus_error, stop) == STOPPED)
			return STOPPED;
		if (!bus_error)
			return GOES_ON;
		return exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_BUS);
	case KVM_EXIT_DEBUG:
		return debug_exit(machine, stop);
	case -EINTR:
	case KVM_EXIT_INTR:
		exit = exit_take_back(machine);
		if (exit)
			break;
		if (clock_was_kicked()) {
			clock_kick(machine);
			free_steps_await_window(machine);
		}
		return INTERRUPTED;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		return GOES_ON;
	case KVM_EXIT_HLT:
		return halted(machine, stop);
	case -EFAULT:
		/* At an instruction that uses a guarded page; only a step can tell what it does there. */
		if (!machine->guard.count)
			break;
		exit = exit_take_back(machine);
		if (exit)
			break;
		machine->to_step = 1;
		return GOES_ON;
	case KVM_EXIT_INTERNAL_ERROR:
	case KVM_EXIT_SHUTDOWN:
		if (exit == KVM_EXIT_SHUTDOWN && vcpu_cpl(vcpu) == 3 && !machine->findings.done && !prepare(machine))
			break;
		if (!exit_is_unemulated(machine, exit)) {
			if (exit == KVM_EXIT_SHUTDOWN && bios_resume(machine))
				return GOES_ON;
			break;
		}
		if (at_trap(machine)) {
			vcpu->regs_dirty = true; /* drops the #UD that KVM may hold back */
			return hit(machine, stop);
		}
		if (carry_out(machine))
			return GOES_ON;
		break;
	}
	return exit_fail(machine, exit, stop);
}

/* A client that wants the guest to stop, or the end of the program. */
static enum outcome attend(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	bool bus_error = false;

	if (ending < 0 && !asked && !(machine->stub && gdbstub_poll(machine->stub)))
		return GOES_ON;
	if (exit_complete_io(machine, &bus_error, stop) == STOPPED)
		return STOPPED;
	if (ending >= 0) {
		stop->status = ending;
		return exit_report(stop, GDBSTUB_EXITED, GDBSTUB_SIGNAL_NONE);
	}
	bios_rewind(machine);
	return exit_report(stop, GDBSTUB_INTERRUPTED, GDBSTUB_SIGNAL_INT);
}

/* Stepping is slow, and where it does not work either, that is the end of it. Said once. */
static void arm(struct machine *machine)
{
	bool can_step = probe_abilities(&machine->findings, &machine->vcpu)->steps;
	bool exact = machine->exact && machine->points.count && can_step;
	enum points_armed armed = points_arm(machine, exact);

	if (armed == POINTS_STEP && !exact && !machine->told_of_stepping) {
		machine->told_of_stepping = true;
		machine_say(machine, can_step ? "the guest runs slowly: on this host some of these "
						"breakpoints or watchpoints can only be found by "
						"stepping"
					      : "on this host some of these breakpoints or watchpoints "
						"cannot be found in the code that runs now");
	}
	if (armed != POINTS_STEP && machine->points.may_lose_upper && !machine->told_of_upper) {
		machine->told_of_upper = true;
		machine_say(machine, "should the guest go to 64-bit code, some breakpoints in its upper half may be missed: "
				     "they are more than can be waited for; 'monitor exact on' misses none");
	}
	machine->to_step = armed == POINTS_STEP && can_step ? STEPS_TO_ARM : 0;
	machine->points.aliases.count = 0;
	if (machine->to_step)
		aliases_note(machine);
}

/*
 * Points that are in no debug register may not be where the guest goes now, if it has overwritten them or changed
 * its page tables. To be called behind each enter(); *outcome is what that has returned.
 */
static void keep_armed(struct machine *machine, enum outcome *outcome, struct gdbstub_stop *stop)
{
	bool bus_error = false;

	if (traps_renew(&machine->vm) && !machine->told_of_overwriting) {
		machine->told_of_overwriting = true;
		machine_say(machine, "the guest has overwritten breakpoints in its code: some may have been missed; "
				     "'monitor exact on' misses none");
	}
	if (!places_have_moved(machine))
		return;
	if (!machine->told_of_places) {
		machine->told_of_places = true;
		machine_say(machine, "the guest has changed its page tables: some breakpoints or watchpoints may "
				     "have been missed; 'monitor exact on' misses none");
	}
	/* What is stepped is armed afterwards. */
	if (*outcome == STOPPED || machine->to_step)
		return;
	if (exit_complete_io(machine, &bus_error, stop) == STOPPED) {
		*outcome = STOPPED;
		return;
	}
	arm(machine);
	if (machine->to_step && !machine->at_point &&
	    points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED)
		*outcome = hit(machine, stop);
}

static enum outcome step_to_point(struct machine *machine, bool interrupts, struct gdbstub_stop *stop)
{
	enum outcome outcome = step(machine, interrupts, stop);
	uint64_t alias;

	if (outcome != STEPPED)
		return outcome;
	clock_advance(machine, CLOCK_STEP);
	if (machine->life == MACHINE_HALTED)
		return exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED ||
	    (machine->points.aliases.count && aliases_at_pc(machine, &alias)))
		return hit(machine, stop);
	return GOES_ON;
}

/*
 * Whether RF can take the guest from the breakpoint where it is. KVM carries out some instructions without clearing
 * RF, which the next breakpoint would be passed with as well: not those, and not one right before another.
 */
static bool can_pass(const struct machine *machine)
{
	const struct points *points = &machine->points;
	uint64_t pc = vcpu_pc(&machine->vcpu);
	struct instruction instruction;
	bool held = false, before_another = false;

	if (!probe_abilities(&machine->findings, &machine->vcpu)->passes || machine->to_step || machine->inject ||
	    machine->guest_tf || at_trap(machine))
		return false;
	decode_next(&machine->vcpu, &instruction);
	if (instruction.class != CLASS_PLAIN || instruction.fpu || (instruction.may_fault && !instruction.accesses))
		return false;
	for (int n = 0; n < VCPU_DEBUG_REGISTERS; n++) {
		held |= points->held[n] && points->held[n]->addr == pc;
		before_another |= points->held[n] && points->held[n]->addr == pc + instruction.length;
	}
	return held && !before_another;
}

/* Away from the point that the guest is at, whose hit is over: it has been reported, or was not to be. */
static enum outcome leave_point(struct machine *machine, struct gdbstub_stop *stop)
{
	enum outcome outcome;

	machine->at_point = false;
	if (can_pass(machine)) {
		vcpu_pass_breakpoint(&machine->vcpu);
		return GOES_ON;
	}
	outcome = step_to_point(machine, false, stop);
	if (outcome == INTERRUPTED)
		machine->at_point = true;
	/* The step has taken away what was planted; where everything is stepped, nothing needs it. */
	else if (outcome != STOPPED && (!machine->to_step || !--machine->to_step))
		arm(machine);
	return outcome;
}

/*
 * A point at the program counter: the client has been told of this stop, so it wants to go on from it; but after a
 * `jump` gdb sets its points behind the write of the program counter and wants to be stopped at once.
 */
static enum outcome begin_at_point(struct machine *machine, struct gdbstub_stop *stop)
{
	enum outcome outcome = GOES_ON;

	machine->at_point = points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED;
	if (machine->at_point && machine->hit_here) {
		machine->at_point = false;
		outcome = hit(machine, stop);
	}
	if (outcome == STOPPED)
		return outcome;
	arm(machine);
	/* Where a breakpoint was reached by another address it is left likewise. */
	machine->at_point |= !machine->to_step && at_trap(machine);
	return outcome;
}

static void run_freely(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	enum outcome outcome;
	bool begins;

	if (asked && attend(machine, true, stop) == STOPPED)
		return;
	outcome = begin_at_point(machine, stop);
	while (outcome != STOPPED) {
		screen_update(machine, false);
		if (vcpu_was_kicked(&machine->vcpu) && attend(machine, false, stop) == STOPPED)
			return;
		begins = free_steps_of_user_code(machine);
		if (machine->at_point) {
			outcome = leave_point(machine, stop);
			continue;
		}
		if (begins && points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED) {
			outcome = hit(machine, stop);
			continue;
		}
		if (!machine->to_step) {
			outcome = enter(machine, stop);
			keep_armed(machine, &outcome, stop);
			continue;
		}
		outcome = step_to_point(machine, true, stop);
		/* The code, or the page, that a breakpoint waits for may be there now. */
		if (outcome != INTERRUPTED && !--machine->to_step && outcome != STOPPED)
			arm(machine);
	}
}

static bool is_repeated(const struct machine *machine)
{
	struct instruction instruction;

	decode_next(&machine->vcpu, &instruction);
	return instruction.repeated;
}

static void run_step(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	uint64_t at = vcpu_pc(&machine->vcpu);
	enum outcome outcome = INTERRUPTED;

	exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_TRAP);
	while (outcome == INTERRUPTED ||
	       (outcome == STEPPED && machine->whole_repeats && at == vcpu_pc(&machine->vcpu) &&
		is_repeated(machine))) {
		if ((asked || vcpu_was_kicked(&machine->vcpu)) &&
		    attend(machine, asked, stop) == STOPPED)
			return;
		outcome = step(machine, machine->step_interrupts, stop);
	}
	/*
	 * An exception that the guest has left to the BIOS is the end of the run, and is reported where it was raised: a
	 * debugger that steps over calls would come back there, and go on for ever.
	 */
	for (int i = 0; i < BIOS_STUB_STEPS && outcome == STEPPED && (i || (machine->raised && bios_ends_exception(machine)));
	     i++)
		outcome = step(machine, false, stop);
}

/*
 * A step over what the instruction calls or repeats, until that has come back: with no less on the stack than
 * now, or it is a deeper call of the same place.
 */
static void run_over(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	const struct vcpu *vcpu = &machine->vcpu;
	struct points *points = &machine->points;
	struct step_over over = {.active = true, .sp = vcpu_sp(vcpu)};
	struct instruction instruction;

	decode_next(vcpu, &instruction);
	over.pc = vcpu_pc(vcpu) + instruction.length;
	over.has_point = points_at(points, over.pc) == GDBSTUB_STOPPED;
	if ((!instruction.call && instruction.class != CLASS_INT && !instruction.repeated) ||
	    (over.has_point && points_insert(points, GDBSTUB_POINT_HARDWARE, over.pc, 0))) {
		run_step(machine, asked, stop);
		return;
	}
	machine->hit_here = false;
	machine->over = over;
	run_freely(machine, asked, stop);
	machine->over.active = false;
	if (over.has_point)
		points_remove(points, GDBSTUB_POINT_HARDWARE, over.pc, 0);
}

/* A reset, carried out. */
static void begin_anew(struct machine *machine)
{
	char why[150];

	if (!machine_restart(machine, why, sizeof(why)))
		return;
	machine->life = MACHINE_DEAD;
	machine->fatal_signal = GDBSTUB_SIGNAL_SEGV;
	snprintf(machine->epitaph, sizeof(machine->epitaph), "it could not begin anew: %s", why);
}

/* Over as many resets as are not to stop the guest. */
static void run_on(struct machine *machine, bool asked, struct gdbstub_stop *stop)
{
	do {
		if (machine->begins_anew)
			begin_anew(machine);
		if (machine->life == MACHINE_DEAD) {
			machine_say(machine, "%s", machine->epitaph);
			exit_report(stop, GDBSTUB_STOPPED, machine->fatal_signal);
			return;
		}
		machine->life = MACHINE_ALIVE;
		if (machine->is_pc)
			clock_run(machine);
		run_freely(machine, asked, stop);
		clock_stop();
		asked = false;
	} while (machine->begins_anew && ending < 0);
}

void machine_run(struct machine *machine, enum gdbstub_resume how, struct gdbstub_stop *stop)
{
	bool asked = false, prepared = true;

	stop->thread = 1;
	stop->halted = false;
	in_run = 1;
	machine->catches.paused = how == GDBSTUB_STEP && !machine->step_over;
	if (!machine->has_terminal)
		screen_begin(machine);
	/* gdb has printed its prompt, and perhaps more, since the guest's last text. */
	if (machine->stub && gdbstub_connected(machine->stub) && !machine->console.owned)
		machine->console.in_line = false;
	if (!machine->findings.done && (how == GDBSTUB_STEP || machine->points.count))
		prepared = prepare(machine);
	/* Not before: whoever waits for the start does not wait for this. */
	if (!machine->has_run) {
		machine->has_run = true;
		resident_drop_libraries();
	}
	if (machine->stub && (how == GDBSTUB_CONTINUE || machine->step_over))
		asked = gdbstub_poll(machine->stub);
	if (machine->reset_due)
		begin_anew(machine);
	if (machine->life == MACHINE_DEAD) {
		machine_say(machine, "%s; the guest is dead", machine->epitaph);
		exit_report(stop, GDBSTUB_STOPPED, machine->fatal_signal);
	} else if (!prepared) {
		exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	} else if (how == GDBSTUB_STEP) {
		if (machine->step_over)
			run_over(machine, asked, stop);
		else
			run_step(machine, asked, stop);
		machine->halt_stepped = stop->halted = machine->life == MACHINE_HALTED;
	} else if (machine->life == MACHINE_HALTED &&
		   vcpu_pc(&machine->vcpu) == machine->halted_at && !machine->pc_moved && !irq_wakes(machine)) {
		if (machine->halt_stepped)
			machine->halt_stepped = false;
		else
			exit_halt(machine);
		exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	} else {
		input_start(machine);
		run_on(machine, asked, stop);
		input_stop();
	}
	screen_update(machine, true);
	if (stop->reason >= GDBSTUB_WATCH && stop->reason <= GDBSTUB_AWATCH)
		points_count_watch(&machine->points, stop->reason, stop->addr);
	machine->pc_moved = machine->hit_here = machine->step_over = false;
	in_run = 0;
	/* For a signal that came after the last look and found the machine running. */
	if (ending >= 0) {
		stop->status = ending;
		exit_report(stop, GDBSTUB_EXITED, GDBSTUB_SIGNAL_NONE);
	}
}
