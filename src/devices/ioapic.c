#include "devices/ioapic.h"

#include <string.h>

#include "devices/lapic.h"
#include "machine.h"

/* Offsets in its page, and what the index selects. */
#define INDEX 0x00
#define WINDOW 0x10
#define REGISTER_ID 0
#define REGISTER_VERSION 1
#define REGISTER_ARBITRATION 2
#define REGISTER_ENTRIES 0x10

/* Of an entry of the redirection table, beside those of ioapic.h. */
#define READ_ONLY 0x5000u /* the delivery status and the remote IRR */
#define WRITABLE 0xff0000000001ffffull

static unsigned int pin_of(unsigned int irq)
{
	return irq ? irq : IOAPIC_TIMER;
}

static void deliver(struct machine *machine, unsigned int pin)
{
	struct ioapic *ioapic = &machine->ioapic;
	uint64_t entry = ioapic->entry[pin];

	if (entry & IOAPIC_MASKED || !lapic_is_addressed(machine, (uint8_t)(entry >> 56), entry & IOAPIC_LOGICAL))
		return;
	if (!lapic_deliver(machine, (uint8_t)(entry >> 8 & 7), (uint8_t)entry, entry & IOAPIC_LEVEL))
		return;
	if (entry & IOAPIC_LEVEL)
		ioapic->entry[pin] |= IOAPIC_REMOTE_IRR;
}

/* A level-triggered pin asks as long as it is high, but for the time of its handler. */
static void ask(struct machine *machine, unsigned int pin)
{
	const struct ioapic *ioapic = &machine->ioapic;
	uint64_t entry = ioapic->entry[pin];

	if (ioapic->lines >> pin & 1 && entry & IOAPIC_LEVEL && !(entry & IOAPIC_REMOTE_IRR))
		deliver(machine, pin);
}

void ioapic_ask(struct machine *machine)
{
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++)
		ask(machine, pin);
}

void ioapic_reset(struct ioapic *ioapic)
{
	memset(ioapic, 0, sizeof(*ioapic));
	for (int i = 0; i < IOAPIC_PINS; i++)
		ioapic->entry[i] = IOAPIC_MASKED;
}

void ioapic_set(struct machine *machine, unsigned int irq, bool high)
{
	struct ioapic *ioapic = &machine->ioapic;
	unsigned int pin = pin_of(irq);
	bool was_high = ioapic->lines >> pin & 1;

	if (high == was_high || !machine->is_pc)
		return;
	ioapic->lines ^= 1u << pin;
	/* The data sheet: an edge that comes while the pin is masked is lost. */
	if (ioapic->entry[pin] & IOAPIC_LEVEL)
		ask(machine, pin);
	else if (high)
		deliver(machine, pin);
}

bool ioapic_is_masked(const struct machine *machine, unsigned int irq)
{
	return machine->ioapic.entry[pin_of(irq)] & IOAPIC_MASKED;
}

bool ioapic_in_service(const struct machine *machine, unsigned int irq)
{
	return !ioapic_is_masked(machine, irq) &&
	       lapic_in_service(machine, (uint8_t)machine->ioapic.entry[pin_of(irq)]);
}

void ioapic_end(struct machine *machine, uint8_t vector)
{
	struct ioapic *ioapic = &machine->ioapic;

	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->entry[pin];

		if ((uint8_t)*entry != vector || !(*entry & IOAPIC_REMOTE_IRR))
			continue;
		*entry &= ~(uint64_t)IOAPIC_REMOTE_IRR;
		ask(machine, pin);
	}
}

static uint32_t read_window(const struct ioapic *ioapic)
{
	unsigned int at = ioapic->index;

	switch (at) {
	case REGISTER_ID:
	case REGISTER_ARBITRATION:
		return (uint32_t)ioapic->id << 24;
	case REGISTER_VERSION:
		return (IOAPIC_PINS - 1) << 16 | IOAPIC_VERSION;
	default:
		if (at < REGISTER_ENTRIES || at >= REGISTER_ENTRIES + 2 * IOAPIC_PINS)
			return 0;
		at -= REGISTER_ENTRIES;
		return (uint32_t)(ioapic->entry[at / 2] >> (at & 1 ? 32 : 0));
	}
}

static void write_window(struct machine *machine, uint32_t value)
{
	struct ioapic *ioapic = &machine->ioapic;
	unsigned int at = ioapic->index, pin;
	uint64_t entry;

	if (at == REGISTER_ID)
		ioapic->id = value >> 24 & 0xf;
	if (at < REGISTER_ENTRIES || at >= REGISTER_ENTRIES + 2 * IOAPIC_PINS)
		return;
	pin = (at - REGISTER_ENTRIES) / 2;
	entry = ioapic->entry[pin];
	if (at & 1)
		entry = (entry & 0xffffffff) | (uint64_t)value << 32;
	else
		entry = (entry & ~0xffffffffull) | (value & ~READ_ONLY) | (entry & READ_ONLY);
	entry &= WRITABLE;
	/* Without a level there is no end of it to wait for. */
	if (!(entry & IOAPIC_LEVEL))
		entry &= ~(uint64_t)IOAPIC_REMOTE_IRR;
	ioapic->entry[pin] = entry;
	ask(machine, pin);
}

uint32_t ioapic_read(const struct machine *machine, uint32_t offset)
{
	if (offset == INDEX)
		return machine->ioapic.index;
	return offset == WINDOW ? read_window(&machine->ioapic) : 0;
}

void ioapic_write(struct machine *machine, uint32_t offset, uint32_t value)
{
	if (offset == INDEX)
		machine->ioapic.index = (uint8_t)value;
	else if (offset == WINDOW)
		write_window(machine, value);
}
