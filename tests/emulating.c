/*
 * kvmgdb over a KVM that emulates all guest code, as some hosts' do: all of it is the program's own, but ioctl()
 * and mmap() come by here. An Intel processor's KVM without unrestricted guests emulates what the processor cannot
 * run, which is each instruction while the task register is not that of a task, or in real mode a segment is too
 * long (Linux, arch/x86/kvm/vmx/vmx.c, __vmx_guest_state_valid()). So that is seen to before each KVM_RUN, and
 * hidden behind it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define CR0_PE 1u
#define TSS_AVAILABLE_32 9u /* VMX takes but busy ones */
#define TSS_BUSY_32 11u
#define REAL_LIMIT 0xffffu
#define LONG_LIMIT 0x1ffffu

static struct kvm_run *runs[64]; /* by vCPU's descriptor */

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *result = __real_mmap(at, size, protection, flags, fd, offset);

	if (fd >= 0 && (size_t)fd < COUNT(runs))
		runs[fd] = result == MAP_FAILED ? NULL : result;
	return result;
}

/* Nothing is changed that the guest could see. Returns whether anything was. */
static bool spoil(struct kvm_sregs *sregs)
{
	bool spoilt = false;

	if (sregs->tr.type == TSS_BUSY_32) {
		sregs->tr.type = TSS_AVAILABLE_32;
		spoilt = true;
	}
	if (!(sregs->cr0 & CR0_PE) && sregs->gs.limit == REAL_LIMIT) {
		sregs->gs.limit = LONG_LIMIT;
		spoilt = true;
	}
	return spoilt;
}

static void mend(struct kvm_sregs *sregs)
{
	if (sregs->tr.type == TSS_AVAILABLE_32)
		sregs->tr.type = TSS_BUSY_32;
	if (sregs->gs.limit == LONG_LIMIT)
		sregs->gs.limit = REAL_LIMIT;
}

static int run(int vcpu)
{
	struct kvm_run *page = (size_t)vcpu < COUNT(runs) ? runs[vcpu] : NULL;
	struct kvm_sregs sregs;
	int result, error;

	if (!__real_ioctl(vcpu, KVM_GET_SREGS, &sregs) && spoil(&sregs))
		__real_ioctl(vcpu, KVM_SET_SREGS, &sregs);
	result = __real_ioctl(vcpu, KVM_RUN, 0);
	error = errno;
	if (page)
		mend(&page->s.regs.sregs);
	errno = error;
	return result;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;
	int result;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (request == KVM_RUN)
		return run(fd);
	result = __real_ioctl(fd, request, argument);
	if (request == KVM_GET_SREGS && !result)
		mend(argument);
	return result;
}
