#define _GNU_SOURCE
#include "irq.h"

#include <errno.h>
#include <string.h>

#include "bios/bios.h"
#include "devices/devices.h"
#include "memory.h"

/* How long a guest of which nothing changes is left waiting in its own time before it counts as halted. */
#define IDLE_MAX (60 * CLOCK_SECOND)

int irq_vector(const struct machine *machine)
{
	int vector = machine->interrupt >= 0 ? machine->interrupt : lapic_vector(machine);

	return vector < 0 && lapic_passes_pic(machine) ? pic_vector(&machine->pic) : vector;
}

void irq_taken(struct machine *machine)
{
	typist_notice_interrupt(machine);
	if (machine->interrupt >= 0)
		machine->interrupt = -1;
	else if (lapic_vector(machine) < 0)
		pic_acknowledge(&machine->pic);
	else {
		lapic_acknowledge(machine);
		/* Not the BIOS's clock, which nobody may hear. */
		machine->idle.since = machine->clock.now;
	}
}

bool irq_is_asked(const struct machine *machine)
{
	return (lapic_passes_pic(machine) && pic_is_asked(&machine->pic)) || lapic_is_asked(machine);
}

bool irq_wakes(const struct machine *machine)
{
	return machine->vcpu.regs->rflags & RFLAGS_IF && irq_vector(machine) >= 0;
}

/*
 * Whether the guest does nothing but wait: at the same HLT with the same registers, over many ticks of a clock
 * that only the BIOS listens to.
 */
static bool is_idle(struct machine *machine)
{
	struct idle *idle = &machine->idle;

	if (memcmp(&idle->regs, machine->vcpu.regs, sizeof(idle->regs))) {
		idle->regs = *machine->vcpu.regs;
		idle->since = machine->clock.now;
	}
	return machine->clock.now - idle->since >= IDLE_MAX;
}

#define HLT 0xf4

/* At a HLT or behind it, and nothing but what fills a boot sector follows, or its signature. */
static bool is_at_end(const struct vcpu *vcpu)
{
	static const uint8_t filling[2], signature[2] = {0x55, 0xaa};
	uint8_t next[8] = {0}, *code = next;
	ssize_t len = memory_read(vcpu, vcpu_pc(vcpu), next, sizeof(next) - sizeof(filling));

	for (; len > 0 && *code == HLT; len--)
		code++;
	return !memcmp(code, filling, sizeof(filling)) || !memcmp(code, signature, sizeof(signature));
}

/*
 * A guest that has not used anything of a PC may not know that the BIOS's clock ticks: for it, as on a bare CPU,
 * a HLT is the end, unless there is more to be done.
 */
static bool is_bare(const struct machine *machine)
{
	if (!machine->is_pc)
		return true;
	return !(machine->uses_pc || bios_is_hooked(machine)) && is_at_end(&machine->vcpu);
}

enum outcome irq_wait(struct machine *machine)
{
	bool with_gdb = machine->stub && gdbstub_connected(machine->stub), idle;
	/* With a debugger there is somebody who can stop a guest that waits for a key. */
	bool may_wait = keyboard_may_come(machine) || uart_may_come(machine) || machine->bios.wait_until ||
			(machine->bios.waits && with_gdb);

	if (!(machine->vcpu.regs->rflags & RFLAGS_IF))
		return STOPPED;
	if (is_bare(machine) && !irq_wakes(machine))
		return STOPPED;
	while (!irq_wakes(machine) && !bios_wait_is_over(machine)) {
		idle = is_idle(machine);
		if (machine->vcpu.kicked)
			return INTERRUPTED;
		if (idle && !may_wait && !bios_hears_clock(machine))
			return STOPPED;
		if (!clock_wait(machine))
			return STOPPED;
	}
	return GOES_ON;
}

int irq_offer(struct machine *machine)
{
	struct vcpu *vcpu = &machine->vcpu;
	int vector, result;

	if (machine->clock.credit)
		clock_spend(machine);
	vector = irq_vector(machine);
	vcpu->run->request_interrupt_window = 0;
	if (vector < 0)
		return 0;
	if (!machine->inject && vcpu->regs->rflags & RFLAGS_IF && !vcpu_in_shadow(vcpu)) {
		result = vcpu_interrupt(vcpu, (uint8_t)vector);
		if (result != -EEXIST) {
			irq_taken(machine);
			return result;
		}
	}
	vcpu->run->request_interrupt_window = 1;
	return 0;
}
