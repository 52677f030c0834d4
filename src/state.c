#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"
#include "state_parts.h"

#define CR4_LA57 0x1000u
#define RFLAGS_FIXED 0x2u
#define RFLAGS_IF 0x200u
#define RFLAGS_WRITABLE 0x3f7fd5u /* SDM volume 1, figure 3-8 */

int state_refuse(char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return -EINVAL;
}

/* --- the stack pointer and the program counter: linear addresses outside 64-bit mode --- */

static struct kvm_sregs copy_sregs(const struct vcpu *vcpu)
{
	return *vcpu->sregs;
}

/*
 * The segment and offset of a linear address: the present segment if it reaches so far, in real mode
 * else the 64 KiB page that the address is in.
 */
static int split(struct vcpu *vcpu, enum segment which, uint64_t linear, uint64_t *offset, char *why,
		 size_t size)
{
	struct kvm_sregs sregs = copy_sregs(vcpu);
	struct kvm_segment *segment = segment_of(&sregs, which);
	int result;

	if (linear >> 32)
		return state_refuse(why, size, "the address is beyond 4 GiB");
	*offset = (uint32_t)(linear - segment->base);
	if (!vcpu_is_real(vcpu))
		return 0;
	if (*offset <= 0xffff)
		return 0;
	if (linear > 0x10ffef)
		return state_refuse(why, size, "the address is beyond what real mode reaches, 0x10ffef");
	segment->selector = linear > 0xfffff ? 0xffff : (uint16_t)(linear >> 4 & 0xf000);
	segment->base = (uint64_t)segment->selector << 4;
	*offset = linear - segment->base;
	result = vcpu_set_sregs(vcpu, &sregs);
	if (result)
		snprintf(why, size, "KVM refuses %s = 0x%04x: %s", segment_name(which),
			 segment->selector, strerror(-result));
	return result;
}

bool state_is_canonical(const struct kvm_sregs *sregs, uint64_t address)
{
	unsigned int shift = 64 - (sregs->cr4 & CR4_LA57 ? 57 : 48);

	return (uint64_t)((int64_t)(address << shift) >> shift) == address;
}

int state_set_pc(struct vcpu *vcpu, uint64_t linear, char *why, size_t size)
{
	int result = 0;

	if (vcpu_mode(vcpu) != MODE_64)
		result = split(vcpu, SEGMENT_CS, linear, &linear, why, size);
	else if (!state_is_canonical(vcpu->sregs, linear))
		return state_refuse(why, size, "the address is not canonical: no code can be there");
	if (!result) {
		vcpu->regs->rip = linear;
		vcpu->regs_dirty = true;
	}
	return result;
}

static int set_sp(struct vcpu *vcpu, uint64_t linear, char *why, size_t size)
{
	uint64_t offset = linear;
	int result;

	if (vcpu_mode(vcpu) != MODE_64) {
		result = split(vcpu, SEGMENT_SS, linear, &offset, why, size);
		if (result)
			return result;
		/* A 16-bit stack leaves the upper half of ESP alone, as PUSH and POP do. */
		if (!vcpu->sregs->ss.db) {
			if (offset > 0xffff)
				return state_refuse(why, size,
					      "the address is not within the 64 KiB of ss");
			offset |= vcpu->regs->rsp & ~0xffffull;
		}
	}
	vcpu->regs->rsp = offset;
	vcpu->regs_dirty = true;
	return 0;
}

static int read_value(struct vcpu *vcpu, const struct register_row *row, uint64_t *value)
{
	switch (row->home) {
	case HOME_GENERAL:
		*value = *(const __u64 *)((const char *)vcpu->regs + row->index);
		return 0;
	case HOME_PC:
		*value = vcpu_pc(vcpu);
		return 0;
	case HOME_SP:
		*value = vcpu_sp(vcpu);
		return 0;
	case HOME_RAW_IP:
		*value = vcpu->regs->rip;
		return 0;
	case HOME_RAW_SP:
		*value = vcpu->regs->rsp;
		return 0;
	case HOME_FLAGS:
		*value = vcpu->regs->rflags;
		return 0;
	case HOME_MODE:
		*value = 16u << vcpu_mode(vcpu);
		return 0;
	default:
		return state_read_system(vcpu, row, value);
	}
}

