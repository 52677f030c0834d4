/* Switches of tasks by the processor: where they lead, and the flags in a task state segment. */
#ifndef TASK_H
#define TASK_H

#include "decode.h"

struct task {
	uint64_t entry; /* linear address of its first instruction */
	uint64_t base;	/* of its code segment */
	struct kvm_segment tss; /* its base and type */
};

/* The task that a selector of a task gate or of a task state segment leads to; false if it is neither. */
bool task_find(const struct vcpu *vcpu, uint16_t selector, struct task *task);
/* Likewise for a far jump or call, or an IRET of a nested task. */
bool task_of_instruction(const struct vcpu *vcpu, const struct instruction *instruction, struct task *task);

/* Whether the flags in a task state segment have this one; and sets it there, or clears it. */
bool task_flag(const struct vcpu *vcpu, const struct kvm_segment *tss, uint32_t flag);
void task_set_flag(struct vcpu *vcpu, const struct kvm_segment *tss, uint32_t flag, bool on);

#endif
