#include "string_io.h"

#include <string.h>

#include "decode.h"
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

/*
 * At a KVM_EXIT_IO: whether it is of an OUTS whose operand debug registers watch. Then *access is that, and *rip
 * where RIP is to be when the output is done.
 */
static bool outs_is_watched(const struct machine *machine, struct data_access *access, uint64_t *rip)
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

/*
 * An instruction that KVM carries out itself, which neither debug registers nor guarded pages see: INS, at
 * its KVM_EXIT_IO, and OUTS, whose read of a guarded page is a KVM_EXIT_MMIO. It would do all iterations at
 * once, so it is told that this is the last one.
 */
static enum outcome watch_emulated(struct machine *machine, int exit, struct gdbstub_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu;
	const struct kvm_regs before = *vcpu->regs;
	struct instruction instruction;
	uint64_t held = 0, mask;
	bool bus_error = false;

	decode_next(vcpu, &instruction);
	mask = decode_count_mask(&instruction);
	if (instruction.repeated) {
		held = (before.rcx - 1) & mask;
		if (exit == KVM_EXIT_IO)
			vcpu->run->io.count = 1;
		vcpu->regs->rcx = (before.rcx & ~mask) | 1;
		vcpu->regs_dirty = true;
	}
	machine->came_back = false;
	exit_serve_io(machine, exit, &bus_error);
	if (exit_complete_io(machine, &bus_error, stop) == STOPPED)
		return STOPPED;
	if (instruction.repeated && !machine->came_back) {
		vcpu->regs->rcx = (before.rcx & ~mask) | held;
		vcpu->regs->rip = held ? before.rip : before.rip + instruction.length;
		vcpu->regs_dirty = true;
	}
	for (int i = 0; i < instruction.accesses; i++) {
		struct data_access access = decode_access(&instruction, i, &before,
							  machine->came_back ? &before : vcpu->regs);
		enum gdbstub_reason reason = points_watching(&machine->points, &access, &stop->addr);

		if (reason)
			return exit_report(stop, reason, GDBSTUB_SIGNAL_TRAP);
	}
	return GOES_ON;
}

/* OUTS that reads what debug registers watch, when it has done so. */
static enum outcome watch_outs(struct machine *machine, const struct data_access *read, uint64_t rip,
			       struct gdbstub_stop *stop)
{
	bool bus_error = false;

	machine->came_back = false;
	exit_serve_io(machine, KVM_EXIT_IO, &bus_error);
	if (exit_complete_io(machine, &bus_error, stop) == STOPPED)
		return STOPPED;
	if (!machine->came_back) {
		machine->vcpu.regs->rip = rip;
		machine->vcpu.regs_dirty = true;
	}
	return exit_report(stop, points_watching(&machine->points, read, &stop->addr), GDBSTUB_SIGNAL_TRAP);
}

/* Whether that is one that points watch. With RIP behind it, nobody knows what a write came from. */
static bool is_watched(const struct machine *machine, int exit)
{
	const struct kvm_run *run = machine->vcpu.run;
	struct instruction instruction;

	if (!machine->points.watches)
		return false;
	if (exit == KVM_EXIT_MMIO)
		return machine->guard.count && !run->mmio.is_write &&
		       vm_host(&machine->vm, run->mmio.phys_addr, NULL);
	if (run->io.direction != KVM_EXIT_IO_IN)
		return false;
	decode_next(&machine->vcpu, &instruction);
	return instruction.port && instruction.accesses && instruction.access[0].write;
}

bool string_io_serve(struct machine *machine, int exit, struct gdbstub_stop *stop, enum outcome *outcome)
{
	struct data_access read;
	uint64_t rip;

	if (is_watched(machine, exit))
		*outcome = watch_emulated(machine, exit, stop);
	else if (exit == KVM_EXIT_IO && outs_is_watched(machine, &read, &rip))
		*outcome = watch_outs(machine, &read, rip, stop);
	else
		return false;
	return true;
}
