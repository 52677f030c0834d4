#define _GNU_SOURCE
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

#define TYPE_DATA_WRITABLE 3 /* read and write, accessed */
#define TYPE_CODE 11	     /* execute and read, accessed */
#define TYPE_IS_CODE 8
#define TYPE_CONFORMING 4
#define TYPE_EXPANDS_DOWN 4 /* of data */
#define TYPE_WRITABLE_OR_READABLE 2
/* System segments (SDM volume 3, table 3-2). */
#define TYPE_LDT 2
#define TYPE_TSS_16 1
#define TYPE_TSS_32 9 /* 64 bits wide in long mode */
#define TYPE_TSS_BUSY 2

static const char *const names[] = {"cs", "ss", "ds", "es", "fs", "gs", "ldtr", "tr"};

const char *segment_name(enum segment which)
{
	return names[which];
}

struct kvm_segment *segment_of(struct kvm_sregs *sregs, enum segment which)
{
	struct kvm_segment *const all[] = {&sregs->cs, &sregs->ss, &sregs->ds,
					   &sregs->es, &sregs->fs, &sregs->gs,
					   &sregs->ldt, &sregs->tr};

	return all[which];
}

void segment_set_real(struct kvm_segment *segment, enum segment which, uint16_t selector)
{
	*segment = (struct kvm_segment){
		.base = (uint64_t)selector << 4,
		.limit = 0xffff,
		.selector = selector,
		.type = which == SEGMENT_CS ? TYPE_CODE : TYPE_DATA_WRITABLE,
		.present = 1,
		.s = 1,
	};
}

void segment_set_flat(struct kvm_segment *segment, enum segment which, uint16_t selector, bool l)
{
	*segment = (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = which == SEGMENT_CS ? TYPE_CODE : TYPE_DATA_WRITABLE,
		.present = 1,
		.s = 1,
		.db = !l,
		.l = l,
		.g = 1,
	};
}

/* The descriptor's fields are scattered for the sake of the 80286 (SDM volume 3, 3.4.5). */
uint64_t segment_descriptor_base(uint64_t descriptor)
{
	return (descriptor >> 16 & 0xffffff) | (descriptor >> 32 & 0xff000000);
}

void segment_decode(struct kvm_segment *segment, uint16_t selector, uint64_t descriptor)
{
	uint32_t limit = (uint32_t)((descriptor & 0xffff) | (descriptor >> 32 & 0xf0000));

	*segment = (struct kvm_segment){
		.base = segment_descriptor_base(descriptor),
		.selector = selector,
		.type = descriptor >> 40 & 15,
		.s = descriptor >> 44 & 1,
		.dpl = descriptor >> 45 & 3,
		.present = descriptor >> 47 & 1,
		.avl = descriptor >> 52 & 1,
		.l = descriptor >> 53 & 1,
		.db = descriptor >> 54 & 1,
		.g = descriptor >> 55 & 1,
	};
	segment->limit = segment->g ? limit << 12 | 0xfff : limit;
}

bool segment_is_code(const struct kvm_segment *segment)
{
	return segment->s && segment->type & TYPE_IS_CODE;
}

bool segment_is_conforming(const struct kvm_segment *segment)
{
	return segment_is_code(segment) && segment->type & TYPE_CONFORMING;
}

bool segment_is_writable(const struct kvm_segment *segment)
{
	return segment->s && !(segment->type & TYPE_IS_CODE) && segment->type & TYPE_WRITABLE_OR_READABLE;
}

bool segment_allows(const struct vcpu *vcpu, const struct kvm_segment *segment, uint64_t offset, size_t len, bool write)
{
	uint64_t last = offset + len - 1;
	bool is_code = segment_is_code(segment);
	bool is_readable = !is_code || segment->type & TYPE_WRITABLE_OR_READABLE;

	if (!vcpu_is_real(vcpu) &&
	    (segment->unusable || (write ? !segment_is_writable(segment) : !is_readable)))
		return false;
	if (!is_code && segment->type & TYPE_EXPANDS_DOWN)
		return offset > segment->limit && last <= (segment->db ? 0xffffffff : 0xffff);
	return last <= segment->limit;
}

/* The checks of MOV to a segment register, and of a far jump for CS (SDM volume 2, MOV and JMP). */
static const char *refusal(const struct vcpu *vcpu, const struct kvm_segment *segment,
			   enum segment which)
{
	unsigned int cpl = vcpu_cpl(vcpu), rpl = segment->selector & 3;
	bool code = segment->type & TYPE_IS_CODE, system = which >= SEGMENT_LDTR;

