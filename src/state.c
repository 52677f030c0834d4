#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"

#define CR4_LA57 0x1000u
#define RFLAGS_FIXED 0x2u
#define RFLAGS_IF 0x200u
#define RFLAGS_WRITABLE 0x3f7fd5u /* SDM volume 1, figure 3-8 */

static int refuse(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return -EINVAL;
}

/* --- x87: FXSAVE keeps the registers in stack order, with the tag word abridged --- */

/* The full tag word: FXSAVE keeps only "empty or not", the rest is in the values (SDM 1, 8.1.7). */
static uint16_t full_tags(const struct fxsave *fpu)
{
	unsigned int top = fpu->fsw >> 11 & 7, tags = 0;

	for (unsigned int physical = 0; physical < 8; physical++) {
		const uint8_t *st = fpu->st[(physical - top) & 7];
		uint64_t mantissa;
		unsigned int exponent = (unsigned int)(st[9] & 0x7f) << 8 | st[8], tag;

		memcpy(&mantissa, st, sizeof(mantissa));
		if (!(fpu->ftw & 1u << physical))
			tag = 3; /* empty */
		else if (!exponent && !mantissa)
			tag = 1; /* zero */
		else if (exponent == 0x7fff || !exponent || !(mantissa >> 63))
			tag = 2; /* special */
		else
			tag = 0;
		tags |= tag << 2 * physical;
	}
	return (uint16_t)tags;
}

static uint8_t abridged_tags(uint64_t tags)
{
	unsigned int abridged = 0;

	for (unsigned int physical = 0; physical < 8; physical++) {
		if ((tags >> 2 * physical & 3) != 3)
			abridged |= 1u << physical;
	}
	return (uint8_t)abridged;
}

static uint64_t fpu_control(const struct fxsave *fpu, enum register_home home)
{
	switch (home) {
	case HOME_FCTRL:
		return fpu->fcw;
	case HOME_FSTAT:
		return fpu->fsw;
	case HOME_FTAG:
		return full_tags(fpu);
	/* FXSAVE64's layout: the selectors take the upper halves of 64-bit pointers. */
	case HOME_FISEG:
		return fpu->fip >> 32 & 0xffff;
	case HOME_FIOFF:
		return fpu->fip & 0xffffffff;
	case HOME_FOSEG:
		return fpu->fdp >> 32 & 0xffff;
	case HOME_FOOFF:
		return fpu->fdp & 0xffffffff;
	case HOME_FOP:
		return fpu->fop;
	default: /* HOME_MXCSR */
		return fpu->mxcsr;
	}
}

static void set_fpu_control(struct fxsave *fpu, enum register_home home, uint64_t value)
{
	const uint64_t low = 0xffffffff;

	switch (home) {
	case HOME_FCTRL:
		fpu->fcw = (uint16_t)value;
		break;
	case HOME_FSTAT:
		fpu->fsw = (uint16_t)value;
		break;
	case HOME_FTAG:
		fpu->ftw = abridged_tags(value);
		break;
	case HOME_FISEG:
		fpu->fip = (fpu->fip & low) | (value & 0xffff) << 32;
		break;
	case HOME_FIOFF:
		fpu->fip = (fpu->fip & ~low) | (value & low);
		break;
	case HOME_FOSEG:
		fpu->fdp = (fpu->fdp & low) | (value & 0xffff) << 32;
		break;
	case HOME_FOOFF:
		fpu->fdp = (fpu->fdp & ~low) | (value & low);
		break;
	case HOME_FOP:
		fpu->fop = value & 0x7ff;
		break;
	default: /* HOME_MXCSR */
		fpu->mxcsr = (uint32_t)value;
	}
}

static bool is_fpu(enum register_home home)
{
	return home == HOME_ST || home == HOME_XMM || home == HOME_MXCSR ||
	       (home >= HOME_FCTRL && home <= HOME_FOP);
}

static int read_fpu(struct vcpu *vcpu, const struct register_row *row, uint8_t *value)
{
	const struct fxsave *fpu = vcpu_fpu(vcpu);
	uint64_t control;

	if (!fpu)
		return -errno;
	if (row->home == HOME_ST) {
		memcpy(value, fpu->st[row->index], 10);
	} else if (row->home == HOME_XMM) {
		memcpy(value, fpu->xmm[row->index], 16);
	} else {
		control = fpu_control(fpu, row->home);
		memcpy(value, &control, row->bits / 8);
	}
	return 0;
}

