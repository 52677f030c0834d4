#include "outs.h"

#include <string.h>

#include "machine.h"
#include "memory.h"

#define PREFIXES_MAX 4 /* a segment, 66, 67, a repetition */

static bool reads_are_watched(const struct points *points)
{
	for (unsigned int n = 0; n < VCPU_DEBUG_REGISTERS; n++) {
		if (points->watch[n].len && points->watch[n].kind != GDBSTUB_POINT_WRITE)
			return true;
	}
	return false;
}

/* Decodes what begins `back` bytes before RIP as it was before it put out one element; false if it is no OUTS. */
static bool decode_before(const struct vcpu *vcpu, unsigned int back, struct instruction *instruction)
{
	struct kvm_regs regs = *vcpu->regs;
	struct vcpu before = {.vm = vcpu->vm, .run = vcpu->run, .regs = &regs, .sregs = vcpu->sregs};
	uint64_t mask;

	regs.rip -= back;
	decode_next(&before, instruction);
	if (!instruction->port || !instruction->length || instruction->element != vcpu->run->io.size)
		return false;
	mask = decode_count_mask(instruction);
	if (regs.rflags & RFLAGS_DF)
		regs.rsi = (regs.rsi & ~mask) | ((regs.rsi + instruction->element) & mask);
	else
		regs.rsi = (regs.rsi & ~mask) | ((regs.rsi - instruction->element) & mask);
	regs.rcx = (regs.rcx & ~mask) | ((regs.rcx + 1) & mask);
	decode_next(&before, instruction);
	return instruction->accesses && !instruction->access[0].write;
}

static bool is_what_was_read(const struct vcpu *vcpu, const struct data_access *access)
{
	uint8_t bytes[8];
	size_t size = vcpu->run->io.size;

	return size <= sizeof(bytes) && memory_read(vcpu, access->linear, bytes, size) == (ssize_t)size &&
	       !memcmp(bytes, (const uint8_t *)vcpu->run + vcpu->run->io.data_offset, size);
}

/* Without a repetition RIP is behind it. That is where it is at an OUT, too, which has AL, AX or EAX to put out. */
static bool is_output(const struct vcpu *vcpu)
{
	struct instruction instruction;

	decode_next(vcpu, &instruction);
	return instruction.class == CLASS_IO &&
	       !memcmp(&vcpu->regs->rax, (const uint8_t *)vcpu->run + vcpu->run->io.data_offset,
		       vcpu->run->io.size);
}

static bool find(const struct vcpu *vcpu, struct instruction *instruction, uint64_t *rip)
{
	*rip = vcpu->regs->rip;
	if (decode_before(vcpu, 0, instruction) && instruction->repeated &&
	    is_what_was_read(vcpu, &instruction->access[0])) {
		/* KVM leaves it when it comes to it once more. */
		if (!(vcpu->regs->rcx & decode_count_mask(instruction)))
			*rip += instruction->length;
		return true;
	}
	if (is_output(vcpu))
		return false;
	for (unsigned int back = 1 + PREFIXES_MAX; back; back--) {
		if (decode_before(vcpu, back, instruction) && instruction->length == back &&
		    !instruction->repeated && is_what_was_read(vcpu, &instruction->access[0]))
			return true;
	}
	return false;
}

bool outs_is_watched(const struct machine *machine, struct data_access *access, uint64_t *rip)
{
	const struct vcpu *vcpu = &machine->vcpu;
	struct instruction instruction;
	uint64_t addr;

	if (!reads_are_watched(&machine->points) || vcpu->run->io.direction != KVM_EXIT_IO_OUT ||
	    vcpu->run->io.size > sizeof(vcpu->regs->rax) || !find(vcpu, &instruction, rip))
		return false;
	*access = instruction.access[0];
	return points_watching(&machine->points, access, &addr) != GDBSTUB_STOPPED;
}
