/*
 * Every exit from the guest that ends a run: the signal, whether the guest is dead, and the sentence; most of
 * them no guest can bring about on a given host. Also the exits that are served, and their completion.
 * KVM is the table `script`, by way of a wrapped ioctl().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exits.h"
#include "tap.h"

#define MEMORY 0x10000
#define ONES 0xffffffffffffffffull
#define EXIT_NOTIFY 37	     /* behind the kernel headers' 5.15 */
#define EXIT_MEMORY_FAULT 39 /* and 6.8 */

enum place { REAL, PROTECTED, PAGING, PAGED, AT_INT, LONG, IN_HOLE, AT_END, AFTER_RESET, AT_RESET, PLACES };

static const struct {
	uint64_t cr0, efer, cs_base, rip, rax;
	uint16_t cs;
	bool db, l;
} places[PLACES] = {
	[REAL] = {.cr0 = 0x10, .cs_base = 0x7c0, .cs = 0x7c, .rip = 0x840},
	[PROTECTED] = {.cr0 = 0x11, .cs = 8, .rip = 0x1000, .db = true},
	[PAGING] = {.cr0 = 0x11, .cs = 8, .rip = 0x1100, .db = true, .rax = 0x80000011},
	[PAGED] = {.cr0 = 0x11, .cs = 8, .rip = 0x1100, .db = true, .rax = 0x80000010},
	[AT_INT] = {.cr0 = 0x11, .cs = 8, .rip = 0x1200, .db = true},
	[LONG] = {.cr0 = 0x80000011, .efer = 0x500, .cs = 8, .rip = 0x1000, .l = true},
	[IN_HOLE] = {.cr0 = 0x11, .cs = 8, .rip = 0x20000, .db = true},
	[AT_END] = {.cr0 = 0x11, .cs = 8, .rip = MEMORY - 1, .db = true},
	[AFTER_RESET] = {.cr0 = 0x60000010, .cs_base = 0xffff0000, .cs = 0xf000, .rip = 0xfff0},
	/* It only looks like it. */
	[AT_RESET] = {.cr0 = 0x10, .cs_base = 0xf0000, .cs = 0xf000, .rip = 0xfff0},
};

/* FLD1, which the decoder knows; in real mode something that is no instruction. */
static const uint8_t fld1[] = {0xd9, 0xe8, 0xf4};
static const uint8_t mov_cr0_eax[] = {0x0f, 0x22, 0xc0};
static const uint8_t int_80[] = {0xcd, 0x80};
static const uint8_t prefixes[] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
				   0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};

struct row {
	const char *name;
	int exit; /* KVM_EXIT_* or -errno */
	enum place place;
	struct kvm_run run; /* but exit_reason, where `exit` is one */
	int signal;
	bool dead;
	const char *sentence;
};

#define EMULATION(count, flag, size)                                                                \
	.emulation_failure = {.suberror = KVM_INTERNAL_ERROR_EMULATION, .ndata = (count),             \
			      .flags = (flag), .insn_size = (size),                                   \
			      .insn_bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}
#define BYTES KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES
#define BUS GDBSTUB_SIGNAL_BUS
#define ILL GDBSTUB_SIGNAL_ILL
#define SEGV GDBSTUB_SIGNAL_SEGV
#define REFUSED "the processor refuses the guest's state at "
#define LOOK "look at the segment and control registers"
#define NO_ENTRY "the processor does not enter the guest at "
#define WHOSE "an error of KVM, or of the hypervisor that it runs under"
#define NO_MEMORY "there is no memory at physical address "

