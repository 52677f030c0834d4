#define _GNU_SOURCE
#include "step.h"

#include <errno.h>
#include <string.h>

#include "bios/bios.h"
#include "compute.h"
#include "decode.h"
#include "emulate.h"
#include "interrupt.h"
#include "irq.h"
#include "memory.h"
#include "segment.h"
#include "step_parts.h"
#include "task.h"
#include "trap.h"

#define OPCODE_MOV_TO_DR 0x0f23u

#define STEP_CONTROL (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ)

static bool has_switched(const struct step *s)
{
	const struct kvm_segment *tr = &s->vcpu->sregs->tr;

	/* Otherwise it was LTR, or a reset. */
	return s->vcpu->sregs->cr0 & CR0_PE && (tr->selector != s->tr.selector || tr->base != s->tr.base) &&
	       (s->instruction.class != CLASS_PLAIN ||
		s->vcpu->regs->rip != s->before.rip + s->instruction.length);
}

static void give_back_rf(struct step *s)
{
	if (!s->without_rf)
		return;
	task_set_flag(s->vcpu, &s->tss, RFLAGS_RF, true);
	if (has_switched(s)) {
		s->vcpu->regs->rflags |= RFLAGS_RF;
		s->vcpu->regs_dirty = true;
	}
}

/* Whether the instruction, or at least one iteration of it, has been done. */
static bool has_moved(const struct step *s)
{
	const struct kvm_regs *now = s->vcpu->regs;

	return s->entry.rip != now->rip || s->entry.rcx != now->rcx || s->entry.rsi != now->rsi ||
	       s->entry.rdi != now->rdi;
}

/* An item of the frame that a handler has found on its stack, `offset` bytes from the stack pointer on. */
static uint64_t frame_item(const struct step *s, unsigned int offset)
{
	const struct kvm_segment *ss = &s->vcpu->sregs->ss;
	uint64_t at = s->vcpu->regs->rsp + offset;

	if (vcpu_mode(s->vcpu) == MODE_64)
		return at;
	/* A 16-bit stack goes on at its beginning. */
	return (uint32_t)(ss->base + (ss->db ? (uint32_t)at : (uint16_t)at));
}

static void put_tf(struct step *s, uint64_t linear, unsigned int size)
{
	uint64_t flags = 0, wanted;

	if (!size || size > sizeof(flags) || memory_read(s->vcpu, linear, &flags, size) != (ssize_t)size)
		return;
	wanted = (flags & ~(uint64_t)RFLAGS_TF) | (s->had_tf ? RFLAGS_TF : 0);
	if (wanted != flags)
		memory_write(s->vcpu, linear, &wanted, size);
}

/*
 * A processor lets the TF of the stepping be seen in the flags that it pushes, and an emulator hides the guest's own: what
 * is there is the guest's.
 */
static void put_own_tf(struct step *s)
{
	if (s->entered && s->instruction.class == CLASS_SYSCALL && !s->entered->frame &&
	    s->vcpu->sregs->efer & EFER_LMA) {
		s->vcpu->regs->r11 = (s->vcpu->regs->r11 & ~(uint64_t)RFLAGS_TF) | (s->had_tf ? RFLAGS_TF : 0);
		s->vcpu->regs_dirty = true;
	} else if (s->entered)
		put_tf(s, frame_item(s, s->entered->flags_offset), s->entered->flags_size);
	else if (s->instruction.class == CLASS_PUSHF && s->instruction.accesses)
		put_tf(s, s->instruction.access[0].linear, s->instruction.access[0].len);
}

/* The TF in the flags that POPF or IRET is about to take from the stack, or SYSRET from R11. */
static bool tf_to_be_popped(const struct step *s)
{
	const struct instruction *in = &s->instruction;
	unsigned int size = in->accesses ? in->access[0].len : 0;
	uint64_t flags = 0, at = in->access[0].linear;

	if (in->class == CLASS_SYSRET)
		return s->before.r11 & RFLAGS_TF;
	if (in->class == CLASS_IRET) {
		size = in->operand_size;
		at += 2 * size;
	}
	return size && size <= sizeof(flags) &&
	       memory_read(s->vcpu, at, &flags, size) == (ssize_t)size && flags & RFLAGS_TF;
}

