/* Where the vCPU is, and in which mode: what its registers say. */
#include <stdio.h>

#include "vcpu.h"

enum vcpu_mode vcpu_mode(const struct vcpu *vcpu)
{
	if (vcpu->sregs->efer & EFER_LMA && vcpu->sregs->cs.l)
		return MODE_64;
	return vcpu->sregs->cs.db ? MODE_32 : MODE_16;
}

bool vcpu_is_real(const struct vcpu *vcpu)
{
	return !(vcpu->sregs->cr0 & CR0_PE) || vcpu->regs->rflags & RFLAGS_VM;
}

unsigned int vcpu_cpl(const struct vcpu *vcpu)
{
	if (!(vcpu->sregs->cr0 & CR0_PE))
		return 0;
	/* Not of CS's selector, which is still a real-mode one until the first far jump. */
	return vcpu->regs->rflags & RFLAGS_VM ? 3 : vcpu->sregs->ss.dpl;
}

uint64_t vcpu_pc(const struct vcpu *vcpu)
{
	if (vcpu_mode(vcpu) == MODE_64)
		return vcpu->regs->rip;
	return (uint32_t)(vcpu->sregs->cs.base + vcpu->regs->rip);
}

uint64_t vcpu_sp(const struct vcpu *vcpu)
{
	uint64_t sp = vcpu->regs->rsp;

	if (vcpu_mode(vcpu) == MODE_64)
		return sp;
	return (uint32_t)(vcpu->sregs->ss.base + (vcpu->sregs->ss.db ? (uint32_t)sp : (uint16_t)sp));
}

const char *vcpu_where(const struct vcpu *vcpu, char *text, size_t size)
{
	unsigned int cs = vcpu->sregs->cs.selector;
	unsigned long long ip = vcpu->regs->rip;

	if (vcpu_mode(vcpu) == MODE_64)
		snprintf(text, size, "0x%llx", ip);
	else
		snprintf(text, size, vcpu_mode(vcpu) == MODE_16 ? "%04x:%04llx" : "%04x:%08llx", cs,
			 ip & 0xffffffff);
	return text;
}

__u64 *vcpu_general(struct kvm_regs *regs, unsigned int number)
{
	static const uint8_t places[16] = {
		offsetof(struct kvm_regs, rax), offsetof(struct kvm_regs, rcx), offsetof(struct kvm_regs, rdx),
		offsetof(struct kvm_regs, rbx), offsetof(struct kvm_regs, rsp), offsetof(struct kvm_regs, rbp),
		offsetof(struct kvm_regs, rsi), offsetof(struct kvm_regs, rdi), offsetof(struct kvm_regs, r8),
		offsetof(struct kvm_regs, r9),	offsetof(struct kvm_regs, r10), offsetof(struct kvm_regs, r11),
		offsetof(struct kvm_regs, r12), offsetof(struct kvm_regs, r13), offsetof(struct kvm_regs, r14),
		offsetof(struct kvm_regs, r15),
	};

	return (__u64 *)((char *)regs + places[number & 15]);
}
