#include "interrupt.h"

#include <string.h>

#include "memory.h"
#include "segment.h"

/* Gate types (SDM volume 3, 6.11). */
#define GATE_TASK 0x5
#define GATE_INTERRUPT_16 0x6
#define GATE_TRAP_16 0x7
#define GATE_INTERRUPT 0xe
#define GATE_TRAP 0xf

#define MSR_SYSENTER_EIP 0x176
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083

static bool has_error_code(uint8_t vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21;
}

static void set_frame(struct interrupt_gate *gate, unsigned int item, unsigned int items, bool error)
{
	gate->flags_size = item;
	gate->flags_offset = (error ? 3 : 2) * item;
	gate->frame = (items + error) * item;
}

static bool real_mode_gate(const struct vcpu *vcpu, uint8_t vector, struct interrupt_gate *gate)
{
	uint16_t pointer[2];

	if (vector * 4u + 3 > vcpu->sregs->idt.limit ||
	    memory_read(vcpu, vcpu->sregs->idt.base + vector * 4u, pointer, 4) != 4)
		return false;
	gate->base = (uint32_t)pointer[1] << 4;
	gate->handler = gate->base + pointer[0];
	set_frame(gate, 2, 3, false);
	return true;
}

bool interrupt_descriptor(const struct vcpu *vcpu, uint8_t vector, uint64_t words[2])
{
	unsigned int size = vcpu->sregs->efer & EFER_LMA ? 16 : 8;

	words[1] = 0;
	return vcpu->sregs->cr0 & CR0_PE && vector * size + size - 1 <= vcpu->sregs->idt.limit &&
	       memory_read(vcpu, vcpu->sregs->idt.base + vector * size, words, size) == (ssize_t)size;
}

bool interrupt_gate(const struct vcpu *vcpu, uint8_t vector, bool software,
		    struct interrupt_gate *gate)
{
	bool error = has_error_code(vector) && !software;
	bool long_mode = vcpu->sregs->efer & EFER_LMA;
	uint64_t words[2], base = 0;
	unsigned int type;

	if (!(vcpu->sregs->cr0 & CR0_PE))
		return real_mode_gate(vcpu, vector, gate);
	if (!interrupt_descriptor(vcpu, vector, words))
		return false;
	type = words[0] >> 40 & 0x1f;
	if (!(words[0] >> 47 & 1))
		return false;
	gate->base = 0;
	gate->handler = (words[0] & 0xffff) | (words[0] >> 32 & 0xffff0000);
	if (long_mode) {
		gate->handler |= words[1] << 32;
		set_frame(gate, 8, 5, error);
		return type == GATE_INTERRUPT || type == GATE_TRAP;
	}
	if (type == GATE_INTERRUPT_16 || type == GATE_TRAP_16)
		gate->handler &= 0xffff;
	else if (type != GATE_INTERRUPT && type != GATE_TRAP)
		return false; /* a task gate */
	if (!segment_base(vcpu, words[0] >> 16 & 0xffff, &base))
		return false;
	gate->base = base;
	gate->handler = (uint32_t)(gate->handler + base);
	set_frame(gate, type & 8 ? 4 : 2, 3, error);
	return true;
}

bool interrupt_task(const struct vcpu *vcpu, uint8_t vector, uint16_t *selector)
{
	uint64_t words[2];

	if (vcpu->sregs->efer & EFER_LMA || !interrupt_descriptor(vcpu, vector, words) || !(words[0] >> 47 & 1) ||
	    (words[0] >> 40 & 0x1f) != GATE_TASK)
		return false;
	*selector = (uint16_t)(words[0] >> 16);
	return true;
}

bool interrupt_enter_real(struct vcpu *vcpu, uint8_t vector, uint16_t ip, struct interrupt_gate *gate)
{
	const struct kvm_regs before = *vcpu->regs;
	struct kvm_sregs sregs = *vcpu->sregs;
	const uint16_t frame[3] = {ip, sregs.cs.selector, (uint16_t)before.rflags};
	uint16_t pointer[2], sp = (uint16_t)before.rsp;
	char why[200];

	if (sregs.cr0 & CR0_PE || sregs.ss.db || sp < sizeof(frame) ||
	    !real_mode_gate(vcpu, vector, gate) ||
	    memory_read(vcpu, sregs.idt.base + vector * 4u, pointer, 4) != 4 ||
	    segment_load(vcpu, &sregs, SEGMENT_CS, pointer[1], why, sizeof(why)) ||
	    memory_write(vcpu, sregs.ss.base + sp - sizeof(frame), frame, sizeof(frame)) ||
	    vcpu_end_shadow(vcpu) || vcpu_set_sregs(vcpu, &sregs))
		return false;
	vcpu->regs->rsp = (before.rsp & ~0xffffull) | (uint16_t)(sp - sizeof(frame));
	vcpu->regs->rip = pointer[0];
	vcpu->regs->rflags &= ~(uint64_t)(RFLAGS_IF | RFLAGS_TF | RFLAGS_AC);
	vcpu->regs_dirty = true;
	return true;
}

bool interrupt_system_call(struct vcpu *vcpu, bool sysenter, uint64_t *handler)
{
	bool long_mode = vcpu->sregs->efer & EFER_LMA;
	uint32_t msr = sysenter			      ? MSR_SYSENTER_EIP
		       : !long_mode		      ? MSR_STAR
		       : vcpu_mode(vcpu) == MODE_64 ? MSR_LSTAR
						      : MSR_CSTAR;

	if (vcpu_msr(vcpu, msr, handler))
		return false;
	if (!long_mode)
		*handler = (uint32_t)*handler;
	return true;
}
