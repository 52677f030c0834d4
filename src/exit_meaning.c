#define _GNU_SOURCE
#include "exit_meaning.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "gdbstub.h"
#include "memory.h"

#define INSTRUCTION_MAX 15 /* bytes */
#define INTERNAL_DATA_SHOWN 4

/* Those that came behind Linux 5.15, with what they bring at the place of the others' in struct kvm_run. */
#define EXIT_NOTIFY 37
#define EXIT_MEMORY_FAULT 39
#define NOTIFY_CONTEXT_INVALID 1u
#define SYSTEM_EVENT_WAKEUP 4
#define SYSTEM_EVENT_SUSPEND 5
#define SYSTEM_EVENT_SEV_TERM 6
#define SYSTEM_EVENT_TDX_FATAL 7

struct memory_fault {
	uint64_t flags, gpa, size;
};

/* VMX's basic exit reasons, with the bit that says that the entry has failed (SDM volume 3, appendix C). */
#define VMX_INVALID_STATE 0x80000021u
#define VMX_MSR_LOAD 0x80000022u
#define VMX_MACHINE_CHECK 0x80000029u
#define SVM_INVALID 0xffffffffu /* VMEXIT_INVALID; its upper half is not always there */

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

/* The name of a number, or NULL. */
#define NAME(names, number) ((number) < sizeof(names) / sizeof(*(names)) ? (names)[number] : NULL)

/* --- KVM_EXIT_INTERNAL_ERROR --- */

static const char *const internal_errors[] = {
	[KVM_INTERNAL_ERROR_SIMUL_EX] = "an exception came while another was delivered",
	[KVM_INTERNAL_ERROR_DELIVERY_EV] = "an exception or interrupt could not be delivered",
	[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an exit came that KVM does not expect",
};

/* What KVM has fetched itself; returns how many bytes. It looks ahead: not all are the instruction's. */
static ssize_t prefetched(const struct kvm_run *run, uint8_t code[INSTRUCTION_MAX])
{
	/* Flags, and 16 bytes behind them. */
	if (run->emulation_failure.ndata < 3 ||
	    !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) ||
	    run->emulation_failure.insn_size > INSTRUCTION_MAX)
		return 0;
	memcpy(code, run->emulation_failure.insn_bytes, run->emulation_failure.insn_size);
	return run->emulation_failure.insn_size;
}

static void describe_emulation(const struct vcpu *vcpu, const char *where, struct exit_meaning *meaning)
{
	char bytes[3 * INSTRUCTION_MAX + 1] = "", why[100];
	struct instruction instruction;
	uint8_t code[INSTRUCTION_MAX];
	uint64_t pc = vcpu_pc(vcpu);
	ssize_t n = memory_read(vcpu, pc, code, sizeof(code));
	bool is_interrupt;

	decode_next(vcpu, &instruction);
	if (instruction.length && n >= instruction.length) {
		n = instruction.length;
	} else if (n < INSTRUCTION_MAX) {
		memory_why(vcpu, pc, INSTRUCTION_MAX, why, sizeof(why));
		n = prefetched(vcpu->run, code);
		if (!n) {
			set(meaning, GDBSTUB_SIGNAL_BUS, false, "cannot fetch the instruction at %s: %s",
			    where, why);
			return;
		}
	}
	for (ssize_t i = 0; i < n; i++)
		sprintf(bytes + 3 * i, " %02x", code[i]);
	/* These are carried out in its place (emulate.h), but for the two. */
	is_interrupt = (instruction.class == CLASS_INT || instruction.class == CLASS_IRET) && !vcpu_is_real(vcpu);
	set(meaning, GDBSTUB_SIGNAL_ILL, false, "the host's KVM cannot emulate the instruction at %s:%s%s",
	    where, bytes, is_interrupt ? "; the CPU would raise an exception there, or switch tasks" : "");
}