static const struct row rows[] = {
	{"SHUTDOWN, real mode", KVM_EXIT_SHUTDOWN, REAL, {}, SEGV, true, "triple fault at 007c:0840"},
	{"SHUTDOWN, protected mode", KVM_EXIT_SHUTDOWN, PROTECTED, {}, SEGV, true,
	 "triple fault at 0008:00001000"},
	{"SHUTDOWN, paging switched on", KVM_EXIT_SHUTDOWN, PAGING, {}, SEGV, true,
	 "triple fault at 0008:00001100: the host's KVM does not let 32-bit code switch paging on"},
	{"SHUTDOWN, paging without protection", KVM_EXIT_SHUTDOWN, PAGED, {}, SEGV, true,
	 "triple fault at 0008:00001100"},
	{"SHUTDOWN, long mode", KVM_EXIT_SHUTDOWN, LONG, {}, SEGV, true, "triple fault at 0x1000"},
	{"SHUTDOWN, reset by an AMD processor", KVM_EXIT_SHUTDOWN, AFTER_RESET, {}, SEGV, true,
	 "triple fault; the processor has reset itself, so the registers are not those of the fault"},
	{"SHUTDOWN, in a BIOS", KVM_EXIT_SHUTDOWN, AT_RESET, {}, SEGV, true, "triple fault at f000:fff0"},

	{"FAIL_ENTRY, VMX", KVM_EXIT_FAIL_ENTRY, PROTECTED,
	 {.fail_entry = {.hardware_entry_failure_reason = 0x80000021}}, SEGV, false,
	 REFUSED "0008:00001000 (hardware reason 0x80000021): " LOOK},
	{"FAIL_ENTRY, SVM", KVM_EXIT_FAIL_ENTRY, REAL,
	 {.fail_entry = {.hardware_entry_failure_reason = ONES}}, SEGV, false,
	 REFUSED "007c:0840 (hardware reason 0xffffffffffffffff): " LOOK},
	{"FAIL_ENTRY, SVM, 32 bits of it", KVM_EXIT_FAIL_ENTRY, REAL,
	 {.fail_entry = {.hardware_entry_failure_reason = 0xffffffff}}, SEGV, false,
	 REFUSED "007c:0840 (hardware reason 0xffffffff): " LOOK},
	{"FAIL_ENTRY, VMX, MSR", KVM_EXIT_FAIL_ENTRY, LONG,
	 {.fail_entry = {.hardware_entry_failure_reason = 0x80000022}}, SEGV, false,
	 "the processor refuses the guest's model-specific registers at 0x1000 (hardware reason "
	 "0x80000022)"},
	{"FAIL_ENTRY, VMX, machine check", KVM_EXIT_FAIL_ENTRY, LONG,
	 {.fail_entry = {.hardware_entry_failure_reason = 0x80000029}}, BUS, false,
	 "a machine check kept the processor from running the guest at 0x1000 (hardware reason "
	 "0x80000029)"},
	{"FAIL_ENTRY, VMX instruction error", KVM_EXIT_FAIL_ENTRY, LONG,
	 {.fail_entry = {.hardware_entry_failure_reason = 7}}, SEGV, false,
	 NO_ENTRY "0x1000 (hardware reason 0x7): " WHOSE},
	{"FAIL_ENTRY, no reason", KVM_EXIT_FAIL_ENTRY, LONG, {}, SEGV, false,
	 NO_ENTRY "0x1000 (hardware reason 0x0): " WHOSE},

	{"EMULATION", KVM_EXIT_INTERNAL_ERROR, PROTECTED, {EMULATION(3, BYTES, 15)}, ILL, false,
	 "the host's KVM cannot emulate the instruction at 0008:00001000: d9 e8"},
	{"EMULATION, of INT", KVM_EXIT_INTERNAL_ERROR, AT_INT, {EMULATION(3, BYTES, 15)}, ILL, false,
	 "the host's KVM cannot emulate the instruction at 0008:00001200: cd 80; the CPU would raise an exception there, "
	 "or switch tasks"},
	{"EMULATION, KVM says nothing", KVM_EXIT_INTERNAL_ERROR, PROTECTED, {EMULATION(0, 0, 0)}, ILL, false,
	 "the host's KVM cannot emulate the instruction at 0008:00001000: d9 e8"},
	{"EMULATION, no length known", KVM_EXIT_INTERNAL_ERROR, REAL, {EMULATION(3, BYTES, 15)}, ILL, false,
	 "the host's KVM cannot emulate the instruction at 007c:0840: 66 66 66 66 66 66 66 66 66 66 66 66 "
	 "66 66 66"},
	{"EMULATION, no memory", KVM_EXIT_INTERNAL_ERROR, IN_HOLE, {EMULATION(1, 0, 0)}, BUS, false,
	 "cannot fetch the instruction at 0008:00020000: " NO_MEMORY "0x20000"},
	{"EMULATION, no memory but KVM's bytes", KVM_EXIT_INTERNAL_ERROR, IN_HOLE, {EMULATION(3, BYTES, 4)},
	 ILL, false, "the host's KVM cannot emulate the instruction at 0008:00020000: 01 02 03 04"},
	{"EMULATION, no memory and no bytes", KVM_EXIT_INTERNAL_ERROR, IN_HOLE, {EMULATION(3, BYTES, 0)}, BUS,
	 false, "cannot fetch the instruction at 0008:00020000: " NO_MEMORY "0x20000"},
	{"EMULATION, all of KVM's bytes", KVM_EXIT_INTERNAL_ERROR, IN_HOLE,
	 {EMULATION(0xffffffff, ONES, 15)}, ILL, false,
	 "the host's KVM cannot emulate the instruction at 0008:00020000: 01 02 03 04 05 06 07 08 09 0a 0b 0c "
	 "0d 0e 0f"},
	{"EMULATION, more bytes than there are", KVM_EXIT_INTERNAL_ERROR, IN_HOLE, {EMULATION(3, BYTES, 255)},
	 BUS, false, "cannot fetch the instruction at 0008:00020000: " NO_MEMORY "0x20000"},
	{"EMULATION, one byte more than there are", KVM_EXIT_INTERNAL_ERROR, IN_HOLE, {EMULATION(3, BYTES, 16)},
	 BUS, false, "cannot fetch the instruction at 0008:00020000: " NO_MEMORY "0x20000"},
	{"EMULATION, bytes without the flag", KVM_EXIT_INTERNAL_ERROR, IN_HOLE, {EMULATION(3, ~BYTES, 4)}, BUS,
	 false, "cannot fetch the instruction at 0008:00020000: " NO_MEMORY "0x20000"},
	{"EMULATION, the flag without bytes", KVM_EXIT_INTERNAL_ERROR, IN_HOLE, {EMULATION(2, BYTES, 4)}, BUS,
	 false, "cannot fetch the instruction at 0008:00020000: " NO_MEMORY "0x20000"},
	{"EMULATION, at the end of memory", KVM_EXIT_INTERNAL_ERROR, AT_END, {EMULATION(1, 0, 0)}, BUS, false,
	 "cannot fetch the instruction at 0008:0000ffff: " NO_MEMORY "0x10000"},

	{"SIMUL_EX", KVM_EXIT_INTERNAL_ERROR, REAL,
	 {.internal = {.suberror = KVM_INTERNAL_ERROR_SIMUL_EX, .ndata = 2, .data = {0x80000b0e, 0x30, 9}}},
	 SEGV, true,
	 "KVM internal error at 007c:0840: an exception came while another was delivered, data 0x80000b0e "
	 "0x30"},
	{"DELIVERY_EV", KVM_EXIT_INTERNAL_ERROR, LONG,
	 {.internal = {.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV}}, SEGV, true,
	 "KVM internal error at 0x1000: an exception or interrupt could not be delivered"},
	{"DELIVERY_EV, as much as can be", KVM_EXIT_INTERNAL_ERROR, PROTECTED,
	 {.internal = {.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV, .ndata = 0xffffffff,
		       .data = {ONES, ONES, ONES, ONES, ONES}}}, SEGV, true,
	 "KVM internal error at 0008:00001000: an exception or interrupt could not be delivered, data "
	 "0xffffffffffffffff 0xffffffffffffffff 0xffffffffffffffff 0xffffffffffffffff"},
	{"UNEXPECTED_EXIT_REASON", KVM_EXIT_INTERNAL_ERROR, LONG,
	 {.internal = {.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, .ndata = 1, .data = {0x42}}},
	 SEGV, true, "KVM internal error at 0x1000: an exit came that KVM does not expect, data 0x42"},
	{"internal error 0", KVM_EXIT_INTERNAL_ERROR, LONG, {}, SEGV, true,
	 "KVM internal error at 0x1000: 0"},
	{"internal error 5", KVM_EXIT_INTERNAL_ERROR, LONG, {.internal = {.suberror = 5}}, SEGV, true,
	 "KVM internal error at 0x1000: 5"},
	{"internal error with all bits", KVM_EXIT_INTERNAL_ERROR, LONG, {.internal = {.suberror = ~0u}}, SEGV,
	 true, "KVM internal error at 0x1000: 4294967295"},

	{"UNKNOWN", KVM_EXIT_UNKNOWN, REAL, {.hw = {.hardware_exit_reason = 0x29}}, SEGV, true,
	 "unknown exit at 007c:0840 (hardware reason 0x29)"},
	{"EXCEPTION", KVM_EXIT_EXCEPTION, LONG, {.ex = {.exception = 14, .error_code = 2}}, SEGV, true,
	 "exception #PF with error code 0x2 at 0x1000, which KVM does not handle"},
	{"EXCEPTION, the last name", KVM_EXIT_EXCEPTION, LONG, {.ex = {.exception = 21}}, SEGV, true,
	 "exception #CP with error code 0x0 at 0x1000, which KVM does not handle"},
	{"EXCEPTION without a name", KVM_EXIT_EXCEPTION, LONG, {.ex = {.exception = 22}}, SEGV, true,
	 "exception 22 with error code 0x0 at 0x1000, which KVM does not handle"},
	{"EXCEPTION with all bits", KVM_EXIT_EXCEPTION, LONG, {.ex = {.exception = ~0u, .error_code = ~0u}},
	 SEGV, true, "exception 4294967295 with error code 0xffffffff at 0x1000, which KVM does not handle"},

	{"SYSTEM_EVENT 1", KVM_EXIT_SYSTEM_EVENT, LONG, {.system_event = {.type = 1}}, SEGV, true,
	 "system event of the guest at 0x1000: shutdown"},
	{"SYSTEM_EVENT 2", KVM_EXIT_SYSTEM_EVENT, LONG, {.system_event = {.type = 2}}, SEGV, true,
	 "system event of the guest at 0x1000: reset"},
	{"SYSTEM_EVENT 3", KVM_EXIT_SYSTEM_EVENT, LONG, {.system_event = {.type = 3}}, SEGV, true,
	 "system event of the guest at 0x1000: crash"},
	{"SYSTEM_EVENT 6", KVM_EXIT_SYSTEM_EVENT, LONG, {.system_event = {.type = 6}}, SEGV, true,
	 "system event of the guest at 0x1000: SEV termination"},
	{"SYSTEM_EVENT 7", KVM_EXIT_SYSTEM_EVENT, LONG, {.system_event = {.type = 7}}, SEGV, true,
	 "system event of the guest at 0x1000: TDX fatal error"},
	{"SYSTEM_EVENT 8", KVM_EXIT_SYSTEM_EVENT, LONG, {.system_event = {.type = 8}}, SEGV, true,
	 "system event of the guest at 0x1000: 8"},
	{"SYSTEM_EVENT 0", KVM_EXIT_SYSTEM_EVENT, LONG, {}, SEGV, true,
	 "system event of the guest at 0x1000: 0"},
	{"SYSTEM_EVENT with all bits", KVM_EXIT_SYSTEM_EVENT, LONG, {.system_event = {.type = ~0u}}, SEGV, true,
	 "system event of the guest at 0x1000: 4294967295"},

	{"HLT", KVM_EXIT_HLT, LONG, {}, SEGV, false, "KVM reports a halt at 0x1000, unasked"},
	{"IO", KVM_EXIT_IO, LONG, {}, SEGV, false, "KVM reports port input or output at 0x1000, unasked"},
	{"DEBUG", KVM_EXIT_DEBUG, LONG, {}, SEGV, false, "KVM reports a debug exception at 0x1000, unasked"},
	{"MMIO", KVM_EXIT_MMIO, LONG, {}, SEGV, false,
	 "KVM reports an access to where there is no memory at 0x1000, unasked"},
	{"IRQ_WINDOW_OPEN", KVM_EXIT_IRQ_WINDOW_OPEN, LONG, {}, SEGV, false,
	 "KVM reports an open interrupt window at 0x1000, unasked"},
	{"INTR", KVM_EXIT_INTR, LONG, {}, SEGV, false, "KVM reports a signal at 0x1000, unasked"},
	{"SET_TPR", KVM_EXIT_SET_TPR, LONG, {}, SEGV, false,
	 "KVM reports a lower task priority at 0x1000, unasked"},
	{"TPR_ACCESS, read", KVM_EXIT_TPR_ACCESS, LONG, {}, SEGV, false,
	 "KVM reports a read of the task priority register at 0x1000, unasked"},
	{"TPR_ACCESS, write", KVM_EXIT_TPR_ACCESS, LONG, {.tpr_access = {.is_write = 1}}, SEGV, false,
	 "KVM reports a write of the task priority register at 0x1000, unasked"},
	{"IOAPIC_EOI", KVM_EXIT_IOAPIC_EOI, LONG, {}, SEGV, false,
	 "KVM reports an end of interrupt at the I/O APIC at 0x1000, unasked"},
	{"HYPERCALL", KVM_EXIT_HYPERCALL, LONG, {.hypercall = {.nr = 12}}, SEGV, false,
	 "KVM reports hypercall 0xc at 0x1000, unasked"},
	{"HYPERV", KVM_EXIT_HYPERV, LONG, {}, SEGV, false, "KVM reports a Hyper-V call at 0x1000, unasked"},
	{"XEN", KVM_EXIT_XEN, LONG, {}, SEGV, false, "KVM reports a Xen hypercall at 0x1000, unasked"},
	{"X86_RDMSR", KVM_EXIT_X86_RDMSR, LONG, {.msr = {.index = 0xc0000080}}, SEGV, false,
	 "KVM reports RDMSR of the model-specific register 0xc0000080 at 0x1000, unasked"},
	{"X86_WRMSR", KVM_EXIT_X86_WRMSR, LONG, {.msr = {.index = 0x10}}, SEGV, false,
	 "KVM reports WRMSR of the model-specific register 0x10 at 0x1000, unasked"},
	{"DIRTY_RING_FULL", KVM_EXIT_DIRTY_RING_FULL, LONG, {}, SEGV, false,
	 "KVM reports a full ring of dirty pages at 0x1000, unasked"},
	{"AP_RESET_HOLD", KVM_EXIT_AP_RESET_HOLD, LONG, {}, SEGV, false,
	 "KVM reports an AP reset hold at 0x1000, unasked"},
	{"X86_BUS_LOCK", KVM_EXIT_X86_BUS_LOCK, LONG, {}, SEGV, false,
	 "KVM reports a bus lock at 0x1000, unasked"},
	{"NOTIFY", EXIT_NOTIFY, LONG, {}, SEGV, false,
	 "KVM reports a guest that takes no interrupts (NOTIFY) at 0x1000, unasked"},
	{"NOTIFY, state lost", EXIT_NOTIFY, LONG, {.padding = {1}}, SEGV, true,
	 "the guest takes no interrupts, and its state is lost (NOTIFY), at 0x1000"},
	{"MEMORY_FAULT without an error", EXIT_MEMORY_FAULT, LONG, {.padding = {[9] = 0x50}}, BUS, false,
	 "the host cannot give the memory that the instruction at 0x1000 uses, at physical address 0x5000"},
	{"an exit of another architecture", KVM_EXIT_S390_SIEIC, LONG, {}, SEGV, true,
	 "KVM exit 13 at 0x1000, which kvmgdb does not know"},
	{"an exit between the known ones", 38, LONG, {}, SEGV, true,
	 "KVM exit 38 at 0x1000, which kvmgdb does not know"},
	{"an exit of tomorrow", 1000, LONG, {}, SEGV, true,
	 "KVM exit 1000 at 0x1000, which kvmgdb does not know"},
	{"the last exit", 0x7fffffff, LONG, {}, SEGV, true,
	 "KVM exit 2147483647 at 0x1000, which kvmgdb does not know"},

	{"EFAULT", -EFAULT, PROTECTED, {}, BUS, false,
	 "the host cannot give the memory that the instruction at 0008:00001000 uses"},
	{"EFAULT and MEMORY_FAULT", -EFAULT, PROTECTED,
	 {.exit_reason = EXIT_MEMORY_FAULT, .padding = {[9] = 0x50}}, BUS, false,
	 "the host cannot give the memory that the instruction at 0008:00001000 uses, at physical address "
	 "0x5000"},
	{"EHWPOISON", -EHWPOISON, PROTECTED, {}, BUS, false,
	 "a memory error of the host is in what the instruction at 0008:00001000 uses"},
	{"EHWPOISON and MEMORY_FAULT", -EHWPOISON, PROTECTED,
	 {.exit_reason = EXIT_MEMORY_FAULT, .padding = {[8] = 1}}, BUS, false,
	 "a memory error of the host is in what the instruction at 0008:00001000 uses, at physical address "
	 "0x1"},
	{"EIO", -EIO, LONG, {}, SEGV, true,
	 "KVM has given this virtual machine up, at 0x1000: the host's kernel log tells why"},
	{"EINVAL", -EINVAL, LONG, {}, SEGV, false,
	 "KVM refuses the guest's state at 0x1000: look at the segment and control registers"},
	{"EAGAIN", -EAGAIN, LONG, {}, SEGV, false,
	 "the virtual CPU waits to be started by another one (INIT and SIPI), at 0x1000"},
	{"ENOMEM", -ENOMEM, LONG, {}, SEGV, false,
	 "the host has no memory left for KVM, at 0x1000: try again"},
	{"ENXIO", -ENXIO, LONG, {}, SEGV, true,
	 "KVM cannot run the guest at 0x1000: No such device or address"},
	{"an error of tomorrow", -4000, LONG, {}, SEGV, true,
	 "KVM cannot run the guest at 0x1000: Unknown error 4000"},
};

