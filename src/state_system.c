/* Segments, descriptor tables, control, debug and model-specific registers. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"
#include "state_parts.h"

/* --- those that come with every exit --- */

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

static struct kvm_dtable *table_of(struct kvm_sregs *sregs, uint32_t which)
{
	return which == TABLE_GDT ? &sregs->gdt : &sregs->idt;
}

/* A limit above 1 MiB is kept in pages (SDM volume 3, 26.3.1.2 demands that both agree). */
static const char *set_limit(struct kvm_segment *segment, uint64_t limit)
{
	if (limit > 0xfffff && (limit & 0xfff) != 0xfff)
		return "a limit above 0xfffff ends in fff";
	segment->limit = (uint32_t)limit;
	segment->g = limit > 0xfffff;
	return NULL;
}

static uint64_t sregs_value(const struct kvm_sregs *from, const struct register_row *row)
{
	/* const is cast away for the sake of the accessors; nothing is written. */
	struct kvm_sregs *sregs = (struct kvm_sregs *)from;

	switch (row->home) {
	case HOME_SELECTOR:
		return segment_of(sregs, row->index)->selector;
	case HOME_BASE:
		return segment_of(sregs, row->index)->base;
	case HOME_LIMIT:
		return segment_of(sregs, row->index)->limit;
	case HOME_TABLE_BASE:
		return table_of(sregs, row->index)->base;
	case HOME_TABLE_LIMIT:
		return table_of(sregs, row->index)->limit;
	case HOME_EFER:
		return sregs->efer;
	case HOME_APIC_BASE:
		return sregs->apic_base;
	default: /* HOME_CONTROL */
		return *control_register(sregs, row->index);
	}
}

static int write_sregs(struct vcpu *vcpu, const struct register_row *row, uint64_t value, char *why,
		       size_t size)
{
	struct kvm_sregs sregs = *vcpu->sregs;
	const char *problem = NULL;
	int result = 0;

	switch (row->home) {
	case HOME_SELECTOR:
		if (value > 0xffff)
			problem = "a selector has 16 bits";
		else
			result = segment_load(vcpu, &sregs, row->index, (uint16_t)value, why, size);
		break;
	case HOME_BASE:
		if (row->index < SEGMENT_FS && value >> 32)
			problem = "the base has 32 bits";
		else if (!state_is_canonical(&sregs, value))
			problem = "the base is not a canonical address";
		segment_of(&sregs, row->index)->base = value;
		break;
	case HOME_LIMIT:
		problem = set_limit(segment_of(&sregs, row->index), value);
		break;
	case HOME_TABLE_BASE:
		if (!state_is_canonical(&sregs, value))
			problem = "the base is not a canonical address";
		table_of(&sregs, row->index)->base = value;
		break;
	case HOME_TABLE_LIMIT:
		table_of(&sregs, row->index)->limit = (uint16_t)value;
		break;
	case HOME_EFER:
		problem = bad_efer(&sregs, value);
		sregs.efer = value;
		break;
	case HOME_APIC_BASE:
		sregs.apic_base = value;
		break;
	default: /* HOME_CONTROL */
		problem = bad_control(&sregs, row->index, value);
		*control_register(&sregs, row->index) = value;
		if (row->index == 0)
			follow_paging(&sregs);
	}
	if (problem)
		return state_refuse(why, size, "%s", problem);
	if (result)
		return result;
	result = vcpu_set_sregs(vcpu, &sregs);
	return result ? result : vcpu_reread_sregs(vcpu);
}

/* --- the guest's own debug registers --- */

#define DR6_ONES 0xffff0ff0ull /* bits that are always set (SDM volume 3, figure 18-1) */
#define DR6_WRITABLE 0xe00full
#define DR7_ONE 0x400ull
#define DR7_WRITABLE 0xffff2bffull

static __u64 *debug_register(struct kvm_debugregs *all, uint32_t which)
{
	return which == 7 ? &all->dr7 : which == 6 ? &all->dr6 : &all->db[which];
}

static int write_debug(struct vcpu *vcpu, const struct register_row *row, uint64_t *value, char *why,
		       size_t size)
{
	struct kvm_debugregs all;
	int result = vcpu_debug_registers(vcpu, &all);

	if (result)
		return result;
	if ((row->index == 6 && *value & ~(DR6_ONES | DR6_WRITABLE)) ||
	    (row->index == 7 && *value & ~(DR7_ONE | DR7_WRITABLE)))
		return state_refuse(why, size, "the value has bits that %s does not have", row->name);
	if (row->index >= 6)
		*value |= row->index == 6 ? DR6_ONES : DR7_ONE;
	*debug_register(&all, row->index) = *value;
	return vcpu_set_debug_registers(vcpu, &all);
}

/* --- XCR0 --- */

static const char *bad_xcr0(uint64_t value)
{
	const uint64_t avx512 = 1 << XSTATE_OPMASK | 1 << XSTATE_ZMM_HI256 | 1 << XSTATE_HI16_ZMM;

	if (!(value & 1))
		return "xcr0.X87 is always set";
	if (value & 1 << XSTATE_AVX && !(value & 2))
		return "xcr0.AVX needs xcr0.SSE";
	if (value & avx512 && (value & avx512) != avx512)
		return "xcr0.OPMASK, ZMM_HI256 and HI16_ZMM come together";
	if (value & avx512 && !(value & 1 << XSTATE_AVX))
		return "AVX-512 in xcr0 needs xcr0.AVX";
	return NULL;
}