/*
 * KVM hides TF while it steps, and the guest's own with it: what the guest makes of it is followed here,
 * and the trap that it asks for behind each instruction is raised by the next step.
 */
static void follow_tf(struct step *s)
{
	struct machine *machine = s->machine;

	if (s->entered)
		machine->guest_tf = machine->guest_tf && s->instruction.class == CLASS_SYSENTER;
	else if (s->instruction.class == CLASS_POPF || s->instruction.class == CLASS_IRET ||
		 s->instruction.class == CLASS_SYSRET)
		machine->guest_tf = s->popped_tf;
	if (machine->guest_tf)
		s->vcpu->regs->rflags |= RFLAGS_TF;
	if ((s->instruction.class == CLASS_SYSRET ? s->popped_tf : s->had_tf) && !s->entered)
		machine->inject = KVM_GUESTDBG_INJECT_DB;
}

/*
 * The flags that the old task was left with are those that KVM shows, without the guest's own TF, and it shows
 * none of the new task's. What the instruction alone would have accessed is left.
 */
static void follow_task(struct step *s)
{
	struct instruction *in = &s->instruction;

	task_set_flag(s->vcpu, &s->tr, RFLAGS_TF, s->had_tf);
	s->machine->guest_tf = task_flag(s->vcpu, &s->vcpu->sregs->tr, RFLAGS_TF);
	if (s->machine->guest_tf)
		s->vcpu->regs->rflags |= RFLAGS_TF;
	in->accesses = in->far_transfer && !in->from_register;
}

/* What is at the places that the instruction is to write to, where they are watched. */
#define WRITTEN_MAX 64u /* bytes of an access that are looked at */

static struct written {
	uint32_t len; /* 0: not known */
	uint8_t was[WRITTEN_MAX];
} written[DATA_ACCESSES_MAX];

static void note_written(const struct step *s)
{
	uint64_t addr;

	for (int i = 0; i < s->instruction.accesses; i++) {
		const struct data_access *access = &s->instruction.access[i];

		written[i].len = 0;
		if (access->write && access->len <= WRITTEN_MAX &&
		    points_watching(&s->machine->points, access, &addr) != GDBSTUB_STOPPED &&
		    memory_read(s->vcpu, access->linear, written[i].was, access->len) == (ssize_t)access->len)
			written[i].len = access->len;
	}
}

/*
 * A stop tells of one watchpoint, and of one of writes gdb sees nothing that has not changed: it is one that has, if any.
 */
static enum gdbstub_reason find_watch(const struct step *s, uint64_t *addr)
{
	const struct points *points = &s->machine->points;
	enum gdbstub_reason reason = GDBSTUB_STOPPED;
	uint8_t is[WRITTEN_MAX];

	for (int i = 0; i < s->instruction.accesses && !reason; i++) {
		const struct data_access *access = &s->instruction.access[i];

		if (written[i].len == access->len && written[i].len &&
		    memory_read(s->vcpu, access->linear, is, access->len) == (ssize_t)access->len)
			reason = points_watching_change(points, access, written[i].was, is, addr);
	}
	for (int i = 0; i < s->instruction.accesses && !reason; i++) {
		struct data_access access = decode_access(&s->instruction, i, &s->before, s->vcpu->regs);

		reason = points_watching(points, &access, addr);
	}
	return reason;
}

static enum outcome check_watches(struct step *s, struct gdbstub_stop *stop)
{
	const struct points *points = &s->machine->points;
	enum gdbstub_reason reason = GDBSTUB_STOPPED;

