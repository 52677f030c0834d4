#include "free_steps.h"

#include "machine.h"

#define STEPS_TO_WINDOW 128 /* of the 10 ms between two kicks less than one, also where KVM does them */

void free_steps_await_window(struct machine *machine)
{
	char why[256];

	if (!machine->vcpu.run->request_interrupt_window || machine->vcpu.regs->rflags & RFLAGS_IF || machine->to_step)
		return;
	/* A step would go from a breakpoint that is still to be hit. */
	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED)
		return;
	if (!machine->findings.done && probe(&machine->findings, why, sizeof(why)))
		return;
	if (machine->findings.steps_stay_armed && probe_abilities(&machine->findings, &machine->vcpu)->steps)
		machine->to_step = STEPS_TO_WINDOW;
}

bool free_steps_of_user_code(struct machine *machine)
{
	const struct vcpu *vcpu = &machine->vcpu;
	char why[256];

	if (machine->to_step || vcpu_cpl(vcpu) != 3 || vcpu_is_real(vcpu))
		return false;
	if (!machine->carried_out && !machine->findings.done)
		return false;
	if (!machine->findings.done && probe(&machine->findings, why, sizeof(why))) {
		machine->carried_out = false;
		return false;
	}
	if (machine->findings.steps_stay_armed && probe_abilities(&machine->findings, vcpu)->steps)
		machine->to_step = STEPS_TO_ARM;
	return machine->to_step;
}
