#define _GNU_SOURCE
#include "sandbox_rules.h"

#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "leftovers.h"
#include "screenshot.h"
#include "sealed.h"

/* Rules that are made of what is known only when the sandbox is entered. */
enum special { PLAIN, OF_SELF, OF_COMMAND, OF_OWNER, OF_LEFTOVERS, OF_SCREENSHOT, OF_SCREENSHOTS };

struct row {
	const char *name;
	uint32_t number;
	struct sandbox_check checks[SANDBOX_CHECKS];
	enum special special;
	const char *only; /* what `checks` and `special` say */
	const char *purpose;
};

#define CALL(name) #name, SYS_##name
#define REQUEST(request, what) {CALL(ioctl), {{SANDBOX_INT, 1, request}}, PLAIN, #request, what}
#define OPTION(level, option, what) \
	{CALL(setsockopt), {{SANDBOX_INT, 1, level}, {SANDBOX_INT, 2, option}}, PLAIN, #level ", " #option, what}
/* Without a check. */
#define PLAIN_CALL(name, what) {CALL(name), {{0}}, PLAIN, "", what}

static const struct row rows[] = {
	REQUEST(KVM_RUN, "the guest runs"),
	REQUEST(KVM_SET_GUEST_DEBUG, "steps and breakpoints"),
	REQUEST(KVM_SET_REGS, "registers"),
	REQUEST(KVM_GET_REGS, "registers"),
	REQUEST(KVM_GET_SREGS, "registers"),
	REQUEST(KVM_SET_SREGS, "registers"),
	REQUEST(KVM_GET_VCPU_EVENTS, "registers: what is pending"),
	REQUEST(KVM_SET_VCPU_EVENTS, "registers: what is pending"),
	REQUEST(KVM_INTERRUPT, "a device's interrupt"),
	REQUEST(KVM_GET_XSAVE, "registers: FPU, SSE, AVX"),
	REQUEST(KVM_GET_XSAVE2, "registers: FPU, SSE, AVX"),
	REQUEST(KVM_SET_XSAVE, "registers: FPU, SSE, AVX"),
	REQUEST(KVM_GET_MSRS, "registers: MSRs"),
	REQUEST(KVM_SET_MSRS, "registers: MSRs"),
	REQUEST(KVM_GET_DEBUGREGS, "registers: the guest's DR0 to DR7"),
	REQUEST(KVM_SET_DEBUGREGS, "registers: the guest's DR0 to DR7"),
	REQUEST(KVM_GET_XCRS, "registers: XCR0"),
	REQUEST(KVM_SET_XCRS, "registers: XCR0"),
	REQUEST(KVM_SET_USER_MEMORY_REGION, "the guest's memory"),
	REQUEST(KVM_REGISTER_COALESCED_MMIO, "the guest's screen memory"),
	REQUEST(KVM_UNREGISTER_COALESCED_MMIO, "the guest's screen memory"),
	REQUEST(KVM_CREATE_VM, "a new guest, also of the host's self-test"),
	REQUEST(KVM_CREATE_VCPU, "a new guest"),
	REQUEST(KVM_CHECK_EXTENSION, "a new guest"),
	REQUEST(KVM_GET_VCPU_MMAP_SIZE, "a new guest"),
	REQUEST(KVM_SET_SIGNAL_MASK, "the client's signal, which ends KVM_RUN"),
	REQUEST(KVM_SET_TSS_ADDR, "a new guest"),
	REQUEST(KVM_SET_IDENTITY_MAP_ADDR, "a new guest"),
	REQUEST(KVM_ENABLE_CAP, "a new guest"),
	REQUEST(KVM_GET_SUPPORTED_CPUID, "a new guest"),
	REQUEST(KVM_SET_CPUID2, "a new guest"),
	REQUEST(KVM_GET_MSR_INDEX_LIST, "a new guest"),
	REQUEST(TCGETS, "whether something is a terminal, and how it is set"),
	REQUEST(TCSETSW, "the terminal, for the guest's keyboard and back"),
	REQUEST(TCGETS2, "the same by newer C libraries"),
	REQUEST(TCSETSW2, "the same by newer C libraries"),
	REQUEST(TIOCGPGRP, "whether this program is in the terminal's foreground"),
	REQUEST(TIOCGWINSZ, "the terminal's size"),
	REQUEST(FIONREAD, "whether the pseudo-terminal of --serial was read"),

	PLAIN_CALL(poll, "whether input is there"),
	PLAIN_CALL(read, "input, disks"),
	PLAIN_CALL(write, "output"),
	PLAIN_CALL(rt_sigreturn, "the end of a signal's handler"),
	PLAIN_CALL(rt_sigprocmask, "signals that have to wait"),
	PLAIN_CALL(clock_gettime, "the host's time, where the vDSO does not have it"),
	PLAIN_CALL(ppoll, "waiting for a time or input"),
	PLAIN_CALL(timer_settime, "the guest's clock, steps that take long"),
	{CALL(timer_create), {{SANDBOX_INT, 0, CLOCK_MONOTONIC}}, PLAIN, "CLOCK_MONOTONIC",
	 "the guest's clock, steps that take long"},
	PLAIN_CALL(timer_delete, "the end"),
	{CALL(setitimer), {{SANDBOX_INT, 0, ITIMER_PROF}}, PLAIN, "ITIMER_PROF", "the host's self-test"},
	PLAIN_CALL(alarm, "--timeout, and an end that hangs"),
	PLAIN_CALL(restart_syscall, "waiting, after the program was stopped"),
	PLAIN_CALL(pread64, "disks, symbols"),
	PLAIN_CALL(pwrite64, "disks"),

	{CALL(mprotect), {{SANDBOX_ABOVE, 0, 0}, {SANDBOX_NONE_OF, 2, PROT_EXEC}}, PLAIN,
	 "above 4 GiB, without PROT_EXEC", "watchpoints"},
	{CALL(mmap), {{SANDBOX_NONE_OF, 2, PROT_EXEC}, {SANDBOX_NONE_OF, 3, MAP_FIXED}}, PLAIN,
	 "without PROT_EXEC and MAP_FIXED", "memory"},
	{CALL(munmap), {{SANDBOX_ABOVE, 0, 0}}, PLAIN, "above 4 GiB", "memory"},
	{CALL(mremap), {{SANDBOX_ABOVE, 0, 0}, {SANDBOX_NONE_OF, 3, ~(uint32_t)MREMAP_MAYMOVE}}, PLAIN,
	 "above 4 GiB, to where the kernel likes", "memory"},
	{CALL(madvise), {{SANDBOX_ABOVE, 0, 0}, {SANDBOX_INT, 2, MADV_DONTNEED}}, PLAIN, "above 4 GiB, MADV_DONTNEED",
	 "giving back memory"},
	PLAIN_CALL(brk, "memory"),
	PLAIN_CALL(sysinfo, "qsort(), which asks how much memory there is"),

	PLAIN_CALL(accept4, "the next client"),
	PLAIN_CALL(recvfrom, "a client's packets"),
	PLAIN_CALL(close, "the end of a client, a guest or a file"),
	{CALL(fcntl), {{SANDBOX_INT, 1, F_GETFL}}, PLAIN, "F_GETFL", "signals for input"},
	{CALL(fcntl), {{SANDBOX_INT, 1, F_SETFL}}, PLAIN, "F_SETFL", "signals for input"},
	{CALL(fcntl), {{SANDBOX_INT, 1, F_SETSIG}, {SANDBOX_INT, 2, SIGIO}}, PLAIN, "F_SETSIG, SIGIO",
	 "signals for input"},
	{CALL(fcntl), {{SANDBOX_INT, 1, F_SETOWN_EX}}, OF_OWNER, "F_SETOWN_EX, this program", "signals for input"},
	OPTION(IPPROTO_TCP, TCP_NODELAY, "a client's packets at once"),
	OPTION(SOL_SOCKET, SO_KEEPALIVE, "a client whose machine is gone"),
	OPTION(IPPROTO_TCP, TCP_KEEPIDLE, "a client whose machine is gone"),
	OPTION(IPPROTO_TCP, TCP_KEEPINTVL, "a client whose machine is gone"),
	OPTION(IPPROTO_TCP, TCP_KEEPCNT, "a client whose machine is gone"),
	{CALL(getsockopt), {{SANDBOX_INT, 1, SOL_SOCKET}, {SANDBOX_INT, 2, SO_PEERCRED}}, PLAIN,
	 "SOL_SOCKET, SO_PEERCRED", "whose a client is"},
	PLAIN_CALL(geteuid, "whose a client is"),
	{CALL(sendto), {{SANDBOX_EQUAL, 4, 0}}, PLAIN, "to the connection's other end", "replies"},
	PLAIN_CALL(shutdown, "refusing a client"),

	PLAIN_CALL(rt_sigaction, "signals"),
	PLAIN_CALL(getpgrp, "whether this program is in the terminal's foreground"),
	PLAIN_CALL(getpid, "a signal to itself"),
	PLAIN_CALL(gettid, "a signal to itself"),
	{CALL(tgkill), {{0}}, OF_SELF, "this program", "a signal to itself"},
	PLAIN_CALL(rt_sigtimedwait, "COMMAND's end"),
	{CALL(wait4), {{0}}, OF_COMMAND, "COMMAND", "COMMAND's end"},
	{CALL(kill), {{SANDBOX_INT, 1, SIGTERM}}, OF_COMMAND, "COMMAND, SIGTERM", "COMMAND's end"},

	{CALL(openat), {{SANDBOX_INT, 2, SCREENSHOT_FLAGS}}, OF_SCREENSHOT, "the file of --screenshot",
	 "its picture"},
	{CALL(openat2), {{0}}, OF_SCREENSHOTS, "in the folder of --screenshots, to write", "monitor screenshot"},
	PLAIN_CALL(ftruncate, "a picture for which there is no room"),
	{CALL(unlinkat), {{0}}, OF_LEFTOVERS, "this program's sockets, and their directory", "removing them"},
	PLAIN_CALL(exit_group, "the end"),
};

/* What sanitizers and profilers do when they find something, or at the end. */
static const uint32_t instrumented[] = {
	SYS_access, SYS_arch_prctl, SYS_clock_nanosleep, SYS_clone, SYS_dup, SYS_exit, SYS_fcntl, SYS_fstat,
	SYS_ftruncate, SYS_futex, SYS_getcwd, SYS_getdents, SYS_getdents64, SYS_getppid, SYS_getrandom, SYS_getrlimit,
	SYS_lseek, SYS_lstat, SYS_madvise, SYS_mkdir, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_nanosleep,
	SYS_newfstatat, SYS_open, SYS_openat, SYS_pipe, SYS_pipe2, SYS_prctl, SYS_prlimit64, SYS_process_vm_readv,
	SYS_ptrace, SYS_readlink, SYS_readlinkat, SYS_sched_getaffinity, SYS_sched_yield, SYS_setrlimit,
	SYS_sigaltstack, SYS_stat, SYS_tgkill, SYS_tkill, SYS_uname, SYS_unlink, SYS_wait4, SYS_writev,
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Whoever compiles with --coverage, or clang's like, does not tell the preprocessor. */
extern char gcov_is_here __asm__("__gcov_init") __attribute__((weak));
extern char profile_is_here __asm__("__llvm_profile_runtime") __attribute__((weak));

bool sandbox_is_instrumented(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_UNDEFINED__)
	return true;
#endif
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
	return true;
#endif
#endif
	return &gcov_is_here || &profile_is_here;
}

static void add_check(struct sandbox_rule *rule, enum sandbox_test test, unsigned int argument, uint64_t value)
{
	for (size_t i = 0; i < SANDBOX_CHECKS; i++) {
		if (rule->checks[i].test == SANDBOX_ANY) {
			rule->checks[i] = (struct sandbox_check){test, argument, value};
			return;
		}
	}
}

static void add_file(struct sandbox_rule *rule, const struct sealed_file *file)
{
	add_check(rule, SANDBOX_INT, 0, (uint32_t)file->directory);
	add_check(rule, SANDBOX_EQUAL, 1, (uintptr_t)file->name);
}

/* The rules of a row: none, one, or one for each of several things. Returns how many. */
static size_t make_rules(struct sandbox_rule *rule, const struct row *row, const struct sandbox_facts *facts)
{
	const struct sealed_file *file;
	size_t count = 0;
	int flags;

	*rule = (struct sandbox_rule){.number = row->number};
	for (size_t i = 0; i < SANDBOX_CHECKS; i++)
		rule->checks[i] = row->checks[i];
	switch (row->special) {
	case PLAIN:
		break;
	case OF_SELF:
		add_check(rule, SANDBOX_INT, 0, (uint32_t)facts->self);
		break;
	case OF_COMMAND:
		if (!facts->command)
			return 0;
		add_check(rule, SANDBOX_INT, 0, (uint32_t)facts->command);
		break;
	case OF_OWNER:
		add_check(rule, SANDBOX_EQUAL, 2, (uintptr_t)facts->owner);
		return facts->owner ? 1 : 0;
	case OF_SCREENSHOT:
		if (!facts->screenshot)
			return 0;
		add_file(rule, facts->screenshot);
		break;
	case OF_SCREENSHOTS:
		add_check(rule, SANDBOX_INT, 0, (uint32_t)facts->screenshots);
		add_check(rule, SANDBOX_EQUAL, 2, (uintptr_t)facts->how);
		add_check(rule, SANDBOX_EQUAL, 3, sizeof(struct open_how));
		return facts->screenshots >= 0 && facts->how ? 1 : 0;
	case OF_LEFTOVERS:
		for (; (file = leftovers_get(count, &flags)); count++) {
			rule[count] = (struct sandbox_rule){.number = row->number};
			add_file(&rule[count], file);
			add_check(&rule[count], SANDBOX_INT, 2, (uint32_t)flags);
		}
		return count;
	}
	return 1;
}

static bool is_in_rows(uint32_t number)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].number == number)
			return true;
	}
	return false;
}

