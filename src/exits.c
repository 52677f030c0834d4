#define _GNU_SOURCE
#include "exits.h"

#include <errno.h>
#include <string.h>

#include "bios/bios.h"
#include "devices/devices.h"
#include "exit_meaning.h"
#include "interrupt.h"
#include "options.h"
#include "trap.h"

#define NO_MEMORY_SHOWN 16 /* accesses, to nobody who could stop the guest */
#define KVM_NO_SUCH_HYPERCALL (-1000ll) /* -KVM_ENOSYS */

/* If the guest goes on: what KVM takes for an answer, where it waits for one. */
static void decline(struct kvm_run *run, int exit)
{
	if (exit == KVM_EXIT_HYPERCALL)
		run->hypercall.ret = (uint64_t)KVM_NO_SUCH_HYPERCALL;
	else if (exit == KVM_EXIT_X86_RDMSR || exit == KVM_EXIT_X86_WRMSR)
		run->msr.error = 1; /* #GP */
}

enum outcome exit_report(struct gdbstub_stop *stop, enum gdbstub_reason reason, int signal)
{
	stop->reason = reason;
	stop->signal = (enum gdbstub_signal)signal;
	return STOPPED;
}

void exit_halt(struct machine *machine)
{
	char where[32];

	machine->life = MACHINE_HALTED;
	machine->halted_at = vcpu_pc(&machine->vcpu);
	machine->halt_stepped = false;
	machine_say(machine, "halted at %s", vcpu_where(&machine->vcpu, where, sizeof(where)));
}

bool exit_is_unemulated(const struct machine *machine, int exit)
{
	if (exit == KVM_EXIT_INTERNAL_ERROR)
		return machine->vcpu.run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION;
	return exit == KVM_EXIT_SHUTDOWN && machine->findings.steps_stay_armed && vcpu_cpl(&machine->vcpu) == 3;
}

enum outcome exit_fail(struct machine *machine, int exit, struct gdbstub_stop *stop)
{
	struct exit_meaning what;

	exit_describe(&machine->vcpu, exit, &what);
	decline(machine->vcpu.run, exit);
	if (what.dead) {
		machine->life = MACHINE_DEAD;
		machine->fatal_signal = what.signal;
		strcpy(machine->epitaph, what.text);
	}
	/* After an instruction that it cannot emulate, KVM may hold a #UD back: this drops it. */
	machine->vcpu.regs_dirty = true;
	machine_say(machine, "%s", what.text);
	return exit_report(stop, GDBSTUB_STOPPED, what.signal);
}

/*
 * An access to where there is no memory. Nothing answers: a read gives ones, a write is lost. A
 * debugger is told, since it is a mistake more often than not.
 */
static bool serve_mmio(struct machine *machine)
{
	struct kvm_run *run = machine->vcpu.run;
	uint64_t gpa = run->mmio.phys_addr, left;
	void *host = vm_host(&machine->vm, gpa, &left);
	bool with_gdb = machine->stub && gdbstub_connected(machine->stub);
	unsigned int *told = &machine->system.no_memory_told;

	if (vm_in_window(&machine->vm, gpa, &left) && run->mmio.len <= left &&
	    run->mmio.len <= sizeof(run->mmio.data)) {
		vm_access_window(&machine->vm, gpa, run->mmio.data, run->mmio.len,
				 run->mmio.is_write ? WINDOW_WRITE : WINDOW_READ);
		return false;
	}
	/* KVM has carried out an instruction itself, and has found the page guarded. */
	if (machine->guard.count && host && run->mmio.len <= left &&
	    run->mmio.len <= sizeof(run->mmio.data)) {
		if (run->mmio.is_write)
			traps_write(&machine->vm, gpa, host, run->mmio.data, run->mmio.len);
		else
			memcpy(run->mmio.data, host, run->mmio.len);
		return false;
	}
	if (run->mmio.is_write && vm_is_rom(&machine->vm, gpa))
		return false;
	if (run->mmio.len <= sizeof(run->mmio.data) &&
	    devices_serve_memory(machine, gpa, run->mmio.data, run->mmio.len, run->mmio.is_write))
		return false;
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	if (with_gdb || *told < NO_MEMORY_SHOWN)
		machine_say(machine, "%s of %u byte%s at physical address 0x%llx, where there is no memory",
			    run->mmio.is_write ? "write" : "read", run->mmio.len,
			    run->mmio.len == 1 ? "" : "s",
			    (unsigned long long)run->mmio.phys_addr);
	else if (*told == NO_MEMORY_SHOWN)
		machine_say(machine, "more accesses to where there is no memory are not shown");
	*told += *told <= NO_MEMORY_SHOWN;
	return with_gdb;
}