	if (system && segment->s)
		return "is no system descriptor";
	if (!system && !segment->s)
		return "is a system descriptor";
	if (!segment->present)
		return "is not present";
	switch (which) {
	case SEGMENT_LDTR:
		return segment->type == TYPE_LDT ? NULL : "is not one of an LDT";
	case SEGMENT_TR:
		if ((segment->type & ~TYPE_TSS_BUSY) == TYPE_TSS_32)
			return NULL;
		if ((segment->type & ~TYPE_TSS_BUSY) != TYPE_TSS_16)
			return "is not one of a task state segment";
		return vcpu->sregs->efer & EFER_LMA ? "is one of a 16-bit task state segment" : NULL;
	case SEGMENT_CS:
		if (!code)
			return "is no code segment";
		if (rpl != cpl || (segment->type & TYPE_CONFORMING ? segment->dpl > cpl
								   : segment->dpl != cpl))
			return "has another privilege level than the code that runs";
		if (segment->l && segment->db)
			return "has both L and D set";
		return NULL;
	case SEGMENT_SS:
		if (code || !(segment->type & TYPE_WRITABLE_OR_READABLE))
			return "is no writable data segment";
		return rpl != cpl || segment->dpl != cpl
			       ? "has another privilege level than the code that runs"
			       : NULL;
	default:
		if (code && !(segment->type & TYPE_WRITABLE_OR_READABLE))
			return "is not readable";
		if (!(code && segment->type & TYPE_CONFORMING) &&
		    (segment->dpl < cpl || segment->dpl < rpl))
			return "is more privileged than the code that runs";
		return NULL;
	}
}

static int load_null(const struct vcpu *vcpu, struct kvm_segment *segment, enum segment which,
		     uint16_t selector, char *why, size_t size)
{
	bool l = vcpu_mode(vcpu) == MODE_64;

	if (which == SEGMENT_CS || which == SEGMENT_TR || (which == SEGMENT_SS && !(l && vcpu_cpl(vcpu) < 3))) {
		snprintf(why, size, "%s cannot be null", names[which]);
		return -EINVAL;
	}
	segment->selector = selector;
	segment->unusable = 1;
	segment->present = 0;
	/* The CPU leaves the bases alone in 64-bit mode: FS's and GS's are in use there. */
	if (!l)
		segment->base = 0;
	return 0;
}

bool segment_descriptor(const struct vcpu *vcpu, uint16_t selector, uint64_t *descriptor)
{
	bool local = selector & 4;
	uint64_t table = local ? vcpu->sregs->ldt.base : vcpu->sregs->gdt.base;
	uint32_t limit = local ? vcpu->sregs->ldt.limit : vcpu->sregs->gdt.limit;

	return (uint32_t)(selector | 7) <= limit &&
	       memory_read(vcpu, table + (selector & ~7u), descriptor, sizeof(*descriptor)) ==
		       sizeof(*descriptor);
}

bool segment_base(const struct vcpu *vcpu, uint16_t selector, uint64_t *base)
{
	uint64_t descriptor;

	if (!segment_descriptor(vcpu, selector, &descriptor))
		return false;
	*base = segment_descriptor_base(descriptor);
	return true;
}

int segment_load(const struct vcpu *vcpu, struct kvm_sregs *sregs, enum segment which,
		 uint16_t selector, char *why, size_t size)
{
	struct kvm_segment *segment = segment_of(sregs, which), loaded;
	bool local = selector & 4, system = which >= SEGMENT_LDTR;
	/* A system descriptor of long mode has 32 more bits of base behind it, and 32 unused. */
	size_t length = system && sregs->efer & EFER_LMA ? 16 : 8;
	uint64_t table = local ? sregs->ldt.base : sregs->gdt.base, descriptor[2];
	uint32_t limit = local ? sregs->ldt.limit : sregs->gdt.limit;
	const char *problem;

	if (system && vcpu_is_real(vcpu)) {
		snprintf(why, size, "%s cannot be loaded in %s mode", names[which],
			 sregs->cr0 & CR0_PE ? "virtual-8086" : "real");
		return -EINVAL;
	}
	if (system && local) {
		snprintf(why, size, "%s is loaded from the GDT alone", names[which]);
		return -EINVAL;
	}
	if (vcpu_is_real(vcpu)) {
		/* Limit and rights stay: that is how "unreal mode" lives on. */
		segment->selector = selector;
		segment->base = (uint64_t)selector << 4;
		return 0;
	}
	if (!(selector & ~3))
		return load_null(vcpu, segment, which, selector, why, size);
	if (local && (!(sregs->ldt.selector & ~3) || sregs->ldt.unusable)) {
		snprintf(why, size, "selector 0x%04x is of the LDT, and none is loaded", selector);
		return -EINVAL;
	}
	if ((selector & ~7u) + length - 1 > limit) {
		snprintf(why, size, "selector 0x%04x is beyond the %s's limit 0x%x", selector,
			 local ? "LDT" : "GDT", limit);
		return -EINVAL;
	}
	table += selector & ~7u;
	if (memory_read(vcpu, table, descriptor, length) != (ssize_t)length) {
		snprintf(why, size, "the descriptor of selector 0x%04x, at 0x%llx, cannot be read",
			 selector, (unsigned long long)table);
		return -EINVAL;
	}
	segment_decode(&loaded, selector, descriptor[0]);
	if (length == 16)
		loaded.base |= descriptor[1] << 32;
	problem = refusal(vcpu, &loaded, which);
	if (problem) {
		snprintf(why, size, "the descriptor of selector 0x%04x %s", selector, problem);
		return -EINVAL;
	}
	if (which == SEGMENT_TR)
		loaded.type |= TYPE_TSS_BUSY;
	*segment = loaded;
	return 0;
}
