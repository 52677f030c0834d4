#include "task.h"

#include "memory.h"
#include "segment.h"

#define DESCRIPTOR_PRESENT (1ull << 47)
#define DESCRIPTOR_TYPE(descriptor) ((descriptor) >> 40 & 0x1f)
#define TYPE_TSS_16 0x1
#define TYPE_TASK_GATE 0x5
#define TYPE_TSS_32 0x9
#define TYPE_BUSY 0x2
#define RFLAGS_NT 0x4000u

/* The fields of a task state segment (SDM volume 3, 7.2.1 and 7.6). */
static const struct layout {
	uint8_t size; /* of IP and flags */
	uint8_t ip, flags, cs, ldt;
} layouts[] = {{2, 0x0e, 0x10, 0x24, 0x2a}, {4, 0x20, 0x24, 0x4c, 0x60}};

static const struct layout *layout_of(unsigned int type)
{
	return type & 8 ? &layouts[1] : &layouts[0];
}

static bool read_number(const struct vcpu *vcpu, uint64_t linear, unsigned int size, uint64_t *number)
{
	*number = 0;
	return memory_read(vcpu, linear, number, size) == (ssize_t)size;
}

static bool has_tasks(const struct vcpu *vcpu)
{
	return !vcpu_is_real(vcpu) && !(vcpu->sregs->efer & EFER_LMA);
}

/* The base of a code segment in the table that the task will have as its LDT. */
static bool local_base(const struct vcpu *vcpu, uint16_t selector, uint16_t ldt, uint64_t *base)
{
	uint64_t table, descriptor;

	if (ldt & 4 || !segment_base(vcpu, ldt, &table) ||
	    !read_number(vcpu, table + (selector & ~7u), sizeof(descriptor), &descriptor))
		return false;
	*base = segment_descriptor_base(descriptor);
	return true;
}

bool task_find(const struct vcpu *vcpu, uint16_t selector, struct task *task)
{
	uint64_t descriptor, tss, ip, flags, cs, ldt;
	const struct layout *layout;

	if (!has_tasks(vcpu) || !segment_descriptor(vcpu, selector, &descriptor))
		return false;
	if (DESCRIPTOR_TYPE(descriptor) == TYPE_TASK_GATE) {
		if (!(descriptor & DESCRIPTOR_PRESENT) ||
		    !segment_descriptor(vcpu, (uint16_t)(descriptor >> 16), &descriptor))
			return false;
	}
	if ((DESCRIPTOR_TYPE(descriptor) & ~TYPE_BUSY) != TYPE_TSS_16 &&
	    (DESCRIPTOR_TYPE(descriptor) & ~TYPE_BUSY) != TYPE_TSS_32)
		return false;
	layout = layout_of((unsigned int)DESCRIPTOR_TYPE(descriptor));
	tss = segment_descriptor_base(descriptor);
	if (!read_number(vcpu, tss + layout->ip, layout->size, &ip) ||
	    !read_number(vcpu, tss + layout->flags, layout->size, &flags) ||
	    !read_number(vcpu, tss + layout->cs, 2, &cs) || !read_number(vcpu, tss + layout->ldt, 2, &ldt))
		return false;
	if (flags & RFLAGS_VM)
		task->base = cs << 4;
	else if (cs & 4 ? !local_base(vcpu, (uint16_t)cs, (uint16_t)ldt, &task->base)
			: !segment_base(vcpu, (uint16_t)cs, &task->base))
		return false;
	task->entry = (uint32_t)(task->base + ip);
	task->tss = (struct kvm_segment){.base = tss, .type = DESCRIPTOR_TYPE(descriptor) & 0xf};
	return true;
}

bool task_of_instruction(const struct vcpu *vcpu, const struct instruction *in, struct task *task)
{
	uint64_t selector = in->selector;

	if (!has_tasks(vcpu))
		return false;
	if (in->class == CLASS_IRET) {
		if (!(vcpu->regs->rflags & RFLAGS_NT) || !read_number(vcpu, vcpu->sregs->tr.base, 2, &selector))
			return false;
	} else if (!in->far_transfer) {
		return false;
	} else if (!in->from_register &&
		   !read_number(vcpu, in->access[0].linear + in->access[0].len - 2, 2, &selector)) {
		return false;
	}
	return task_find(vcpu, (uint16_t)selector, task);
}

bool task_flag(const struct vcpu *vcpu, const struct kvm_segment *tss, uint32_t flag)
{
	const struct layout *layout = layout_of(tss->type);
	uint64_t flags;

	return read_number(vcpu, tss->base + layout->flags, layout->size, &flags) && flags & flag;
}

void task_set_flag(struct vcpu *vcpu, const struct kvm_segment *tss, uint32_t flag, bool on)
{
	const struct layout *layout = layout_of(tss->type);
	uint64_t flags;

	if (!read_number(vcpu, tss->base + layout->flags, layout->size, &flags) || !(flags & flag) == !on)
		return;
	flags ^= flag;
	memory_write(vcpu, tss->base + layout->flags, &flags, layout->size);
}