static int write_fpu(struct vcpu *vcpu, const struct register_row *row, const uint8_t *value,
		     char *why, size_t size)
{
	const struct fxsave *now = vcpu_fpu(vcpu);
	struct fxsave fpu;
	uint64_t control = 0;
	int result;

	if (!now)
		return -errno;
	fpu = *now;
	if (row->home == HOME_ST) {
		memcpy(fpu.st[row->index], value, 10);
	} else if (row->home == HOME_XMM) {
		memcpy(fpu.xmm[row->index], value, 16);
	} else {
		memcpy(&control, value, row->bits / 8);
		if (row->home == HOME_MXCSR && control >> 16)
			return refuse(why, size, "mxcsr has no bits above 15");
		set_fpu_control(&fpu, row->home, control);
	}
	result = vcpu_set_fpu(vcpu, &fpu);
	if (result)
		snprintf(why, size, "KVM refuses this value of %s: %s", row->name,
			 strerror(-result));
	return result;
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
		return refuse(why, size, "the address is beyond 4 GiB");
	*offset = (uint32_t)(linear - segment->base);
	if (!vcpu_is_real(vcpu))
		return 0;
	if (*offset <= 0xffff)
		return 0;
	if (linear > 0x10ffef)
		return refuse(why, size, "the address is beyond what real mode reaches, 0x10ffef");
	segment->selector = linear > 0xfffff ? 0xffff : (uint16_t)(linear >> 4 & 0xf000);
	segment->base = (uint64_t)segment->selector << 4;
	*offset = linear - segment->base;
	result = vcpu_set_sregs(vcpu, &sregs);
	if (result)
		snprintf(why, size, "KVM refuses %s = 0x%04x: %s", segment_name(which),
			 segment->selector, strerror(-result));
	return result;
}

static bool is_canonical(const struct kvm_sregs *sregs, uint64_t address)
{
	unsigned int shift = 64 - (sregs->cr4 & CR4_LA57 ? 57 : 48);

	return (uint64_t)((int64_t)(address << shift) >> shift) == address;
}

int state_set_pc(struct vcpu *vcpu, uint64_t linear, char *why, size_t size)
{
	int result = 0;

	if (vcpu_mode(vcpu) != MODE_64)
		result = split(vcpu, SEGMENT_CS, linear, &linear, why, size);
	else if (!is_canonical(vcpu->sregs, linear))
		return refuse(why, size, "the address is not canonical: no code can be there");
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
				return refuse(why, size,
					      "the address is not within the 64 KiB of ss");
			offset |= vcpu->regs->rsp & ~0xffffull;
		}
	}
	vcpu->regs->rsp = offset;
	vcpu->regs_dirty = true;
	return 0;
}

/* --- control registers --- */

/* CR4's bits that an x86 CPU has (SDM volume 3, 2.5); KVM refuses those that this one lacks. */
#define CR4_KNOWN 0x1ff7fffull

static const char *bad_control(const struct kvm_sregs *sregs, uint16_t which, uint64_t value)
{
	switch (which) {
	case 0:
		if (value >> 32)
			return "cr0 has no bits above 31";
		if (value & CR0_PG && !(value & CR0_PE))
			return "cr0.PG needs cr0.PE";
		if (value & 0x20000000 && !(value & 0x40000000))
			return "cr0.NW needs cr0.CD";
		if (value & CR0_PG && sregs->efer & EFER_LME && !(sregs->cr4 & CR4_PAE))
			return "cr0.PG with efer.LME needs cr4.PAE";
		if (!(value & CR0_PG) && sregs->efer & EFER_LMA && sregs->cs.l)
			return "cr0.PG cannot be cleared in 64-bit mode";
		return NULL;
	case 3:
		return value >> 52 ? "cr3 has no address bits above 51" : NULL;
	case 4:
		if (value & ~CR4_KNOWN)
			return "the value has bits that cr4 does not have";
		if (sregs->efer & EFER_LMA && !(value & CR4_PAE))
			return "cr4.PAE cannot be cleared in long mode";
		return NULL;
	case 8:
		return value > 15 ? "cr8 is 0 to 15" : NULL;
	default:
		return NULL;
	}
}

/* SCE, LME, LMA, NXE, and AMD's SVME, LMSLE, FFXSR, TCE, MCOMMIT, INTWB, UAIE, AIBRSE. */
#define EFER_KNOWN 0x36fd01ull

static const char *bad_efer(const struct kvm_sregs *sregs, uint64_t value)
{
	bool long_mode = sregs->cr0 & CR0_PG && value & EFER_LME;

	if (value & ~EFER_KNOWN)
		return "the value has bits that efer does not have";
	if ((value ^ sregs->efer) & EFER_LME && sregs->cr0 & CR0_PG)
		return "efer.LME cannot be changed while paging is on";
	if (!(value & EFER_LMA) != !long_mode)
		return "efer.LMA follows efer.LME and cr0.PG";
	return NULL;
}

