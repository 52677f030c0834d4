#include "free_steps.h"

#include "machine.h"

#define STEPS_TO_WINDOW 128 /* of the 10 ms between two kicks less than one, also where KVM does them */

/* Whether it is known what the host does. A failure is said when there are points or steps, which try again. */
static bool know_host(struct machine *machine)
{
	char why[256];

	if (!machine->findings.done && !machine->probe_failed)
		machine->probe_failed = probe(&machine->findings, why, sizeof(why)) != 0;
	return machine->findings.done;
}

void free_steps_await_window(struct machine *machine)
{
	if (!machine->vcpu.run->request_interrupt_window || machine->vcpu.regs->rflags & RFLAGS_IF || machine->to_step)
		return;
	/* A step would go from a breakpoint that is still to be hit. */
	if (points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED)
		return;
	if (know_host(machine) && machine->findings.steps_stay_armed &&
	    probe_abilities(&machine->findings, &machine->vcpu)->steps)
		machine->to_step = STEPS_TO_WINDOW;
}

bool free_steps_of_user_code(struct machine *machine)
{
	const struct vcpu *vcpu = &machine->vcpu;

	if (machine->to_step || vcpu_cpl(vcpu) != 3 || vcpu_is_real(vcpu))
		return false;
	if (!machine->carried_out && !machine->findings.done)
		return false;
	if (know_host(machine) && machine->findings.steps_stay_armed && probe_abilities(&machine->findings, vcpu)->steps)
		machine->to_step = STEPS_TO_ARM;
	return machine->to_step;
}
