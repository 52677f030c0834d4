/*
 * kvmgdb over a KVM that lacks something, or fails: all of it is the program's own, but ioctl() and mmap() come
 * by here, and so do open(), write(), send() and accept4(). The environment says what is to go wrong:
 *
 *   FAULTY_HIDE=NAME[,NAME]...     capabilities that this KVM does not have: SYNC_REGS, say
 *   FAULTY_FAIL=REQUEST:N:ERRNO    the Nth ioctl() of this kind fails (and is not made): KVM_RUN:1:EIO, say
 *   FAULTY_NTH=CALL:N:ERRNO        the Nth call of this function, with any arguments, fails: ioctl:1:EIO, say
 *   FAULTY_COUNT=FILE              how many calls of each there were is written there at the end
 *   FAULTY_SIGNALS=1               a signal ends every other KVM_RUN of the first virtual CPU before the guest runs
 *   FAULTY_KICKS=1                 a signal comes just behind each KVM_RUN of that, before the program has looked
 *   FAULTY_PAGE=GPA                a page of guest memory that the host cannot give while the guest runs
 *   FAULTY_CS=1                    the first code segment that the guest runs in has both L and D set, which
 *                                  KVM takes and no processor does
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE 4096ul
#define GUESTDBG_FIRST                                                                              \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP |                    \
	 KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)

static const struct {
	const char *name;
	long number;
} capabilities[] = {
	{"IMMEDIATE_EXIT", KVM_CAP_IMMEDIATE_EXIT},
	{"READONLY_MEM", KVM_CAP_READONLY_MEM},
	{"SET_GUEST_DEBUG", KVM_CAP_SET_GUEST_DEBUG},
	{"SET_GUEST_DEBUG2", KVM_CAP_SET_GUEST_DEBUG2},
	{"SYNC_REGS", KVM_CAP_SYNC_REGS},
	{"USER_MEMORY", KVM_CAP_USER_MEMORY},
};

static const struct {
	const char *name;
	unsigned long number;
} requests[] = {
	{"KVM_CREATE_VCPU", KVM_CREATE_VCPU},
	{"KVM_CREATE_VM", KVM_CREATE_VM},
	{"KVM_GET_API_VERSION", KVM_GET_API_VERSION},
	{"KVM_GET_REGS", KVM_GET_REGS},
	{"KVM_GET_VCPU_MMAP_SIZE", KVM_GET_VCPU_MMAP_SIZE},
	{"KVM_RUN", KVM_RUN},
	{"KVM_SET_CPUID2", KVM_SET_CPUID2},
	{"KVM_SET_GUEST_DEBUG", KVM_SET_GUEST_DEBUG},
	{"KVM_SET_REGS", KVM_SET_REGS},
	{"KVM_SET_USER_MEMORY_REGION", KVM_SET_USER_MEMORY_REGION},
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"EAGAIN", EAGAIN}, {"EBUSY", EBUSY}, {"EFAULT", EFAULT}, {"EHWPOISON", EHWPOISON}, {"EINTR", EINTR},
	{"EINVAL", EINVAL}, {"EIO", EIO},     {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC},	    {"ENOTTY", ENOTTY},
};

enum call { CALL_IOCTL, CALL_MMAP, CALL_OPEN, CALL_WRITE, CALL_SEND, CALL_ACCEPT, CALLS };
static const char *const calls[CALLS] = {"ioctl", "mmap", "open", "write", "send", "accept4"};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A test that asks for what is not in the tables is not to pass for that. */
static __attribute__((noreturn)) void misspelt(const char *name, const char *value)
{
	fprintf(stderr, "%s=%s: not understood\n", name, value);
	abort();
}

