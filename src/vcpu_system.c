/* The registers that KVM is asked for one by one: model-specific ones, debug registers, XCR0. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "vcpu.h"

#define DR7_ENABLED 0xffu

bool vcpu_lists_msr(struct vcpu *vcpu, uint32_t index)
{
	struct kvm_msr_list count = {0};

	if (!vcpu->msrs) {
		/* Fails, since there is no room, and says how much is needed. */
		ioctl(vcpu->vm->device, KVM_GET_MSR_INDEX_LIST, &count);
		vcpu->msrs = malloc(sizeof(count) + count.nmsrs * sizeof(*count.indices));
		if (!vcpu->msrs)
			return false;
		*vcpu->msrs = count;
		if (ioctl(vcpu->vm->device, KVM_GET_MSR_INDEX_LIST, vcpu->msrs))
			vcpu->msrs->nmsrs = 0;
	}
	for (uint32_t i = 0; i < vcpu->msrs->nmsrs; i++) {
		if (vcpu->msrs->indices[i] == index)
			return true;
	}
	return false;
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

/* KVM tells how many it has taken: none of one is a refusal. */
static int msr_result(int taken)
{
	if (taken < 0)
		return -errno;
	return taken ? 0 : -EINVAL;
}

int vcpu_msr(struct vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct one_msr msr = {.head.nmsrs = 1, .entry.index = index};
	int result = vcpu_need_features(vcpu);

	if (!result)
		result = msr_result(ioctl(vcpu->fd, KVM_GET_MSRS, &msr));
	*value = msr.entry.data;
	return result;
}

int vcpu_set_msr(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct one_msr msr = {.head.nmsrs = 1, .entry.index = index, .entry.data = value};
	int result = vcpu_need_features(vcpu);

	return result ? result : msr_result(ioctl(vcpu->fd, KVM_SET_MSRS, &msr));
}

int vcpu_debug_registers(const struct vcpu *vcpu, struct kvm_debugregs *registers)
{
	return ioctl(vcpu->fd, KVM_GET_DEBUGREGS, registers) ? -errno : 0;
}

bool vcpu_has_breakpoints(struct vcpu *vcpu)
{
	struct kvm_debugregs registers;

	if (!vcpu->own_breakpoints_known) {
		vcpu->own_breakpoints = vcpu_debug_registers(vcpu, &registers) || registers.dr7 & DR7_ENABLED;
		vcpu->own_breakpoints_known = true;
	}
	return vcpu->own_breakpoints;
}

int vcpu_set_debug_registers(struct vcpu *vcpu, const struct kvm_debugregs *registers)
{
	vcpu->own_breakpoints_known = false;
	return ioctl(vcpu->fd, KVM_SET_DEBUGREGS, registers) ? -errno : 0;
}

int vcpu_xcr0(struct vcpu *vcpu, uint64_t *value)
{
	struct kvm_xcrs xcrs;
	int result = vcpu_need_features(vcpu);

	if (result)
		return result;
	if (ioctl(vcpu->fd, KVM_GET_XCRS, &xcrs))
		return -errno;
	for (uint32_t i = 0; i < xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++) {
		*value = xcrs.xcrs[i].value;
		if (!xcrs.xcrs[i].xcr)
			return 0;
	}
	return -ENOTSUP;
}

int vcpu_set_xcr0(struct vcpu *vcpu, uint64_t value)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0].value = value};
	int result = vcpu_need_features(vcpu);

	if (result)
		return result;
	return ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs) ? -errno : 0;
}