/* What KVM_RUN brings, one after the other: the exit reason, or a negative errno. */
static int script[4];
static unsigned int at, runs, immediate;

static struct machine machine;

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct kvm_run *run = machine.vcpu.run;
	int next;

	(void)fd;
	if (request != KVM_RUN)
		return 0;
	runs++;
	immediate += run->immediate_exit;
	next = script[at++];
	if (next < 0) {
		errno = -next;
		return -1;
	}
	run->exit_reason = (uint32_t)next;
	return 0;
}

/* What the machine has said since it was asked last, without the newline. */
static const char *said(void)
{
	static char text[512];
	ssize_t n = pread(machine.console.fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	if (*text)
		text[strlen(text) - 1] = 0;
	if (ftruncate(machine.console.fd, 0) || lseek(machine.console.fd, 0, SEEK_SET))
		abort();
	return text;
}

static void put_at(enum place place)
{
	struct vcpu *vcpu = &machine.vcpu;

	vcpu->own_regs = (struct kvm_regs){.rip = places[place].rip, .rax = places[place].rax};
	vcpu->own_sregs = (struct kvm_sregs){
		.cr0 = places[place].cr0,
		.efer = places[place].efer,
		.cr4 = places[place].efer ? CR4_PAE : 0,
		.cr3 = 0x2000,
		.cs = {.base = places[place].cs_base,
		       .selector = places[place].cs,
		       .db = places[place].db,
		       .l = places[place].l},
	};
	vcpu->regs_dirty = vcpu->io_pending = false;
	vcpu->has_features = true;
	machine.life = MACHINE_ALIVE;
	machine.fatal_signal = 0;
	*machine.epitaph = 0;
}

static void test_row(const struct row *row)
{
	struct gdbstub_stop stop = {.reason = GDBSTUB_EXITED};
	enum outcome outcome;
	const char *text;
	bool good;

	put_at(row->place);
	*machine.vcpu.run = row->run;
	if (row->exit >= 0)
		machine.vcpu.run->exit_reason = (uint32_t)row->exit;
	outcome = exit_fail(&machine, row->exit, &stop);
	text = said();
	if (!result(!strcmp(text, row->sentence), "%s: %s", row->name, row->sentence))
		comment("%s", text);
	good = outcome == STOPPED && stop.reason == GDBSTUB_STOPPED && (int)stop.signal == row->signal;
	result(good, "%s: signal %d", row->name, row->signal);
	if (row->dead)
		good = machine.life == MACHINE_DEAD && machine.fatal_signal == row->signal &&
		       !strcmp(machine.epitaph, row->sentence);
	else
		good = machine.life == MACHINE_ALIVE;
	result(good, "%s: the guest %s", row->name, row->dead ? "is dead, for this reason" : "can go on");
	result(machine.vcpu.regs_dirty, "%s: what KVM holds back is dropped", row->name);
}

/* An error before the guest has run at all. */
static void test_features(void)
{
	struct gdbstub_stop stop = {0};

	put_at(LONG);
	machine.vcpu.has_features = false;
	exit_fail(&machine, -EINVAL, &stop);
	result(!strcmp(said(), "KVM cannot set a virtual CPU's features: Invalid argument"), "features: told");
	result(stop.signal == SEGV && machine.life == MACHINE_DEAD, "features: there is no guest");
}

static void test_declined(void)
{
	static const int exits[] = {KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR};
	struct kvm_run *run = machine.vcpu.run;
	struct gdbstub_stop stop;

	for (size_t i = 0; i < sizeof(exits) / sizeof(*exits); i++) {
		put_at(LONG);
		*run = (struct kvm_run){0};
		exit_fail(&machine, exits[i], &stop);
		result(run->msr.error, "exit %d is answered with a #GP", exits[i]);
	}
	*run = (struct kvm_run){0};
	exit_fail(&machine, KVM_EXIT_HYPERCALL, &stop);
	result(run->hypercall.ret == (uint64_t)-1000, "a hypercall is answered: there is none such");
	said();
}

static void test_mmio(void)
{
	static const struct {
		bool write;
		uint8_t len;
		const char *sentence;
	} accesses[] = {
		{false, 8, "read of 8 bytes at physical address 0xfee00000, where there is no memory"},
		{true, 1, "write of 1 byte at physical address 0xfee00000, where there is no memory"},
	};
	static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255}, zeros[8];
	struct kvm_run *run = machine.vcpu.run;

	for (size_t i = 0; i < 2; i++) {
		bool bus_error = false;

		put_at(LONG);
		*run = (struct kvm_run){.mmio = {
			.phys_addr = 0xfee00000, .len = accesses[i].len, .is_write = accesses[i].write}};
		exit_serve_io(&machine, KVM_EXIT_MMIO, &bus_error);
		result(!strcmp(said(), accesses[i].sentence), "MMIO: %s", accesses[i].sentence);
		result(!memcmp(run->mmio.data, accesses[i].write ? zeros : ones, 8),
		       "MMIO: data %s", accesses[i].write ? "left" : "all ones");
		result(!bus_error, "MMIO: no stop without a debugger");
		result(machine.vcpu.io_pending, "MMIO: to be completed");
	}
}

