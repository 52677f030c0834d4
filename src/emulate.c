#include "emulate.h"

#include <string.h>

#include "emulate_plain.h"
#include "memory.h"
#include "segment.h"
#include "x87.h"

#define FRAME_ITEMS 5 /* IP, CS, flags, and with another stack SP and SS */

#define TYPE_ACCESSED 1u /* which the descriptor itself is spared */

#define RFLAGS_FIXED 0x2u
#define RFLAGS_IOPL 0x3000u
#define RFLAGS_NT 0x4000u
/* CF, PF, AF, ZF, SF, TF, DF, OF and NT; with 32 bits RF, AC and ID; and what only privilege level 0 changes. */
#define IRET_16 0x4dd5u
#define IRET_32 0x250000u
#define IRET_32_KERNEL 0x180000u /* VIF, VIP */

/* Offsets in a task state segment (SDM volume 3, 8.2.1, 8.6, 8.7). */
#define TSS_32_STACKS 4
#define TSS_16_STACKS 2
#define TSS_64_STACKS 4
#define TSS_64_IST 0x24

static bool is_long(const struct vcpu *vcpu)
{
	return vcpu->sregs->efer & EFER_LMA;
}

static bool read_memory(const struct vcpu *vcpu, uint64_t linear, void *data, size_t len)
{
	return memory_read(vcpu, linear, data, len) == (ssize_t)len;
}

static uint64_t stack_mask(const struct vcpu *vcpu, const struct kvm_segment *ss)
{
	if (vcpu_mode(vcpu) == MODE_64)
		return UINT64_MAX;
	return ss->db ? 0xffffffff : 0xffff;
}

/* The code segment of a handler, or of what an IRET goes back to, which then runs at privilege level `cpl`. */
static bool load_cs(const struct vcpu *vcpu, uint16_t selector, struct kvm_segment *cs)
{
	uint64_t descriptor;

	if (!(selector & ~3) || !segment_descriptor(vcpu, selector, &descriptor))
		return false;
	segment_decode(cs, selector, descriptor);
	cs->type |= TYPE_ACCESSED;
	return segment_is_code(cs) && cs->present;
}

/* A stack segment for another privilege level. */
static bool load_ss(const struct vcpu *vcpu, uint16_t selector, unsigned int cpl, struct kvm_segment *ss)
{
	uint64_t descriptor;

	if (!(selector & ~3) || (selector & 3) != cpl || !segment_descriptor(vcpu, selector, &descriptor))
		return false;
	segment_decode(ss, selector, descriptor);
	ss->type |= TYPE_ACCESSED;
	return segment_is_writable(ss) && ss->present && ss->dpl == cpl;
}

/* The stack that a handler of a more privileged level begins with. */
static bool inner_stack(const struct vcpu *vcpu, unsigned int cpl, struct kvm_segment *ss, uint64_t *sp)
{
	const struct kvm_segment *tr = &vcpu->sregs->tr;
	bool wide = tr->type & 8;
	uint16_t pointer[3] = {0}; /* (E)SP and SS */
	size_t size = wide ? 6 : 4;
	uint64_t at = wide ? TSS_32_STACKS + 8 * cpl : TSS_16_STACKS + 4 * cpl;

	if (tr->unusable || at + size - 1 > tr->limit || !read_memory(vcpu, tr->base + at, pointer, size))
		return false;
	*sp = wide ? pointer[0] | (uint32_t)pointer[1] << 16 : pointer[0];
	return load_ss(vcpu, pointer[wide ? 2 : 1], cpl, ss);
}

static void null_ss(struct kvm_segment *ss, unsigned int cpl)
{
	*ss = (struct kvm_segment){.selector = (uint16_t)cpl, .dpl = (uint8_t)cpl, .unusable = 1};
}

/* In long mode there is no segment, and the interrupt stack table comes before the privilege level's stack. */
static bool long_stack(const struct vcpu *vcpu, unsigned int cpl, unsigned int ist, struct kvm_segment *ss, uint64_t *sp)
{
	const struct kvm_segment *tr = &vcpu->sregs->tr;
	uint64_t at = ist ? TSS_64_IST + 8 * (ist - 1) : TSS_64_STACKS + 8 * cpl;
	bool inner = cpl < vcpu_cpl(vcpu);

	if (inner)
		null_ss(ss, cpl);
	if (!inner && !ist)
		return true;
	return !tr->unusable && at + sizeof(*sp) - 1 <= tr->limit &&
	       read_memory(vcpu, tr->base + at, sp, sizeof(*sp));
}

