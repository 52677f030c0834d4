/* The I/O APIC of a PC: 24 pins, of which the devices' lines are on the first 16 (Intel 82093AA, order number 290566). */
#ifndef IOAPIC_H
#define IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define IOAPIC_BASE 0xfec00000ull
#define IOAPIC_PINS 24
#define IOAPIC_VERSION 0x11
#define IOAPIC_ID 1    /* that the BIOS gives it: the processor is 0 */
#define IOAPIC_TIMER 2 /* the pin that line 0 is on; the others have their line's number */

#define IOAPIC_MASKED 0x10000u
#define IOAPIC_LOGICAL 0x800u /* the destination */
#define IOAPIC_LEVEL 0x8000u
#define IOAPIC_REMOTE_IRR 0x4000u /* a level-triggered interrupt has been taken, and has not ended yet */

struct ioapic {
	uint64_t entry[IOAPIC_PINS]; /* the redirection table */
	uint32_t lines;		     /* pins that are high */
	uint8_t index;		     /* of the register that the window shows */
	uint8_t id;
};

void ioapic_reset(struct ioapic *ioapic);
/* An access of its page, at this offset; what is no register reads 0. */
uint32_t ioapic_read(const struct machine *machine, uint32_t offset);
void ioapic_write(struct machine *machine, uint32_t offset, uint32_t value);
/* As lines.h has them, of a device's line. */
void ioapic_set(struct machine *machine, unsigned int irq, bool high);
bool ioapic_is_masked(const struct machine *machine, unsigned int irq);
bool ioapic_in_service(const struct machine *machine, unsigned int irq);
/* The processor takes what it may not have taken before: level-triggered lines ask again. */
void ioapic_ask(struct machine *machine);
/* The processor has ended a level-triggered interrupt. */
void ioapic_end(struct machine *machine, uint8_t vector);

#endif