static __u64 *control_register(struct kvm_sregs *sregs, uint16_t which)
{
	switch (which) {
	case 0:
		return &sregs->cr0;
	case 2:
		return &sregs->cr2;
	case 3:
		return &sregs->cr3;
	case 4:
		return &sregs->cr4;
	default:
		return &sregs->cr8;
	}
}

/* Changing CR0.PG with EFER.LME set enters or leaves long mode, and the CPU sets LMA. */
static void follow_paging(struct kvm_sregs *sregs)
{
	if (sregs->cr0 & CR0_PG && sregs->efer & EFER_LME)
		sregs->efer |= EFER_LMA;
	else
		sregs->efer &= ~(uint64_t)EFER_LMA;
}

static int write_system(struct vcpu *vcpu, const struct register_row *row, uint64_t value, char *why,
			size_t size)
{
	struct kvm_sregs sregs = copy_sregs(vcpu);
	const char *problem = NULL;
	int result = 0;

	switch (row->home) {
	case HOME_SELECTOR:
		if (value > 0xffff)
			return refuse(why, size, "a selector has 16 bits");
		result = segment_load(vcpu, &sregs, row->index, (uint16_t)value, why, size);
		break;
	case HOME_BASE:
		if (row->index < SEGMENT_FS && value >> 32)
			problem = "the base has 32 bits";
		else if (!is_canonical(&sregs, value))
			problem = "the base is not a canonical address";
		segment_of(&sregs, row->index)->base = value;
		break;
	case HOME_EFER:
		problem = bad_efer(&sregs, value);
		sregs.efer = value;
		break;
	default: /* HOME_CONTROL */
		problem = bad_control(&sregs, row->index, value);
		*control_register(&sregs, row->index) = value;
		if (row->index == 0)
			follow_paging(&sregs);
	}
	if (problem)
		return refuse(why, size, problem);
	if (!result) {
		result = vcpu_set_sregs(vcpu, &sregs);
		if (result)
			snprintf(why, size, "KVM refuses %s = 0x%llx: %s", row->name,
				 (unsigned long long)value, strerror(-result));
	}
	return result;
}

static uint64_t read_value(const struct vcpu *vcpu, const struct register_row *row)
{
	/* const is cast away for the sake of the accessors; nothing is written. */
	struct kvm_sregs *sregs = (struct kvm_sregs *)vcpu->sregs;

	switch (row->home) {
	case HOME_GENERAL:
		return *(const __u64 *)((const char *)vcpu->regs + row->index);
	case HOME_PC:
		return vcpu_pc(vcpu);
	case HOME_SP:
		return vcpu_sp(vcpu);
	case HOME_RAW_IP:
		return vcpu->regs->rip;
	case HOME_RAW_SP:
		return vcpu->regs->rsp;
	case HOME_FLAGS:
		return vcpu->regs->rflags;
	case HOME_SELECTOR:
		return segment_of(sregs, row->index)->selector;
	case HOME_BASE:
		return segment_of(sregs, row->index)->base;
	case HOME_CONTROL:
		return *control_register(sregs, row->index);
	case HOME_EFER:
		return sregs->efer;
	default: /* HOME_MODE */
		return 16u << vcpu_mode(vcpu);
	}
}

int state_read(struct vcpu *vcpu, const struct register_row *row, uint8_t *value)
{
	uint64_t number;

	if (is_fpu(row->home))
		return read_fpu(vcpu, row, value);
	number = read_value(vcpu, row);
	memcpy(value, &number, row->bits / 8);
	return 0;
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
		return refuse(why, size, "the value has bits that eflags does not have");
	if ((value ^ vcpu->regs->rflags) & RFLAGS_VM)
		return refuse(why, size, "eflags.VM can be changed by IRET or a task switch only");
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
	uint64_t number = 0;
	int result = 0;

	if (is_fpu(row->home))
		return write_fpu(vcpu, row, value, why, size);
	memcpy(&number, value, row->bits / 8);
	/* Nothing is done for what is there already: G writes every register. */
	if (number == (row->bits == 64 ? read_value(vcpu, row)
				       : read_value(vcpu, row) & ((1ull << row->bits) - 1)))
		return 0;
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
		return refuse(why, size, "cpu_mode follows from cs, cr0 and efer");
	default:
		return write_system(vcpu, row, number, why, size);
	}
	if (!result)
		vcpu->regs_dirty = true;
	return result;
}
