/* The handlers that an instruction may enter, in debug registers. */
#include "memory.h"
#include "step_parts.h"
#include "task.h"

/* Takes one more, in a debug register of its own; there must be one. */
static void add_handler(struct step *s, const struct interrupt_gate *gate)
{
	int n = s->slots++;

	s->debugreg[n] = gate->handler;
	s->debugreg[7] |= 2u << 2 * n; /* global, on execution */
	s->slot[s->handlers] = (uint8_t)n;
	s->gate[s->handlers++] = *gate;
}

/* The same for one that begins where another does. False: none does, or it is that one. */
static bool shares_register(struct step *s, const struct interrupt_gate *gate)
{
	int slot = -1;

	for (int i = 0; i < s->handlers; i++) {
		if (s->gate[i].handler != gate->handler)
			continue;
		if (s->gate[i].frame == gate->frame)
			return true;
		slot = s->slot[i];
	}
	if (slot < 0 || s->handlers == STEP_HANDLERS)
		return false;
	s->slot[s->handlers] = (uint8_t)slot;
	s->gate[s->handlers++] = *gate;
	return true;
}

/* Where a vector leads; a switch of tasks leaves no frame. */
static bool find_handler(struct step *s, uint8_t vector, bool software, struct interrupt_gate *gate)
{
	struct task task;
	uint16_t selector;

	if (interrupt_gate(s->vcpu, vector, software, gate))
		return true;
	if (!interrupt_task(s->vcpu, vector, &selector) || !task_find(s->vcpu, selector, &task))
		return false;
	*gate = (struct interrupt_gate){.handler = task.entry, .base = task.base};
	return true;
}

/* `software`: by an INT. */
static void watch_handler(struct step *s, uint8_t vector, bool software)
{
	struct interrupt_gate gate;

	if (!find_handler(s, vector, software, &gate)) {
		s->ungated = true;
		return;
	}
	/* Handlers are often one and the same. */
	if (shares_register(s, &gate))
		return;
	/* One that begins where we are would be reported before the instruction. */
	if (s->slots == VCPU_DEBUG_REGISTERS || s->handlers == STEP_HANDLERS || gate.handler == vcpu_pc(s->vcpu) ||
	    (s->machine->findings.lost_in_segments && gate.base)) {
		s->unwatched = true;
		return;
	}
	add_handler(s, &gate);
}

/* The task that an instruction switches to. KVM carries that out, and TF is lost in it. */
static void watch_task(struct step *s)
{
	struct task task;

	if (!task_of_instruction(s->vcpu, &s->instruction, &task) || task.entry == vcpu_pc(s->vcpu) ||
	    (s->machine->findings.lost_in_segments && task.base))
		return;
	add_handler(s, &(struct interrupt_gate){.handler = task.entry});
	/* With RF, which a fault has saved, no debug register would be heeded there. */
	s->tss = task.tss;
	s->without_rf = task_flag(s->vcpu, &task.tss, RFLAGS_RF);
	task_set_flag(s->vcpu, &task.tss, RFLAGS_RF, false);
}

/* The target of SYSCALL or SYSENTER, which pushes nothing. */
static void watch_system_call(struct step *s)
{
	uint64_t handler;

	if (s->slots == VCPU_DEBUG_REGISTERS ||
	    !interrupt_system_call(s->vcpu, s->instruction.class == CLASS_SYSENTER, &handler) ||
	    handler == vcpu_pc(s->vcpu))
		return;
	add_handler(s, &(struct interrupt_gate){.handler = handler});
}

/* An emulator's step of IRETQ does the instruction that it returns to as well. */
static void watch_return(struct step *s)
{
	const struct instruction *in = &s->instruction;
	uint64_t target;

	if (in->class != CLASS_IRET || vcpu_mode(s->vcpu) != MODE_64 || in->operand_size != sizeof(target) ||
	    !s->machine->findings.steps_stay_armed ||
	    memory_read(s->vcpu, in->access[0].linear, &target, sizeof(target)) != sizeof(target) ||
	    target == vcpu_pc(s->vcpu))
		return;
	add_handler(s, &(struct interrupt_gate){.handler = target});
}