	if (!points->watches)
		return STEPPED;
	/* An instruction that has raised an exception has not made its accesses. */
	if (!s->entered || (s->instruction.class == CLASS_INT && !s->traps))
		reason = find_watch(s, &stop->addr);
	if (s->instruction.class == CLASS_UNKNOWN && !s->machine->told_of_unknown) {
		char where[32];

		s->machine->told_of_unknown = true;
		machine_say(s->machine, "watchpoints may miss what the instruction before %s has done: "
					"it could not be decoded",
			    vcpu_where(s->vcpu, where, sizeof(where)));
	}
	if (s->entered && !reason) {
		struct data_access frame = {.linear = vcpu_sp(s->vcpu), .len = s->entered->frame,
					    .write = true};

		reason = points_watching(points, &frame, &stop->addr);
	}
	return reason ? exit_report(stop, reason, GDBSTUB_SIGNAL_TRAP) : STEPPED;
}

/*
 * Whether the stack has what the gate would have left there for this instruction: others lead to the same handler, or
 * the instruction has come there by itself.
 */
static bool has_frame(const struct step *s, const struct interrupt_gate *gate)
{
	unsigned int size = gate->flags_size, shift = 64 - 8 * size;
	uint64_t items[2] = {0}; /* (E)IP and CS */
	uint64_t behind = s->before.rip + s->instruction.length;

	for (unsigned int i = 0; i < 2; i++) {
		if (memory_read(s->vcpu, frame_item(s, gate->flags_offset - (2 - i) * size), &items[i], size) !=
		    (ssize_t)size)
			return false;
	}
	return (uint16_t)items[1] == s->cs &&
	       (!((items[0] ^ s->before.rip) << shift) || !((items[0] ^ behind) << shift));
}

static enum outcome finish(struct step *s, struct gdbstub_stop *stop)
{
	uint64_t dr6 = s->vcpu->run->debug.arch.dr6;
	bool system_call = s->instruction.class == CLASS_SYSCALL || s->instruction.class == CLASS_SYSENTER;
	bool interrupt = s->instruction.class == CLASS_INT || s->instruction.class == CLASS_ICEBP ||
			 system_call || s->traps;

	if (has_switched(s)) {
		follow_task(s);
		return check_watches(s, stop);
	}
	if (s->emulated) {
		s->entered = s->gate[0].frame ? &s->gate[0] : NULL;
		put_own_tf(s);
		follow_tf(s);
		return check_watches(s, stop);
	}
	for (int n = 0; n < s->handlers && !s->entered; n++) {
		/* With BS it is where a jump or call has come to; without a frame it is no handler. */
		if (vcpu_pc(s->vcpu) == s->gate[n].handler && (s->gate[n].frame ? has_frame(s, &s->gate[n]) : system_call) &&
		    (interrupt || (dr6 & (DR6_BS | 1u << s->slot[n])) == 1u << s->slot[n]))
			s->entered = &s->gate[n];
	}
	s->machine->raised = s->entered && !interrupt;
	put_own_tf(s);
	follow_tf(s);
	return check_watches(s, stop);
}

/* The stub moves past an instruction that it has carried out itself. */
static void advance(struct step *s)
{
	vcpu_skip(s->vcpu, s->instruction.length);
}

/*
 * MOV SS and POP SS hold the trap back until the next instruction is done, too, so that a processor
 * takes two in one step: they are carried out here. False if the CPU is to do it, and to fault.
 */
static bool load_ss(struct step *s)
{
	const struct instruction *in = &s->instruction;
	struct kvm_sregs sregs = *s->vcpu->sregs;
	uint16_t selector = in->selector;
	char why[200];

	if (in->class == CLASS_POP_SS || !in->from_register) {
		if (!in->accesses ||
		    memory_read(s->vcpu, in->access[0].linear, &selector, 2) != 2)
			return false;
	}
	if (segment_load(s->vcpu, &sregs, SEGMENT_SS, selector, why, sizeof(why)))
		return false;
	if (in->class == CLASS_POP_SS) {
		uint64_t mask = vcpu_mode(s->vcpu) == MODE_64 ? ~0ull
				: s->vcpu->sregs->ss.db	      ? 0xffffffffull
							      : 0xffffull;
		uint64_t rsp = s->vcpu->regs->rsp;

		s->vcpu->regs->rsp = (rsp & ~mask) | ((rsp + in->access[0].len) & mask);
	}
	if (vcpu_set_sregs(s->vcpu, &sregs)) {
		*s->vcpu->regs = s->before;
		return false;
	}
	advance(s);
	return true;
}

