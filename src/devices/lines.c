#include "devices/lines.h"

#include "devices/ioapic.h"
#include "machine.h"

void line_set(struct machine *machine, unsigned int irq, bool high)
{
	pic_set(&machine->pic, irq, high);
	ioapic_set(machine, irq, high);
}

void line_pulse(struct machine *machine, unsigned int irq)
{
	line_set(machine, irq, true);
	line_set(machine, irq, false);
}

void line_withdraw(struct machine *machine, unsigned int irq)
{
	pic_withdraw(&machine->pic, irq);
}

bool line_is_masked(const struct machine *machine, unsigned int irq)
{
	return (!lapic_passes_pic(machine) || pic_is_masked(&machine->pic, irq)) && ioapic_is_masked(machine, irq);
}

bool line_in_service(const struct machine *machine, unsigned int irq)
{
	return pic_in_service(&machine->pic, irq) || ioapic_in_service(machine, irq);
}