/* --- model-specific registers --- */

#define MSR_PAT 0x277

/* What is wrong with a value that KVM does not take, as far as that can be said. */
static const struct {
	uint32_t index;
	const char *reason;
} msr_reasons[] = {
	{MSR_TSC, "its clock is the host's"},
	{0x175, "AMD processors have 32 bits of it"},
	{0x176, "AMD processors have 32 bits of it"},
	{0x1a0, "some of its bits are the host's alone"},
	{0x2ff, "it has a memory type, 0, 1 or 4 to 6, and bits 10 and 11"},
	{0xc0000103, "it has 32 bits, and the CPU may lack RDTSCP"},
};

static const char *reason_of(const struct register_row *row)
{
	if (row->home == HOME_APIC_BASE)
		return "it is the address of a page, with bits 8, 10 and 11";
	if (row->home == HOME_XCR0)
		return "the CPU lacks some of these components";
	for (size_t i = 0; row->home == HOME_MSR && i < sizeof(msr_reasons) / sizeof(*msr_reasons); i++) {
		if (msr_reasons[i].index == row->index)
			return msr_reasons[i].reason;
	}
	return NULL;
}

/* KVM makes an address of some of them canonical without a word. */
static bool is_address(uint32_t msr)
{
	return msr == 0x175 || msr == 0x176 || msr == 0xc0000082 || msr == 0xc0000083 ||
	       msr == 0xc0000102;
}

/* As kvm_amd and kvm_intel check it, but not every back end does: a byte may be 0, 1 or 4 to 7. */
static const char *bad_msr(const struct kvm_sregs *sregs, uint32_t msr, uint64_t value)
{
	const uint64_t twos = 0x0202020202020202;

	if (is_address(msr) && !state_is_canonical(sregs, value))
		return "the address is not canonical";
	if (msr == MSR_PAT && (value & 0xf8f8f8f8f8f8f8f8 || (value & twos) << 1 & ~value))
		return "each byte of pat is a memory type, 0, 1 or 4 to 7";
	return NULL;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a - b < b - a ? a - b : b - a;
}

static int write_msr(struct vcpu *vcpu, const struct register_row *row, uint64_t value, char *why,
		     size_t size)
{
	const char *problem = bad_msr(vcpu->sregs, row->index, value);
	uint64_t before, now;
	int result;

	if (problem)
		return state_refuse(why, size, "%s", problem);
	if (row->index != MSR_TSC)
		return vcpu_set_msr(vcpu, row->index, value);
	/* gdb puts back what it has read before a call: that does not turn back the clock. */
	if (value == vcpu->tsc_shown)
		return 0;
	result = vcpu_msr(vcpu, MSR_TSC, &before);
	if (!result)
		result = vcpu_set_msr(vcpu, MSR_TSC, value);
	if (!result)
		result = vcpu_msr(vcpu, MSR_TSC, &now);
	if (!result && distance(now, before) < distance(now, value))
		return state_refuse(why, size, "KVM ignores what is written to tsc: %s",
				    reason_of(row));
	return result;
}

/* --- all of them --- */

int state_read_system(struct vcpu *vcpu, const struct register_row *row, uint64_t *value)
{
	struct kvm_debugregs all;
	int result;

	switch (row->home) {
	case HOME_MSR:
		return vcpu_msr(vcpu, row->index, value);
	case HOME_DEBUG:
		result = vcpu_debug_registers(vcpu, &all);
		if (!result)
			*value = *debug_register(&all, row->index);
		return result;
	case HOME_XCR0:
		return vcpu_xcr0(vcpu, value);
	default:
		*value = sregs_value(vcpu->sregs, row);
		return 0;
	}
}

static int write_one(struct vcpu *vcpu, const struct register_row *row, uint64_t *value, char *why,
		     size_t size)
{
	const char *problem;

	switch (row->home) {
	case HOME_MSR:
		return write_msr(vcpu, row, *value, why, size);
	case HOME_DEBUG:
		return write_debug(vcpu, row, value, why, size);
	case HOME_XCR0:
		problem = bad_xcr0(*value);
		return problem ? state_refuse(why, size, "%s", problem)
			       : vcpu_set_xcr0(vcpu, *value);
	default:
		return write_sregs(vcpu, row, *value, why, size);
	}
}

int state_write_system(struct vcpu *vcpu, const struct register_row *row, uint64_t value, char *why,
		       size_t size)
{
	const char *reason = reason_of(row);
	uint64_t before, now;
	int result = state_read_system(vcpu, row, &before);

	if (!result)
		result = write_one(vcpu, row, &value, why, size);
	if (result) {
		if (!*why)
			snprintf(why, size, "KVM refuses %s = 0x%llx: %s", row->name,
				 (unsigned long long)value, reason ? reason : strerror(-result));
		return result;
	}
	/* Its own write has looked; it does not stand still. */
	if (row->home == HOME_MSR && row->index == MSR_TSC)
		return 0;
	result = state_read_system(vcpu, row, &now);
	if (result || now == value)
		return result;
	write_one(vcpu, row, &before, why, size);
	return state_refuse(why, size, "KVM makes 0x%llx of %s = 0x%llx%s%s", (unsigned long long)now,
			    row->name, (unsigned long long)value, reason ? ": " : "",
			    reason ? reason : "");
}
