/* Interrupts from devices on their way to the CPU, and waiting for them. */
#ifndef IRQ_H
#define IRQ_H

#include "exits.h"

/* The vector of the interrupt that asks for the CPU, or -1. */
int irq_vector(const struct machine *machine);
/* The CPU has taken it. */
void irq_taken(struct machine *machine);
/* Whether a line that is not masked asks, whatever is in service. */
bool irq_is_asked(const struct machine *machine);
/* Whether one comes through now, and ends a HLT. */
bool irq_wakes(const struct machine *machine);
/*
 * The vCPU is in a HLT. GOES_ON: an interrupt has come that ends it; INTERRUPTED: there was a kick; STOPPED:
 * none will ever come.
 */
enum outcome irq_wait(struct machine *machine);
/* Gives KVM the interrupt that asks if the guest is ready for it, else has KVM say when it is. 0 or a negative errno. */
int irq_offer(struct machine *machine);

#endif