int exit_take_back(struct machine *machine)
{
	int vector, exception, result = vcpu_take_back(&machine->vcpu, &vector, &exception);

	if (vector >= 0)
		machine->interrupt = vector;
	/* Alone of all it may belong to the instruction before. */
	if (exception == EXCEPTION_DB)
		machine->inject = KVM_GUESTDBG_INJECT_DB;
	return result;
}

void exit_serve_io(struct machine *machine, int exit, bool *bus_error)
{
	if (exit == KVM_EXIT_IO)
		devices_serve(machine);
	else
		*bus_error |= serve_mmio(machine);
	machine->vcpu.io_pending = true;
}

/*
 * Whether the guest goes on behind a reset. Without anybody who could do something else the next time, it would do the
 * same again and again.
 */
static bool begins_anew(const struct machine *machine)
{
	if (machine->options->on_reset != OPTIONS_RESET_AUTO)
		return machine->options->on_reset == OPTIONS_RESET_RUN;
	return machine->clock.real && !(machine->stub && gdbstub_connected(machine->stub));
}

/* The guest has reset the machine, or switched it off. */
static enum outcome grant(struct machine *machine, struct gdbstub_stop *stop)
{
	bool off = machine->request == MACHINE_OFF;
	char where[32];

	machine->request = MACHINE_GO_ON;
	if (!off && bios_resume(machine))
		return GOES_ON;
	machine->reset_due = !off;
	machine->begins_anew = !off && begins_anew(machine);
	machine_say(machine, "%s at %s%s", off ? "powered off" : "reset",
		    vcpu_where(&machine->vcpu, where, sizeof(where)),
		    off || !machine->stub ? "" : ": the guest begins anew when it goes on");
	machine->life = MACHINE_HALTED;
	machine->halted_at = vcpu_pc(&machine->vcpu);
	if (!off)
		return exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	stop->status = EXIT_HALTED;
	return exit_report(stop, GDBSTUB_EXITED, GDBSTUB_SIGNAL_NONE);
}

static enum outcome complete(struct machine *machine, bool *bus_error, struct gdbstub_stop *stop)
{
	while (machine->vcpu.io_pending) {
		int exit = vcpu_complete(&machine->vcpu);

		switch (exit) {
		case -EINTR:
		case KVM_EXIT_INTR:
			return GOES_ON;
		case KVM_EXIT_IO:
		case KVM_EXIT_MMIO:
			exit_serve_io(machine, exit, bus_error);
			break;
		case KVM_EXIT_DEBUG:
			return STEPPED;
		default:
			return exit_fail(machine, exit, stop);
		}
	}
	return GOES_ON;
}

enum outcome exit_complete_io(struct machine *machine, bool *bus_error, struct gdbstub_stop *stop)
{
	enum outcome outcome = complete(machine, bus_error, stop);

	if (outcome != STOPPED && machine->bios.trapped && bios_serve(machine, stop) == STOPPED)
		return STOPPED;
	if (outcome != STOPPED && machine->request != MACHINE_GO_ON)
		return grant(machine, stop);
	return outcome;
}