static void describe_internal(const struct vcpu *vcpu, const char *where, struct exit_meaning *meaning)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t suberror = run->internal.suberror;
	const char *name = NAME(internal_errors, suberror);
	char number[16], data[sizeof(", data") + 19 * INTERNAL_DATA_SHOWN] = "";
	size_t len = 0;

	if (suberror == KVM_INTERNAL_ERROR_EMULATION) {
		describe_emulation(vcpu, where, meaning);
		return;
	}
	/* For a report to KVM's authors: it differs by processor and version. */
	for (uint32_t i = 0; i < run->internal.ndata && i < INTERNAL_DATA_SHOWN; i++)
		len += (size_t)sprintf(data + len, "%s 0x%llx", i ? "" : ", data",
				       (unsigned long long)run->internal.data[i]);
	snprintf(number, sizeof(number), "%u", suberror);
	set(meaning, GDBSTUB_SIGNAL_SEGV, true, "KVM internal error at %s: %s%s", where,
	    name ? name : number, data);
}

/* --- The other exits --- */

/*
 * Whether the instruction sets CR0.PG in 32-bit code with all else as it must be. KVM's back ends that emulate guest
 * code may know no such paging: it is the #GP by which they say so.
 */
static bool is_refused_paging(const struct vcpu *vcpu)
{
	const struct kvm_sregs *sregs = vcpu->sregs;
	struct kvm_regs regs = *vcpu->regs;
	uint8_t code[3];
	uint64_t value;

	if (vcpu_mode(vcpu) != MODE_32 || sregs->efer & EFER_LME || sregs->cr4 & CR4_PAE ||
	    (sregs->cr0 & (CR0_PE | CR0_PG)) != CR0_PE)
		return false;
	if (memory_read(vcpu, vcpu_pc(vcpu), code, sizeof(code)) != sizeof(code) || code[0] != 0x0f ||
	    code[1] != 0x22 || (code[2] & 0xf8) != 0xc0) /* MOV to CR0 */
		return false;
	value = *vcpu_general(&regs, code[2] & 7u);
	return (value & (CR0_PE | CR0_PG)) == (CR0_PE | CR0_PG) && !(value & CR0_NW);
}

static void describe_shutdown(const struct vcpu *vcpu, const char *where, struct exit_meaning *meaning)
{
	const struct kvm_segment *cs = &vcpu->sregs->cs;

	/* AMD processors reset the CPU before KVM can look: this is its state after INIT. */
	if (vcpu->regs->rip == 0xfff0 && cs->selector == 0xf000 && cs->base == 0xffff0000 &&
	    !(vcpu->sregs->cr0 & CR0_PE))
		set(meaning, GDBSTUB_SIGNAL_SEGV, true,
		    "triple fault; the processor has reset itself, so the registers are not those of "
		    "the fault");
	else
		set(meaning, GDBSTUB_SIGNAL_SEGV, true, "triple fault at %s%s", where,
		    is_refused_paging(vcpu) ? ": the host's KVM does not let 32-bit code switch paging on" : "");
}

/* Not dead: with other registers it can go on. */
static void describe_refusal(const struct vcpu *vcpu, const char *where, struct exit_meaning *meaning)
{
	unsigned long long reason = vcpu->run->fail_entry.hardware_entry_failure_reason;

	switch ((uint32_t)reason) {
	case VMX_INVALID_STATE:
	case SVM_INVALID:
		set(meaning, GDBSTUB_SIGNAL_SEGV, false,
		    "the processor refuses the guest's state at %s (hardware reason 0x%llx): look at the "
		    "segment and control registers",
		    where, reason);
		break;
	case VMX_MSR_LOAD:
		set(meaning, GDBSTUB_SIGNAL_SEGV, false,
		    "the processor refuses the guest's model-specific registers at %s (hardware reason "
		    "0x%llx)",
		    where, reason);
		break;
	case VMX_MACHINE_CHECK:
		set(meaning, GDBSTUB_SIGNAL_BUS, false,
		    "a machine check kept the processor from running the guest at %s (hardware reason "
		    "0x%llx)",
		    where, reason);
		break;
	default:
		set(meaning, GDBSTUB_SIGNAL_SEGV, false,
		    "the processor does not enter the guest at %s (hardware reason 0x%llx): an error of "
		    "KVM, or of the hypervisor that it runs under",
		    where, reason);
	}
}