/*
 * An emulator does all iterations of a string instruction in one step, and so does KVM on a processor
 * when it carries out INS: they are given one at a time. Returns how many are kept back.
 */
static uint64_t hold_iterations(struct step *s)
{
	uint64_t mask = decode_count_mask(&s->instruction), count = s->before.rcx & mask;

	if (!s->instruction.repeated || count < 2 || s->machine->inject ||
	    !(s->machine->findings.steps_stay_armed || s->instruction.port))
		return 0;
	s->vcpu->regs->rcx = (s->before.rcx & ~mask) | 1;
	s->vcpu->regs_dirty = true;
	return count - 1;
}

static void give_back_iterations(struct step *s, uint64_t held)
{
	uint64_t mask = decode_count_mask(&s->instruction);

	if (!held)
		return;
	s->vcpu->regs->rcx = (s->vcpu->regs->rcx & ~mask) |
			     (((s->vcpu->regs->rcx & mask) + held) & mask);
	s->vcpu->regs_dirty = true;
}

/* Whether it is done at once, whoever does it, and leaves the flags' upper half alone. */
static bool is_plain(const struct step *s)
{
	return (s->instruction.class == CLASS_PLAIN || s->instruction.class == CLASS_CALL) && !s->machine->inject;
}

/* Enters the guest for one instruction. GOES_ON: it is not done yet. */
static enum outcome enter(struct step *s, struct gdbstub_stop *stop)
{
	struct machine *machine = s->machine;
	uint32_t control = STEP_CONTROL | machine->inject;
	bool bus_error = false;
	int exit = 0;

	if (s->handlers)
		control |= KVM_GUESTDBG_USE_HW_BP;
	/*
	 * The last thing before KVM_RUN: TF is lost with every write of the registers, and with much of what KVM
	 * carries out itself.
	 */
	if (machine->findings.steps_stay_armed || !is_plain(s) || !vcpu_step_again(s->vcpu, control, s->debugreg))
		exit = vcpu_debug(s->vcpu, control, s->debugreg, !machine->findings.steps_stay_armed);
	machine->inject = 0;
	if (!exit)
		exit = vcpu_enter(s->vcpu);
	switch (exit) {
	case KVM_EXIT_DEBUG:
		/* ICEBP is reported before it is done, and is the guest's. */
		if (s->instruction.class == CLASS_ICEBP && !has_moved(s)) {
			advance(s);
			machine->inject = KVM_GUESTDBG_INJECT_DB;
			return GOES_ON;
		}
		return STEPPED;
	case KVM_EXIT_HLT:
		exit_halt(machine);
		return STEPPED;
	case KVM_EXIT_SET_TPR: /* in the place of KVM_EXIT_DEBUG */
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return has_moved(s) ? STEPPED : GOES_ON;
	case -EINTR:
	case KVM_EXIT_INTR:
		if (has_moved(s))
			return STEPPED;
		exit = exit_take_back(machine);
		return exit ? exit_fail(machine, exit, stop) : INTERRUPTED;
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
		break;
	case KVM_EXIT_INTERNAL_ERROR:
	case KVM_EXIT_SHUTDOWN:
		if (exit_is_unemulated(s->machine, exit) && !has_moved(s) &&
		    emulate(s->vcpu, &s->instruction, &s->gate[0])) {
			s->emulated = true;
			return STEPPED;
		}
		if (exit == KVM_EXIT_SHUTDOWN && bios_resume(machine))
			return STEPPED;
		return exit_fail(machine, exit, stop);
	default:
		return exit_fail(machine, exit, stop);
	}
	exit_serve_io(machine, exit, &bus_error);
	switch (exit_complete_io(machine, &bus_error, stop)) {
	case STOPPED:
		return STOPPED;
	case STEPPED:
		break;
	default:
		/* Not begun, if it did not move: an instruction that reads first is restarted. */
		if (!has_moved(s) && !bus_error)
			return GOES_ON;
	}
	return bus_error ? exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_BUS) : STEPPED;
}