static int read_bytes(struct vcpu *vcpu, const struct register_row *row, uint8_t *value)
{
	uint64_t number;
	int result;

	if (state_is_fpu(row->home))
		return state_read_fpu(vcpu, row, value);
	result = read_value(vcpu, row, &number);
	if (!result)
		memcpy(value, &number, row->bits / 8);
	return result;
}

int state_read(struct vcpu *vcpu, const struct register_row *row, uint8_t *value)
{
	int result = read_bytes(vcpu, row, value);

	if (!result && row->home == HOME_MSR && row->index == MSR_TSC)
		memcpy(&vcpu->tsc_shown, value, sizeof(vcpu->tsc_shown));
	return result;
}

bool state_has(void *context, const struct register_row *row)
{
	struct vcpu *vcpu = context;
	uint8_t value[REGISTER_SIZE_MAX];

	if (vcpu_need_features(vcpu))
		return false;
	if (row->home == HOME_MSR && !vcpu_lists_msr(vcpu, row->index))
		return false;
	if (row->home == HOME_XSTATE && !vcpu->xstate_offset[row->component])
		return false;
	/* The three components of AVX-512 come together or not at all, and upon AVX. */
	if (row->home == HOME_XSTATE && row->component != XSTATE_PKRU &&
	    row->component != XSTATE_AVX &&
	    !(vcpu->xstate_offset[XSTATE_AVX] && vcpu->xstate_offset[XSTATE_OPMASK] &&
	      vcpu->xstate_offset[XSTATE_ZMM_HI256] && vcpu->xstate_offset[XSTATE_HI16_ZMM]))
		return false;
	return !read_bytes(vcpu, row, value);
}

/* A register of which the layout shows only a part keeps the rest. */
static void set_part(__u64 *whole, uint64_t value, uint16_t bits)
{
	uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1;

	*whole = (*whole & ~mask) | (value & mask);
}

static int write_flags(struct vcpu *vcpu, uint64_t value, char *why, size_t size)
{
	if (value & ~(uint64_t)(RFLAGS_WRITABLE | RFLAGS_FIXED))
		return state_refuse(why, size, "the value has bits that eflags does not have");
	if ((value ^ vcpu->regs->rflags) & RFLAGS_VM)
		return state_refuse(why, size, "eflags.VM can be changed by IRET or a task switch only");
	if (vcpu->regs->rflags & ~value & RFLAGS_IF) {
		int result = vcpu_end_shadow(vcpu);

		if (result)
			return result;
	}
	vcpu->regs->rflags = value | RFLAGS_FIXED;
	return 0;
}

int state_write(struct vcpu *vcpu, const struct register_row *row, const uint8_t *value, char *why,
		size_t size)
{
	struct kvm_regs *regs = vcpu->regs;
	uint8_t before[REGISTER_SIZE_MAX];
	uint64_t number = 0;
	int result = read_bytes(vcpu, row, before);

	/* Nothing is done for what is there already: G writes every register, and so does gdb after a call. */
	if (result || !memcmp(before, value, row->bits / 8))
		return result;
	if (state_is_fpu(row->home))
		return state_write_fpu(vcpu, row, value, why, size);
	memcpy(&number, value, row->bits / 8);
	switch (row->home) {
	case HOME_GENERAL:
		set_part((__u64 *)((char *)regs + row->index), number, row->bits);
		break;
	case HOME_PC:
		return state_set_pc(vcpu, number, why, size);
	case HOME_SP:
		return set_sp(vcpu, number, why, size);
	case HOME_RAW_IP:
		set_part(&regs->rip, number, 16);
		break;
	case HOME_RAW_SP:
		set_part(&regs->rsp, number, 16);
		break;
	case HOME_FLAGS:
		result = write_flags(vcpu, number, why, size);
		break;
	case HOME_MODE:
		return state_refuse(why, size, "cpu_mode follows from cs, cr0 and efer");
	default:
		return state_write_system(vcpu, row, number, why, size);
	}
	if (!result)
		vcpu->regs_dirty = true;
	return result;
}