static struct {
	bool known;
	bool hidden[COUNT(capabilities)];
	unsigned long failing; /* request */
	unsigned long left;    /* until it fails; 0: no more */
	int error;
	enum call call;
	unsigned long nth; /* of these calls fails, with call_error; 0: none does */
	int call_error;
	unsigned long made[CALLS];
	int count_fd; /* 0: none */
	uint64_t page; /* GPA */
	bool has_page;
	void *host;    /* of the page */
	bool bad_cs;
	bool signals, signalled, kicks;
	int first_vcpu; /* 0: there is none yet */
	struct kvm_run *run[64]; /* by vCPU */
} faults;

static void parse_hide(const char *value)
{
	for (const char *p = value; *p;) {
		size_t len = strcspn(p, ","), i = 0;

		while (i < COUNT(capabilities) && (strncmp(capabilities[i].name, p, len) ||
						    capabilities[i].name[len]))
			i++;
		if (i == COUNT(capabilities))
			misspelt("FAULTY_HIDE", value);
		faults.hidden[i] = true;
		p += len + (p[len] == ',');
	}
}

static void parse_fail(const char *value)
{
	char request[32], error[16];
	size_t i = 0, j = 0;

	if (sscanf(value, "%31[A-Z_0-9]:%lu:%15[A-Z]", request, &faults.left, error) != 3)
		misspelt("FAULTY_FAIL", value);
	while (i < COUNT(requests) && strcmp(requests[i].name, request))
		i++;
	while (j < COUNT(errors) && strcmp(errors[j].name, error))
		j++;
	if (i == COUNT(requests) || j == COUNT(errors))
		misspelt("FAULTY_FAIL", value);
	faults.failing = requests[i].number;
	faults.error = errors[j].number;
}

static void parse_nth(const char *value)
{
	char name[16], error[16];
	size_t i = 0, j = 0;

	if (sscanf(value, "%15[a-z4]:%lu:%15[A-Z]", name, &faults.nth, error) != 3)
		misspelt("FAULTY_NTH", value);
	while (i < CALLS && strcmp(calls[i], name))
		i++;
	while (j < COUNT(errors) && strcmp(errors[j].name, error))
		j++;
	if (i == CALLS || j == COUNT(errors))
		misspelt("FAULTY_NTH", value);
	faults.call = (enum call)i;
	faults.call_error = errors[j].number;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);

static void tell_counts(void)
{
	char text[40];

	/* The sandbox lets nothing but a plain write through. */
	for (int i = 0; i < CALLS; i++) {
		int len = snprintf(text, sizeof(text), "%s %lu\n", calls[i], faults.made[i]);

		if (__real_write(faults.count_fd, text, (size_t)len) != len)
			_exit(2);
	}
}

static void parse(void)
{
	const char *value = getenv("FAULTY_HIDE");

	faults.known = true;
	if (value)
		parse_hide(value);
	value = getenv("FAULTY_FAIL");
	if (value)
		parse_fail(value);
	value = getenv("FAULTY_NTH");
	if (value)
		parse_nth(value);
	value = getenv("FAULTY_COUNT");
	if (value) {
		/* No file is opened in the sandbox. */
		faults.count_fd = __real_open(value, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (faults.count_fd < 0)
			misspelt("FAULTY_COUNT", value);
		atexit(tell_counts);
	}
	value = getenv("FAULTY_PAGE");
	faults.has_page = value;
	if (value)
		faults.page = strtoull(value, NULL, 0);
	faults.bad_cs = getenv("FAULTY_CS");
	faults.signals = getenv("FAULTY_SIGNALS");
	faults.kicks = getenv("FAULTY_KICKS");
}

static bool is_hidden(long capability)
{
	for (size_t i = 0; i < COUNT(capabilities); i++) {
		if (capabilities[i].number == capability)
			return faults.hidden[i];
	}
	return false;
}

/* Whether this is the one that fails; errno is set then. */
static bool fails(enum call call)
{
	if (!faults.known)
		parse();
	if (++faults.made[call] != faults.nth || call != faults.call)
		return false;
	errno = faults.call_error;
	return true;
}

ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	return fails(CALL_OPEN) ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	return fails(CALL_WRITE) ? -1 : __real_write(fd, buf, len);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	return fails(CALL_SEND) ? -1 : __real_send(fd, buf, len, flags);
}

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	return fails(CALL_ACCEPT) ? -1 : __real_accept4(fd, addr, len, flags);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *result = fails(CALL_MMAP) ? MAP_FAILED : __real_mmap(at, size, protection, flags, fd, offset);

	if (fd >= 0 && (size_t)fd < COUNT(faults.run))
		faults.run[fd] = result == MAP_FAILED ? NULL : result;
	return result;
}