/* Whether the step is to go into the handler of the interrupt that a device asks for. */
static bool takes_interrupt(const struct step *s)
{
	const struct machine *machine = s->machine;
	struct interrupt_gate gate;
	int vector = irq_vector(machine);

	return vector >= 0 && !machine->inject && s->before.rflags & RFLAGS_IF &&
	       !vcpu_in_shadow(s->vcpu) && interrupt_gate(s->vcpu, (uint8_t)vector, true, &gate);
}

/* HLT is the stub's: emulating hosts step over it and remember it, and stop one instruction late. */
static enum outcome halt(struct step *s, struct gdbstub_stop *stop)
{
	struct machine *machine = s->machine;
	enum outcome outcome = irq_wait(machine);
	int result;

	if (outcome == INTERRUPTED)
		return INTERRUPTED;
	result = vcpu_end_shadow(s->vcpu); /* of an STI before it */
	if (result)
		return exit_fail(machine, result, stop);
	advance(s);
	if (outcome == STOPPED)
		exit_halt(machine);
	return STEPPED;
}

static void lift_traps_at(struct step *s, uint64_t linear, uint64_t len)
{
	while (len) {
		uint64_t piece = VM_PAGE - linear % VM_PAGE, gpa;

		if (piece > len)
			piece = len;
		if (!memory_translate(s->vcpu, linear, &gpa))
			traps_lift_range(&s->machine->vm, gpa, piece);
		linear += piece;
		len -= piece;
	}
}

/* What the step could come upon: all of them, unless it is known what the instruction reads and writes. */
static void lift_traps(struct step *s, bool interrupts)
{
	const struct instruction *instruction = &s->instruction;

	if ((instruction->class != CLASS_PLAIN && instruction->class != CLASS_CALL) || s->machine->inject || interrupts ||
	    (instruction->may_fault && !instruction->accesses) || instruction->fpu) {
		traps_lift(&s->machine->vm);
		return;
	}
	lift_traps_at(s, vcpu_pc(s->vcpu), INSTRUCTION_MAX);
	for (int i = 0; i < instruction->accesses; i++)
		lift_traps_at(s, instruction->access[i].linear, instruction->access[i].len);
}

/* Whether nothing is to come before the instruction, so that the program may carry it out. */
static bool is_free(const struct step *s, bool interrupts)
{
	const struct machine *machine = s->machine;
	uint64_t flags = s->vcpu->regs->rflags;

	if (machine->step_kvm || machine->inject || machine->guest_tf || flags & RFLAGS_TF ||
	    (interrupts && flags & RFLAGS_IF && irq_vector(machine) >= 0))
		return false;
	/* The guest's own are heeded by a step where guest code is emulated alone. */
	return !machine->findings.steps_stay_armed || !vcpu_has_breakpoints(s->vcpu);
}

/*
 * What a KVM that emulates guest code makes a mess of when it is stepped: ENDBR, which it does without the trap behind it;
 * INT in protected mode, which becomes a #UD at privilege level 3; and IRET to there, which does not stop.
 */
static bool is_no_step_of_kvm(const struct step *s)
{
	const struct instruction *in = &s->instruction;

	return s->machine->findings.steps_stay_armed && !s->machine->inject &&
	       (in->opcode == OPCODE_HINT ||
		(!vcpu_is_real(s->vcpu) && (in->class == CLASS_INT || in->class == CLASS_IRET)));
}

enum outcome step(struct machine *machine, bool interrupts, struct gdbstub_stop *stop)
{
	struct step s = {.machine = machine, .vcpu = &machine->vcpu};
	enum outcome outcome;
	uint64_t held;
	bool keep_fpu, taken;