static void test_io(void)
{
	struct kvm_run *run = machine.vcpu.run;
	bool bus_error = false;

	put_at(REAL);
	*run = (struct kvm_run){.io = {.direction = KVM_EXIT_IO_IN, .size = 4, .port = 0x60, .count = 2,
				       .data_offset = 4096}};
	memset((char *)run + 4096, 0x55, 16);
	exit_serve_io(&machine, KVM_EXIT_IO, &bus_error);
	result(!strcmp(said(), "port 0x0060 -> 0xffffffff\nport 0x0060 -> 0xffffffff"),
	       "IO: every element is reported");
	result(!memcmp((char *)run + 4096, "\377\377\377\377\377\377\377\377UUUUUUUU", 16),
	       "IO: all ones, and nothing behind them");
	result(!bus_error && machine.vcpu.io_pending, "IO: to be completed, and no bus error");
}

static const struct {
	const char *name;
	int script[4];
	unsigned int runs;
	enum outcome outcome;
	enum machine_life life;
} completions[] = {
	{"complete", {-EINTR}, 1, GOES_ON, MACHINE_ALIVE},
	{"complete, told by a reason", {KVM_EXIT_INTR}, 1, GOES_ON, MACHINE_ALIVE},
	{"complete, and a step with it", {KVM_EXIT_DEBUG}, 1, STEPPED, MACHINE_ALIVE},
	{"more of it", {KVM_EXIT_MMIO, KVM_EXIT_IO, -EINTR}, 3, GOES_ON, MACHINE_ALIVE},
	{"more of it, and a step", {KVM_EXIT_MMIO, KVM_EXIT_DEBUG}, 2, STEPPED, MACHINE_ALIVE},
	{"the end of the guest", {KVM_EXIT_SHUTDOWN}, 1, STOPPED, MACHINE_DEAD},
	{"the end of KVM", {KVM_EXIT_MMIO, -EIO}, 2, STOPPED, MACHINE_DEAD},
	{"memory that cannot be had", {-EFAULT}, 1, STOPPED, MACHINE_ALIVE},
};