/* Whether `len` bytes at an offset of this stack may be read, or written, at a privilege level. NULL: all is one. */
static bool stack_allows(const struct vcpu *vcpu, const struct kvm_segment *ss, uint64_t offset, size_t len, bool write,
			 unsigned int cpl)
{
	return (!ss || segment_allows(vcpu, ss, offset, len, write)) &&
	       memory_allows(vcpu, (ss ? ss->base : 0) + offset, len, write, cpl);
}

static void push_frame(struct vcpu *vcpu, const struct kvm_segment *ss, uint64_t sp, const uint64_t *items,
		       unsigned int count, unsigned int size)
{
	uint8_t frame[FRAME_ITEMS * sizeof(*items)];

	for (unsigned int i = 0; i < count; i++)
		memcpy(frame + i * size, &items[i], size);
	memory_write(vcpu, (ss ? ss->base : 0) + sp - count * size, frame, count * size);
}

static bool enter_handler(struct vcpu *vcpu, const struct instruction *instruction, struct interrupt_gate *gate)
{
	const struct kvm_regs before = *vcpu->regs;
	struct kvm_sregs sregs = *vcpu->sregs;
	const struct kvm_segment *stack = is_long(vcpu) ? NULL : &sregs.ss;
	unsigned int cpl = vcpu_cpl(vcpu), type, item, count, level, old_cs, old_ss;
	uint64_t words[2], mask, sp, offset, behind = before.rip + instruction->length;
	bool inner;

	if (!interrupt_descriptor(vcpu, instruction->vector, words) ||
	    !interrupt_gate(vcpu, instruction->vector, true, gate) || (words[0] >> 45 & 3) < cpl ||
	    !load_cs(vcpu, (uint16_t)(words[0] >> 16), &sregs.cs) || sregs.cs.dpl > cpl ||
	    (is_long(vcpu) && (!sregs.cs.l || sregs.cs.db)))
		return false;
	type = words[0] >> 40 & 15;
	item = gate->flags_size;
	level = segment_is_conforming(&sregs.cs) ? cpl : sregs.cs.dpl;
	inner = level < cpl;
	sregs.cs.selector = (uint16_t)((sregs.cs.selector & ~3u) | level);
	offset = gate->handler - gate->base;
	if (!is_long(vcpu))
		offset &= 0xffffffff;
	if (!is_long(vcpu) && offset > sregs.cs.limit)
		return false;
	sp = before.rsp;
	if (is_long(vcpu)) {
		if (!long_stack(vcpu, level, words[0] >> 32 & 7, &sregs.ss, &sp))
			return false;
		mask = UINT64_MAX;
		sp &= ~15ull;
	} else {
		if (inner && !inner_stack(vcpu, level, &sregs.ss, &sp))
			return false;
		mask = sregs.ss.db ? 0xffffffff : 0xffff;
	}
	count = is_long(vcpu) || inner ? FRAME_ITEMS : 3;
	behind &= vcpu_mode(vcpu) == MODE_64 ? UINT64_MAX : vcpu_mode(vcpu) == MODE_32 ? 0xffffffff : 0xffff;
	old_cs = vcpu->sregs->cs.selector;
	old_ss = vcpu->sregs->ss.selector;
	if ((sp & mask) < count * item ||
	    !stack_allows(vcpu, stack, (sp & mask) - count * item, count * item, true, level) ||
	    vcpu_end_shadow(vcpu) || vcpu_set_sregs(vcpu, &sregs))
		return false;
	push_frame(vcpu, stack, sp & mask, (const uint64_t[]){behind, old_cs, before.rflags, before.rsp, old_ss},
		   count, item);
	vcpu->regs->rsp = (sp & ~mask) | ((sp - count * item) & mask);
	vcpu->regs->rip = offset;
	vcpu->regs->rflags &= ~(uint64_t)(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM);
	if (!(type & 1)) /* an interrupt gate */
		vcpu->regs->rflags &= ~(uint64_t)RFLAGS_IF;
	vcpu->regs_dirty = true;
	return true;
}

/* What the less privileged code must not use any more. */
static void hide_segments(struct kvm_sregs *sregs, unsigned int cpl)
{
	for (enum segment which = SEGMENT_DS; which <= SEGMENT_GS; which++) {
		struct kvm_segment *segment = segment_of(sregs, which);

		if (segment->unusable || segment->dpl >= cpl ||
		    (segment_is_code(segment) && segment_is_conforming(segment)))
			continue;
		*segment = (struct kvm_segment){.unusable = 1};
	}
}

