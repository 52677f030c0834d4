#define _GNU_SOURCE
#include "exits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "port.h"
#include "trap.h"

struct exit_meaning {
	int signal;	/* enum gdbstub_signal */
	bool dead;	/* the guest cannot go on */
	char text[200]; /* a sentence without a period, to stand on a line of its own */
};

/* KVM_EXIT_INTERNAL_ERROR's suberrors. */
static const char *const internal_errors[] = {
	[KVM_INTERNAL_ERROR_EMULATION] = "the host cannot emulate the instruction",
	[KVM_INTERNAL_ERROR_SIMUL_EX] = "an exception came while another was delivered",
	[KVM_INTERNAL_ERROR_DELIVERY_EV] = "an exception or interrupt could not be delivered",
	[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an exit came that KVM does not expect",
};

static void set(struct exit_meaning *meaning, int signal, bool dead, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void set(struct exit_meaning *meaning, int signal, bool dead, const char *format, ...)
{
	va_list args;

	meaning->signal = signal;
	meaning->dead = dead;
	va_start(args, format);
	vsnprintf(meaning->text, sizeof(meaning->text), format, args);
	va_end(args);
}

static void describe_internal(const struct vcpu *vcpu, const char *where, struct exit_meaning *meaning)
{
	uint32_t suberror = vcpu->run->internal.suberror;
	char bytes[3 * 8 + 1] = "";
	uint8_t code[8];
	ssize_t n;

	if (suberror == KVM_INTERNAL_ERROR_EMULATION) {
		n = memory_read(vcpu, vcpu_pc(vcpu), code, sizeof(code));
		for (ssize_t i = 0; i < n; i++)
			sprintf(bytes + 3 * i, " %02x", code[i]);
		set(meaning, GDBSTUB_SIGNAL_ILL, false,
		    n > 0 ? "the host's KVM cannot emulate the instruction at %s:%s"
			  : "there is no memory to fetch the instruction at %s from%s",
		    where, bytes);
		return;
	}
	if (suberror < sizeof(internal_errors) / sizeof(*internal_errors) && internal_errors[suberror])
		set(meaning, GDBSTUB_SIGNAL_SEGV, true, "KVM internal error at %s: %s", where,
		    internal_errors[suberror]);
	else
		set(meaning, GDBSTUB_SIGNAL_SEGV, true, "KVM internal error %u at %s", suberror, where);
}

static void describe(const struct vcpu *vcpu, int exit, struct exit_meaning *meaning)
{
	const struct kvm_run *run = vcpu->run;
	char where[32];

	vcpu_where(vcpu, where, sizeof(where));
	switch (exit) {
	case KVM_EXIT_SHUTDOWN:
		/* AMD processors reset the CPU before KVM can look: this is its state after INIT. */
		if (vcpu->regs->rip == 0xfff0 && vcpu->sregs->cs.selector == 0xf000)
			set(meaning, GDBSTUB_SIGNAL_SEGV, true,
			    "triple fault; the processor has reset itself, so the registers are not "
			    "those of the fault");
		else
			set(meaning, GDBSTUB_SIGNAL_SEGV, true, "triple fault at %s", where);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		/* Mend them, and it can go on. */
		set(meaning, GDBSTUB_SIGNAL_SEGV, false,
		    "the processor refuses the guest's state at %s (hardware reason 0x%llx): %s", where,
		    (unsigned long long)run->fail_entry.hardware_entry_failure_reason,
		    "look at the segment and control registers");
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		describe_internal(vcpu, where, meaning);
		break;
	case KVM_EXIT_UNKNOWN:
		set(meaning, GDBSTUB_SIGNAL_SEGV, true, "unknown exit at %s (hardware reason 0x%llx)",
		    where, (unsigned long long)run->hw.hardware_exit_reason);
		break;
	case KVM_EXIT_EXCEPTION:
		set(meaning, GDBSTUB_SIGNAL_SEGV, true,
		    "exception %u with error code 0x%x at %s, which KVM does not handle",
		    run->ex.exception, run->ex.error_code, where);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		set(meaning, GDBSTUB_SIGNAL_SEGV, true, "system event %u at %s", run->system_event.type,
		    where);
		break;
	case -EFAULT:
		set(meaning, GDBSTUB_SIGNAL_BUS, false,
		    "the host cannot give the memory that the instruction at %s uses", where);
		break;
	default:
		if (exit < 0)
			set(meaning, GDBSTUB_SIGNAL_SEGV, true, "KVM cannot run the guest at %s: %s",
			    where, strerror(-exit));
		else
			set(meaning, GDBSTUB_SIGNAL_SEGV, true, "KVM exit %d at %s, which kvmgdb does not handle",
			    exit, where);
	}
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

enum outcome exit_fail(struct machine *machine, int exit, struct gdbstub_stop *stop)
{
	struct exit_meaning what;

	describe(&machine->vcpu, exit, &what);
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

	/* KVM has carried out an instruction itself, and has found the page guarded. */
	if (host && run->mmio.len <= left && run->mmio.len <= sizeof(run->mmio.data)) {
		if (run->mmio.is_write)
			traps_write(&machine->vm, gpa, host, run->mmio.data, run->mmio.len);
		else
			memcpy(run->mmio.data, host, run->mmio.len);
		return false;
	}
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	machine_say(machine, "%s of %u byte%s at physical address 0x%llx, where there is no memory",
		    run->mmio.is_write ? "write" : "read", run->mmio.len,
		    run->mmio.len == 1 ? "" : "s",
		    (unsigned long long)run->mmio.phys_addr);
	return machine->stub && gdbstub_connected(machine->stub);
}

void exit_serve_io(struct machine *machine, int exit, bool *bus_error)
{
	if (exit == KVM_EXIT_IO)
		port_exit(machine);
	else
		*bus_error |= serve_mmio(machine);
	machine->vcpu.io_pending = true;
}

enum outcome exit_complete_io(struct machine *machine, bool *bus_error, struct gdbstub_stop *stop)
{
	while (machine->vcpu.io_pending) {
		int exit = vcpu_complete(&machine->vcpu);

		switch (exit) {
		case -EINTR:
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