static void test_completions(void)
{
	for (size_t i = 0; i < sizeof(completions) / sizeof(*completions); i++) {
		struct gdbstub_stop stop;
		bool bus_error = false;
		enum outcome outcome;

		put_at(REAL);
		*machine.vcpu.run = (struct kvm_run){.io = {.data_offset = 4096}};
		memcpy(script, completions[i].script, sizeof(script));
		at = runs = immediate = 0;
		machine.vcpu.io_pending = true;
		outcome = exit_complete_io(&machine, &bus_error, &stop);
		said();
		result(outcome == completions[i].outcome && machine.life == completions[i].life &&
			       !machine.vcpu.io_pending,
		       "completion: %s", completions[i].name);
		result(runs == completions[i].runs && immediate == runs && !machine.vcpu.run->immediate_exit,
		       "completion: %s: nothing else is run", completions[i].name);
	}
	at = runs = 0;
	result(exit_complete_io(&machine, &(bool){false}, &(struct gdbstub_stop){0}) == GOES_ON && !runs,
	       "completion: nothing to be completed");
}

/* The reason of the exit before is not to be taken for the one of a KVM_RUN that has failed. */
static void test_stale_reason(void)
{
	struct gdbstub_stop stop;
	int exit;

	put_at(PROTECTED);
	*machine.vcpu.run = (struct kvm_run){.exit_reason = EXIT_MEMORY_FAULT, .padding = {[9] = 0x50}};
	memcpy(script, (int[4]){-EFAULT}, sizeof(script));
	at = 0;
	exit = vcpu_enter(&machine.vcpu);
	result(exit == -EFAULT, "a failed KVM_RUN is its errno");
	exit_fail(&machine, exit, &stop);
	result(!strstr(said(), "physical"), "a failed KVM_RUN has no address of the exit before");
}