static bool is_free_when_instrumented(uint32_t number)
{
	for (size_t i = 0; i < COUNT(instrumented); i++) {
		if (instrumented[i] == number)
			return sandbox_is_instrumented();
	}
	return false;
}

size_t sandbox_rules(struct sandbox_rule rules[SANDBOX_RULES_MAX], const struct sandbox_facts *facts)
{
	size_t count = 0;

	_Static_assert(COUNT(rows) + COUNT(instrumented) + LEFTOVERS_MAX <= SANDBOX_RULES_MAX, "too many rules");
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (is_free_when_instrumented(rows[i].number))
			rules[count++] = (struct sandbox_rule){.number = rows[i].number};
		else
			count += make_rules(&rules[count], &rows[i], facts);
	}
	for (size_t i = 0; i < COUNT(instrumented) && sandbox_is_instrumented(); i++) {
		if (!is_in_rows(instrumented[i]))
			rules[count++] = (struct sandbox_rule){.number = instrumented[i]};
	}
	return count;
}

void sandbox_print_rules(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		printf("%-15s  %-44s  %s\n", rows[i].name, rows[i].only, rows[i].purpose);
	if (sandbox_is_instrumented())
		printf("%-15s  %-44s  %s\n", "instrumented", "much more", "the sanitizer or profiler in this program");
}