static uint64_t popped_flags(const struct vcpu *vcpu, uint64_t flags, unsigned int size)
{
	unsigned int cpl = vcpu_cpl(vcpu), iopl = vcpu->regs->rflags >> 12 & 3;
	uint64_t change = IRET_16;

	if (cpl <= iopl)
		change |= RFLAGS_IF;
	if (!cpl)
		change |= RFLAGS_IOPL;
	if (size >= 4)
		change |= IRET_32 | (cpl ? 0 : IRET_32_KERNEL);
	return (vcpu->regs->rflags & ~change) | (flags & change) | RFLAGS_FIXED;
}

static bool return_from_handler(struct vcpu *vcpu, const struct instruction *instruction)
{
	bool is_64 = vcpu_mode(vcpu) == MODE_64; /* which pops all of the frame, whatever the levels are */
	unsigned int size = instruction->operand_size, cpl = vcpu_cpl(vcpu), rpl, count = is_64 ? FRAME_ITEMS : 3;
	struct kvm_sregs sregs = *vcpu->sregs;
	uint64_t items[FRAME_ITEMS] = {0}, mask = stack_mask(vcpu, &sregs.ss), sp = vcpu->regs->rsp & mask;
	const struct kvm_segment *stack = is_64 ? NULL : &vcpu->sregs->ss;
	uint64_t base = stack ? stack->base : 0;
	uint8_t frame[FRAME_ITEMS * sizeof(*items)];

	if (vcpu->regs->rflags & RFLAGS_NT || !stack_allows(vcpu, stack, sp, count * size, false, cpl) ||
	    !read_memory(vcpu, base + sp, frame, count * size))
		return false;
	for (unsigned int i = 0; i < count; i++)
		memcpy(&items[i], frame + i * size, size);
	rpl = items[1] & 3;
	if (rpl < cpl || items[2] & RFLAGS_VM || !load_cs(vcpu, (uint16_t)items[1], &sregs.cs) ||
	    (segment_is_conforming(&sregs.cs) ? sregs.cs.dpl > rpl : sregs.cs.dpl != rpl) ||
	    (sregs.cs.l ? !is_long(vcpu) || sregs.cs.db : items[0] > sregs.cs.limit))
		return false;
	if (rpl > cpl || is_64) {
		count = FRAME_ITEMS;
		if (!stack_allows(vcpu, stack, sp, count * size, false, cpl) ||
		    !read_memory(vcpu, base + sp, frame, count * size))
			return false;
		for (unsigned int i = 3; i < count; i++)
			memcpy(&items[i], frame + i * size, size);
		if (!(items[4] & 0xfffc) && sregs.cs.l && rpl < 3 && (items[4] & 3) == rpl)
			null_ss(&sregs.ss, rpl);
		else if (!load_ss(vcpu, (uint16_t)items[4], rpl, &sregs.ss))
			return false;
	}
	if (rpl > cpl)
		hide_segments(&sregs, rpl);
	if (vcpu_end_shadow(vcpu))
		return false;
	/* By the privilege level before. */
	items[2] = popped_flags(vcpu, items[2], size);
	if (vcpu_set_sregs(vcpu, &sregs))
		return false;
	if (count == FRAME_ITEMS) {
		/* By the mode that it has come to. */
		mask = stack_mask(vcpu, &sregs.ss);
		vcpu->regs->rsp = (vcpu->regs->rsp & ~mask) | (items[3] & mask);
	} else {
		vcpu->regs->rsp = (vcpu->regs->rsp & ~mask) | ((sp + count * size) & mask);
	}
	vcpu->regs->rip = items[0];
	vcpu->regs->rflags = items[2];
	vcpu->regs_dirty = true;
	return true;
}

bool emulate_allows(const struct vcpu *vcpu, const struct instruction *instruction, const struct data_access *access)
{
	const struct kvm_segment *segment =
		segment_of((struct kvm_sregs *)vcpu->sregs, (enum segment)instruction->segment);

	return (vcpu_mode(vcpu) == MODE_64 ||
		segment_allows(vcpu, segment, instruction->offset, access->len, access->write)) &&
	       memory_allows(vcpu, access->linear, access->len, access->write, vcpu_cpl(vcpu));
}

bool emulate(struct vcpu *vcpu, const struct instruction *instruction, struct interrupt_gate *gate)
{
	*gate = (struct interrupt_gate){0};
	if (instruction->lock)
		return false;
	if (instruction->x87)
		return x87_run(vcpu, instruction);
	if (!instruction->length)
		return false;
	if (instruction->class == CLASS_PLAIN)
		return emulate_plain(vcpu, instruction);
	if (vcpu_is_real(vcpu))
		return false;
	switch (instruction->class) {
	case CLASS_INT:
		return enter_handler(vcpu, instruction, gate);
	case CLASS_IRET:
		return return_from_handler(vcpu, instruction);
	default:
		return false;
	}
}