static void describe_exception(const struct kvm_run *run, const char *where, struct exit_meaning *meaning)
{
	static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
					    "#DF", "#9",  "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
					    "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};
	const char *name = NAME(names, run->ex.exception);
	char number[16];

	snprintf(number, sizeof(number), "%u", run->ex.exception);
	set(meaning, GDBSTUB_SIGNAL_SEGV, true,
	    "exception %s with error code 0x%x at %s, which KVM does not handle", name ? name : number,
	    run->ex.error_code, where);
}

static void describe_system_event(const struct kvm_run *run, const char *where,
				  struct exit_meaning *meaning)
{
	static const char *const names[] = {
		[KVM_SYSTEM_EVENT_SHUTDOWN] = "shutdown",
		[KVM_SYSTEM_EVENT_RESET] = "reset",
		[KVM_SYSTEM_EVENT_CRASH] = "crash",
		[SYSTEM_EVENT_WAKEUP] = "wake-up",
		[SYSTEM_EVENT_SUSPEND] = "suspend",
		[SYSTEM_EVENT_SEV_TERM] = "SEV termination",
		[SYSTEM_EVENT_TDX_FATAL] = "TDX fatal error",
	};
	const char *name = NAME(names, run->system_event.type);
	char number[16];

	snprintf(number, sizeof(number), "%u", run->system_event.type);
	set(meaning, GDBSTUB_SIGNAL_SEGV, true, "system event of the guest at %s: %s", where,
	    name ? name : number);
}

/* KVM says it with an errno, and newer ones with an address. */
static void describe_memory_fault(const struct kvm_run *run, int error, const char *where,
				  struct exit_meaning *meaning)
{
	struct memory_fault fault;
	char gpa[50] = "";

	memcpy(&fault, run->padding, sizeof(fault));
	if (run->exit_reason == EXIT_MEMORY_FAULT)
		snprintf(gpa, sizeof(gpa), ", at physical address 0x%llx", (unsigned long long)fault.gpa);
	if (error == EHWPOISON)
		set(meaning, GDBSTUB_SIGNAL_BUS, false,
		    "a memory error of the host is in what the instruction at %s uses%s", where, gpa);
	else
		set(meaning, GDBSTUB_SIGNAL_BUS, false,
		    "the host cannot give the memory that the instruction at %s uses%s", where, gpa);
}

/* What KVM reports to those who have enabled it: nothing here does, so it should not come. */
static bool describe_unasked(const struct kvm_run *run, int exit, char *what, size_t size)
{
	static const char *const names[] = {
		[KVM_EXIT_HLT] = "a halt",
		[KVM_EXIT_IO] = "port input or output",
		[KVM_EXIT_DEBUG] = "a debug exception",
		[KVM_EXIT_MMIO] = "an access to where there is no memory",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "an open interrupt window",
		[KVM_EXIT_INTR] = "a signal",
		[KVM_EXIT_SET_TPR] = "a lower task priority",
		[KVM_EXIT_IOAPIC_EOI] = "an end of interrupt at the I/O APIC",
		[KVM_EXIT_HYPERV] = "a Hyper-V call",
		[KVM_EXIT_XEN] = "a Xen hypercall",
		[KVM_EXIT_DIRTY_RING_FULL] = "a full ring of dirty pages",
		[KVM_EXIT_AP_RESET_HOLD] = "an AP reset hold",
		[KVM_EXIT_X86_BUS_LOCK] = "a bus lock",
		[EXIT_NOTIFY] = "a guest that takes no interrupts (NOTIFY)",
	};
	const char *name = exit < 0 ? NULL : NAME(names, (size_t)exit);

	switch (exit) {
	case KVM_EXIT_HYPERCALL:
		snprintf(what, size, "hypercall 0x%llx", (unsigned long long)run->hypercall.nr);
		return true;
	case KVM_EXIT_TPR_ACCESS:
		snprintf(what, size, "a %s of the task priority register",
			 run->tpr_access.is_write ? "write" : "read");
		return true;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		snprintf(what, size, "%s of the model-specific register 0x%x",
			 exit == KVM_EXIT_X86_RDMSR ? "RDMSR" : "WRMSR", run->msr.index);
		return true;
	}
	snprintf(what, size, "%s", name ? name : "");
	return name;
}

