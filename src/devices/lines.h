/* The interrupt lines of a PC. Each leads to the pair of 8259A and to the I/O APIC, and a guest uses the one or the other. */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>

#include "devices/pic.h"

struct machine;

/* A device's line, `irq` below IRQ_LINES. */
void line_set(struct machine *machine, unsigned int irq, bool high);
/* One that rises and falls at once: what a timer makes. */
void line_pulse(struct machine *machine, unsigned int irq);
/* The device no longer wants what it has asked for, if the CPU has not taken it yet and the controller can be told. */
void line_withdraw(struct machine *machine, unsigned int irq);
/* Whether no controller lets it through. */
bool line_is_masked(const struct machine *machine, unsigned int irq);
bool line_in_service(const struct machine *machine, unsigned int irq);

#endif