/*
 * SYSRET looks at TF when it has loaded the flags from R11: with TF there the trap comes before the first
 * instruction behind it, and without, none comes.
 */
static void watch_sysret(struct step *s)
{
	uint64_t target = s->vcpu->regs->rcx;

	if (s->instruction.class != CLASS_SYSRET)
		return;
	if (s->instruction.operand_size != 8)
		target = (uint32_t)target;
	if (target == vcpu_pc(s->vcpu))
		return;
	add_handler(s, &(struct interrupt_gate){.handler = target});
}

/*
 * A processor clears TF when it enters a handler and runs it to its IRET; an emulator stops behind the
 * handler's first instruction. A debug register at the handler stops both before it. There are four, so
 * those come first that the instruction is the most likely to raise as the CPU stands.
 */
void step_watch_handlers(struct step *s)
{
	const struct instruction *in = &s->instruction;
	const struct kvm_sregs *sregs = s->vcpu->sregs;
	bool no_fpu = sregs->cr0 & (CR0_EM | CR0_TS);
	bool selectors = sregs->cr0 & CR0_PE && (in->class == CLASS_FAR || in->class == CLASS_IRET ||
						 in->class == CLASS_INT);
	/* As the CPU stands: SSE without OSFXSR or with EM, SYSCALL without SCE, LOCK before what knows none. */
	bool is_invalid = (in->fpu && !in->x87 && (!(sregs->cr4 & CR4_OSFXSR) || sregs->cr0 & CR0_EM)) ||
			  in->class == CLASS_UNKNOWN || (in->lock && !in->accesses) ||
			  ((in->class == CLASS_SYSCALL || in->class == CLASS_SYSRET) && !(sregs->efer & EFER_SCE));
	const struct {
		enum exception vector;
		bool may_come;
	} exceptions[] = {
		{EXCEPTION_DB, in->class == CLASS_ICEBP || s->machine->inject & KVM_GUESTDBG_INJECT_DB},
		{EXCEPTION_DE, in->divides},
		{EXCEPTION_BR, in->bounds},
		{EXCEPTION_NM, in->fpu && no_fpu},
		{EXCEPTION_UD, is_invalid},
		{EXCEPTION_MF, in->x87 && !no_fpu},
		{EXCEPTION_XM, in->fpu && !in->x87 && !no_fpu && !is_invalid},
		{EXCEPTION_PF, sregs->cr0 & CR0_PG},
		{EXCEPTION_GP, true},
		{EXCEPTION_NP, selectors},
		/* Few instructions raise it, but the registers had else to be set again for each PUSH. */
		{EXCEPTION_SS, true},
		{EXCEPTION_AC, sregs->cr0 & CR0_AM && s->before.rflags & RFLAGS_AC &&
				       vcpu_cpl(s->vcpu) == 3},
		{EXCEPTION_UD, true},
		{EXCEPTION_TS, selectors},
	};
	/* What has no gate takes no register, and may end in these. */
	static const enum exception behind[] = {EXCEPTION_NP, EXCEPTION_DF};

	s->debugreg[7] = 0x400;
	watch_return(s);
	watch_task(s);
	watch_sysret(s);
	if (in->class == CLASS_INT)
		watch_handler(s, in->vector, true);
	if (in->class == CLASS_SYSCALL || in->class == CLASS_SYSENTER)
		watch_system_call(s);
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++) {
		if (exceptions[i].may_come)
			watch_handler(s, exceptions[i].vector, false);
	}
	for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++) {
		if (s->ungated || s->slots < VCPU_DEBUG_REGISTERS)
			watch_handler(s, behind[i], false);
	}
}
