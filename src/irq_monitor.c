/* What `monitor irq` says: the interrupt controllers, as the guest has set them up, and what waits in them. */
#define _GNU_SOURCE
#include "irq_monitor.h"

#include <stdio.h>

#include "irq.h"

static void say_pic(struct gdbstub *stub, const struct machine *machine)
{
	const struct pic_chip *chip = machine->pic.chip;

	gdbstub_printf(stub, "8259A: vectors 0x%02x and 0x%02x, masked 0x%02x%02x, asks 0x%02x%02x, in service 0x%02x%02x%s\n",
		       chip[0].vector, chip[1].vector, chip[1].imr, chip[0].imr, chip[1].irr, chip[0].irr, chip[1].isr,
		       chip[0].isr, lapic_passes_pic(machine) ? "" : "; the local APIC's LINT0 lets nothing through");
}

/* The vectors that have a bit, or "none". */
static void say_vectors(struct gdbstub *stub, const char *what, const uint32_t bits[LAPIC_VECTORS])
{
	bool any = false;

	gdbstub_printf(stub, ", %s", what);
	for (unsigned int i = 0; i < 32 * LAPIC_VECTORS; i++) {
		if (!(bits[i / 32] >> i % 32 & 1))
			continue;
		gdbstub_printf(stub, " 0x%02x", i);
		any = true;
	}
	if (!any)
		gdbstub_printf(stub, " none");
}

static void say_lapic(struct gdbstub *stub, struct machine *machine)
{
	const struct lapic *lapic = &machine->lapic;
	uint64_t base = machine->vcpu.sregs->apic_base & LAPIC_BASE_PAGE;
	uint32_t timer = lapic->lvt[LVT_TIMER];

	if (!lapic_is_at(machine, base)) {
		gdbstub_printf(stub, "local APIC: off, by IA32_APIC_BASE\n");
		return;
	}
	gdbstub_printf(stub, "local APIC at 0x%llx: %s, task priority 0x%02x",
		       (unsigned long long)base,
		       lapic->spurious & LAPIC_ENABLED ? "on" : "off, by its spurious vector's register",
		       lapic_task_priority(machine));
	say_vectors(stub, "asks", lapic->irr);
	say_vectors(stub, "in service", lapic->isr);
	gdbstub_printf(stub, "\n");
	if (!(timer & LVT_MASKED))
		gdbstub_printf(stub, "  timer: vector 0x%02x, %s, %u of %u ticks left\n", timer & 0xff,
			       timer & LVT_PERIODIC ? "periodic" : "once", lapic_current_count(machine), lapic->count);
}

static void say_ioapic(struct gdbstub *stub, const struct machine *machine)
{
	bool any = false;

	gdbstub_printf(stub, "I/O APIC at 0x%llx:", IOAPIC_BASE);
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t entry = machine->ioapic.entry[pin];

		if (entry & IOAPIC_MASKED)
			continue;
		any = true;
		gdbstub_printf(stub, "\n  pin %u", pin);
		if (pin == IOAPIC_TIMER)
			gdbstub_printf(stub, " (IRQ 0)");
		gdbstub_printf(stub, ": vector 0x%02x, %s, to %s 0x%02x%s%s", (unsigned int)entry & 0xff,
			       entry & IOAPIC_LEVEL ? "level" : "edge", entry & IOAPIC_LOGICAL ? "logical" : "physical",
			       (unsigned int)(entry >> 56), machine->ioapic.lines >> pin & 1 ? ", high" : "",
			       entry & IOAPIC_REMOTE_IRR ? ", not ended yet" : "");
	}
	gdbstub_printf(stub, any ? "\n" : " all pins are masked\n");
}

int irq_monitor(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	int vector;

	(void)args;
	if (!machine->is_pc) {
		gdbstub_printf(stub, "The guest has none of a PC's devices, and so no interrupt controller.\n");
		return 0;
	}
	say_pic(stub, machine);
	say_lapic(stub, machine);
	say_ioapic(stub, machine);
	vector = irq_vector(machine);
	if (vector < 0)
		gdbstub_printf(stub, "No interrupt waits for the CPU.\n");
	else
		gdbstub_printf(stub, "Vector 0x%02x waits for the CPU%s.\n", (unsigned int)vector,
			       machine->vcpu.regs->rflags & RFLAGS_IF ? "" : ", whose IF is 0");
	return 0;
}