static void spoil_cs(int vcpu)
{
	struct kvm_sregs sregs;

	faults.bad_cs = false;
	if (__real_ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return;
	sregs.cs.db = sregs.cs.l;
	__real_ioctl(vcpu, KVM_SET_SREGS, &sregs);
}

/* Kernels without KVM_CAP_SYNC_REGS do not look at the registers in the run page. */
static int run_unsynchronised(int vcpu)
{
	struct kvm_run *page = (size_t)vcpu < COUNT(faults.run) ? faults.run[vcpu] : NULL;
	uint64_t valid;
	int result;

	if (!page || !is_hidden(KVM_CAP_SYNC_REGS))
		return __real_ioctl(vcpu, KVM_RUN, 0);
	valid = page->kvm_valid_regs;
	page->kvm_valid_regs = 0;
	result = __real_ioctl(vcpu, KVM_RUN, 0);
	page->kvm_valid_regs = valid;
	return result;
}

static int run(int vcpu)
{
	int result, error;

	if (faults.bad_cs)
		spoil_cs(vcpu);
	if (faults.host)
		mprotect(faults.host, PAGE, PROT_NONE);
	result = run_unsynchronised(vcpu);
	error = errno;
	if (faults.host)
		mprotect(faults.host, PAGE, PROT_READ | PROT_WRITE);
	errno = error;
	return result;
}

/* What is pending is completed. */
static int run_with_signal(int vcpu)
{
	struct kvm_run *page = faults.run[vcpu];
	uint8_t before = page->immediate_exit;
	int result;

	page->immediate_exit = 1;
	result = run(vcpu);
	page->immediate_exit = before;
	return result;
}

/* As if a client had something to say: the next KVM_RUN is to end at once. */
static int run_and_kick(int vcpu)
{
	int result = run(vcpu), error = errno;

	raise(SIGIO);
	errno = error;
	return result;
}

static void find_page(const struct kvm_userspace_memory_region *region)
{
	if (faults.has_page && faults.page - region->guest_phys_addr < region->memory_size)
		faults.host = (void *)(uintptr_t)(region->userspace_addr + faults.page -
						  region->guest_phys_addr);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;
	int result;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (fails(CALL_IOCTL))
		return -1;
	if (faults.left && request == faults.failing && !--faults.left) {
		errno = faults.error;
		return -1;
	}
	switch (request) {
	case KVM_CHECK_EXTENSION:
		if (is_hidden((long)(intptr_t)argument))
			return 0;
		break;
	case KVM_SET_GUEST_DEBUG:
		/* Kernels without it know only the bits that there were first. */
		if (is_hidden(KVM_CAP_SET_GUEST_DEBUG2) &&
		    ((const struct kvm_guest_debug *)argument)->control & ~(uint32_t)GUESTDBG_FIRST) {
			errno = EINVAL;
			return -1;
		}
		break;
	case KVM_SET_USER_MEMORY_REGION:
		find_page(argument);
		break;
	case KVM_CREATE_VCPU:
		result = __real_ioctl(fd, request, argument);
		if (!faults.first_vcpu && result > 0 && (size_t)result < COUNT(faults.run))
			faults.first_vcpu = result;
		return result;
	case KVM_RUN:
		if (faults.signals && fd == faults.first_vcpu) {
			faults.signalled = !faults.signalled;
			if (faults.signalled)
				return run_with_signal(fd);
		}
		return faults.kicks && fd == faults.first_vcpu ? run_and_kick(fd) : run(fd);
	}
	return __real_ioctl(fd, request, argument);
}
