#define _GNU_SOURCE
#include "exits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gdbstub.h"
#include "memory.h"
#include "vcpu.h"

/* KVM_EXIT_INTERNAL_ERROR's suberrors. */
static const char *const internal_errors[] = {
	[KVM_INTERNAL_ERROR_EMULATION] = "the host cannot emulate the instruction",
	[KVM_INTERNAL_ERROR_SIMUL_EX] = "an exception came while another was delivered",
	[KVM_INTERNAL_ERROR_DELIVERY_EV] = "an exception or interrupt could not be delivered",
	[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an exit came that KVM does not expect",
};

static void set(struct exit_report *report, int signal, bool dead, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void set(struct exit_report *report, int signal, bool dead, const char *format, ...)
{
	va_list args;

	report->signal = signal;
	report->dead = dead;
	va_start(args, format);
	vsnprintf(report->text, sizeof(report->text), format, args);
	va_end(args);
}

static void describe_internal(const struct vcpu *vcpu, const char *where, struct exit_report *report)
{
	uint32_t suberror = vcpu->run->internal.suberror;
	char bytes[3 * 8 + 1] = "";
	uint8_t code[8];
	ssize_t n;

	if (suberror == KVM_INTERNAL_ERROR_EMULATION) {
		n = memory_read(vcpu, vcpu_pc(vcpu), code, sizeof(code));
		for (ssize_t i = 0; i < n; i++)
			sprintf(bytes + 3 * i, " %02x", code[i]);
		set(report, GDBSTUB_SIGNAL_ILL, false,
		    n > 0 ? "the host's KVM cannot emulate the instruction at %s:%s"
			  : "there is no memory to fetch the instruction at %s from%s",
		    where, bytes);
		return;
	}
	if (suberror < sizeof(internal_errors) / sizeof(*internal_errors) && internal_errors[suberror])
		set(report, GDBSTUB_SIGNAL_SEGV, true, "KVM internal error at %s: %s", where,
		    internal_errors[suberror]);
	else
		set(report, GDBSTUB_SIGNAL_SEGV, true, "KVM internal error %u at %s", suberror, where);
}

void exit_describe(const struct vcpu *vcpu, int exit, struct exit_report *report)
{
	const struct kvm_run *run = vcpu->run;
	char where[32];

	vcpu_where(vcpu, where, sizeof(where));
	switch (exit) {
	case KVM_EXIT_SHUTDOWN:
		/* AMD processors reset the CPU before KVM can look: this is its state after INIT. */
		if (vcpu->regs->rip == 0xfff0 && vcpu->sregs->cs.selector == 0xf000)
			set(report, GDBSTUB_SIGNAL_SEGV, true,
			    "triple fault; the processor has reset itself, so the registers are not "
			    "those of the fault");
		else
			set(report, GDBSTUB_SIGNAL_SEGV, true, "triple fault at %s", where);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		set(report, GDBSTUB_SIGNAL_SEGV, true,
		    "the processor refuses the guest's state at %s (hardware reason 0x%llx): %s", where,
		    (unsigned long long)run->fail_entry.hardware_entry_failure_reason,
		    "look at the segment and control registers");
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		describe_internal(vcpu, where, report);
		break;
	case KVM_EXIT_UNKNOWN:
		set(report, GDBSTUB_SIGNAL_SEGV, true, "unknown exit at %s (hardware reason 0x%llx)",
		    where, (unsigned long long)run->hw.hardware_exit_reason);
		break;
	case KVM_EXIT_EXCEPTION:
		set(report, GDBSTUB_SIGNAL_SEGV, true,
		    "exception %u with error code 0x%x at %s, which KVM does not handle",
		    run->ex.exception, run->ex.error_code, where);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		set(report, GDBSTUB_SIGNAL_SEGV, true, "system event %u at %s", run->system_event.type,
		    where);
		break;
	case -EFAULT:
		set(report, GDBSTUB_SIGNAL_BUS, false,
		    "the host cannot give the memory that the instruction at %s uses", where);
		break;
	default:
		if (exit < 0)
			set(report, GDBSTUB_SIGNAL_SEGV, true, "KVM cannot run the guest at %s: %s",
			    where, strerror(-exit));
		else
			set(report, GDBSTUB_SIGNAL_SEGV, true, "KVM exit %d at %s, which kvmgdb does not handle",
			    exit, where);
	}
}