static void describe_error(const struct vcpu *vcpu, int error, const char *where,
			   struct exit_meaning *meaning)
{
	switch (error) {
	case EFAULT:
	case EHWPOISON:
		describe_memory_fault(vcpu->run, error, where, meaning);
		break;
	case EIO:
		set(meaning, GDBSTUB_SIGNAL_SEGV, true,
		    "KVM has given this virtual machine up, at %s: the host's kernel log tells why", where);
		break;
	case EINVAL:
		set(meaning, GDBSTUB_SIGNAL_SEGV, false,
		    "KVM refuses the guest's state at %s: look at the segment and control registers",
		    where);
		break;
	case EAGAIN:
		set(meaning, GDBSTUB_SIGNAL_SEGV, false,
		    "the virtual CPU waits to be started by another one (INIT and SIPI), at %s", where);
		break;
	case ENOMEM:
		set(meaning, GDBSTUB_SIGNAL_SEGV, false,
		    "the host has no memory left for KVM, at %s: try again", where);
		break;
	default:
		set(meaning, GDBSTUB_SIGNAL_SEGV, true, "KVM cannot run the guest at %s: %s", where,
		    strerror(error));
	}
}

void exit_describe(const struct vcpu *vcpu, int exit, struct exit_meaning *meaning)
{
	const struct kvm_run *run = vcpu->run;
	char where[32], what[100];
	uint32_t notify;

	vcpu_where(vcpu, where, sizeof(where));
	switch (exit) {
	case KVM_EXIT_SHUTDOWN:
		describe_shutdown(vcpu, where, meaning);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		describe_refusal(vcpu, where, meaning);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		describe_internal(vcpu, where, meaning);
		break;
	case KVM_EXIT_UNKNOWN:
		set(meaning, GDBSTUB_SIGNAL_SEGV, true, "unknown exit at %s (hardware reason 0x%llx)",
		    where, (unsigned long long)run->hw.hardware_exit_reason);
		break;
	case KVM_EXIT_EXCEPTION:
		describe_exception(run, where, meaning);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		describe_system_event(run, where, meaning);
		break;
	case EXIT_MEMORY_FAULT:
		describe_memory_fault(run, EFAULT, where, meaning);
		break;
	default:
		if (exit < 0 && !vcpu->has_features) {
			set(meaning, GDBSTUB_SIGNAL_SEGV, true, VCPU_NO_FEATURES, strerror(-exit));
			break;
		}
		if (exit < 0) {
			describe_error(vcpu, -exit, where, meaning);
			break;
		}
		memcpy(&notify, run->padding, sizeof(notify));
		if (exit == EXIT_NOTIFY && notify & NOTIFY_CONTEXT_INVALID)
			set(meaning, GDBSTUB_SIGNAL_SEGV, true,
			    "the guest takes no interrupts, and its state is lost (NOTIFY), at %s", where);
		else if (describe_unasked(run, exit, what, sizeof(what)))
			set(meaning, GDBSTUB_SIGNAL_SEGV, false, "KVM reports %s at %s, unasked", what,
			    where);
		else
			set(meaning, GDBSTUB_SIGNAL_SEGV, true,
			    "KVM exit %d at %s, which kvmgdb does not know", exit, where);
	}
}