	if (!probe_abilities(&machine->findings, s.vcpu)->steps) {
		machine_say(machine, "this host's KVM cannot step %d-bit code at privilege level %u",
			    16 << vcpu_mode(s.vcpu), vcpu_cpl(s.vcpu));
		return exit_report(stop, GDBSTUB_STOPPED, GDBSTUB_SIGNAL_NONE);
	}
	machine->life = MACHINE_ALIVE;
	machine->came_back = machine->raised = false;
	decode_next(s.vcpu, &s.instruction);
	if (is_free(&s, interrupts) && compute(s.vcpu, &s.instruction)) {
		vcpu_pass_round(s.vcpu);
		return STEPPED;
	}
	if (s.instruction.opcode == OPCODE_MOV_TO_DR)
		s.vcpu->own_breakpoints_known = false;
	s.vcpu->steps_without_tf = machine->findings.steps_stay_armed;
	if (machine->vm.traps.count)
		lift_traps(&s, interrupts);
	if (machine->points.watches)
		note_written(&s);
	s.before = *s.vcpu->regs;
	s.tr = s.vcpu->sregs->tr;
	s.cs = s.vcpu->sregs->cs.selector;
	s.had_tf = machine->guest_tf;
	s.traps = machine->inject;
	taken = interrupts && takes_interrupt(&s);
	if (taken) {
		s.instruction = (struct instruction){
			.class = CLASS_INT, .vector = (uint8_t)irq_vector(machine), .may_fault = true};
		irq_taken(machine);
	}
	s.popped_tf = tf_to_be_popped(&s);
	if (s.instruction.class == CLASS_HLT && !vcpu_cpl(s.vcpu) && !machine->inject)
		return halt(&s, stop);
	if ((s.instruction.class == CLASS_LOAD_SS || s.instruction.class == CLASS_POP_SS) &&
	    !machine->findings.steps_stay_armed && !machine->inject && load_ss(&s))
		return check_watches(&s, stop);
	if (s.instruction.class == CLASS_INT && !machine->inject &&
	    interrupt_enter_real(s.vcpu, s.instruction.vector,
				 (uint16_t)(s.before.rip + s.instruction.length), &s.gate[0])) {
		s.entered = &s.gate[0];
		follow_tf(&s);
		return check_watches(&s, stop);
	}
	if (!taken && is_no_step_of_kvm(&s) && emulate(s.vcpu, &s.instruction, &s.gate[0])) {
		s.emulated = true;
		return finish(&s, stop);
	}
	if (taken) {
		int result = vcpu_interrupt(s.vcpu, s.instruction.vector);

		if (result)
			return exit_fail(machine, result, stop);
	}
	/* Debug registers make an emulator's step slower, and it needs none where nothing can happen. */
	if (!machine->findings.steps_stay_armed || s.instruction.may_fault || machine->inject)
		step_watch_handlers(&s);
	/* Nothing else can run in such a step, so what is known of the FPU stays true. */
	keep_fpu = s.vcpu->fpu_valid && !s.instruction.fpu &&
		   (machine->findings.steps_stay_armed || (is_plain(&s) && !s.unwatched));
	held = hold_iterations(&s);
	s.entry = *s.vcpu->regs;
	do {
		outcome = enter(&s, stop);
		/* The last iteration is done, and the instruction is still to be left. */
		if (outcome == STEPPED && s.instruction.repeated &&
		    s.vcpu->regs->rip == s.before.rip && !held &&
		    !(s.vcpu->regs->rcx & decode_count_mask(&s.instruction))) {
			vcpu_defer_kick(s.vcpu);
			outcome = GOES_ON;
		}
	} while (outcome == GOES_ON && !machine->came_back);
	/* It may have done the first instruction of a handler, whatever that is. */
	if (s.unwatched)
		s.vcpu->own_breakpoints_known = false;
	/* The CPU that the instruction began on is no more. */
	if (machine->came_back)
		return outcome == STOPPED ? STOPPED : STEPPED;
	/* A comparison that ends it has left the instruction, with its count. */
	give_back_iterations(&s, held);
	give_back_rf(&s);
	s.vcpu->fpu_valid |= keep_fpu;
	return outcome == STEPPED ? finish(&s, stop) : outcome;
}