static void test_halt(void)
{
	put_at(REAL);
	exit_halt(&machine);
	result(!strcmp(said(), "halted at 007c:0840") && machine.life == MACHINE_HALTED &&
		       machine.halted_at == 0x1000,
	       "a halt");
}

int main(void)
{
	static struct kvm_run pages[4];

	machine.vm.memory = calloc(1, MEMORY);
	machine.console.fd = memfd_create("said", 0);
	if (!machine.vm.memory || machine.console.fd < 0)
		return 1;
	machine.vm.size = machine.vm.low_size = MEMORY;
	machine.vcpu.vm = &machine.vm;
	machine.vcpu.run = pages;
	machine.vcpu.regs = &machine.vcpu.own_regs;
	machine.vcpu.sregs = &machine.vcpu.own_sregs;
	memcpy(machine.vm.memory + 0x1100, mov_cr0_eax, sizeof(mov_cr0_eax));
	memcpy(machine.vm.memory + 0x1200, int_80, sizeof(int_80));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].place == REAL)
			memcpy(machine.vm.memory + 0x1000, prefixes, sizeof(prefixes));
		else
			memcpy(machine.vm.memory + 0x1000, fld1, sizeof(fld1));
		test_row(&rows[i]);
	}
	test_features();
	test_declined();
	test_mmio();
	test_io();
	test_completions();
	test_stale_reason();
	test_halt();
	close(machine.console.fd);
	free(machine.vm.memory);
	return finish();
}
