#include "devices/lapic.h"

#include <string.h>

#include "devices/devices.h"
#include "devices/ioapic.h"
#include "machine.h"

#define BASE_ENABLE 0x800u /* of IA32_APIC_BASE */

/* Offsets of the registers. */
#define ID 0x020
#define VERSION 0x030
#define TASK_PRIORITY 0x080
#define ARBITRATION_PRIORITY 0x090
#define PROCESSOR_PRIORITY 0x0a0
#define END_OF_INTERRUPT 0x0b0
#define LOGICAL_DESTINATION 0x0d0
#define DESTINATION_FORMAT 0x0e0
#define SPURIOUS 0x0f0
#define IN_SERVICE 0x100
#define TRIGGER_MODE 0x180
#define REQUESTS 0x200
#define ERRORS 0x280
#define COMMAND_LOW 0x300
#define COMMAND_HIGH 0x310
#define LOCAL_VECTORS 0x320
#define INITIAL_COUNT 0x380
#define CURRENT_COUNT 0x390
#define DIVIDE 0x3e0

#define SPURIOUS_WRITABLE 0x3ffu
#define FORMAT_FLAT 0xf
#define VECTOR_MIN 16 /* those below are the exceptions' */
#define ERROR_SEND_VECTOR 0x20
#define ERROR_RECEIVED_VECTOR 0x40
#define ERROR_REGISTER 0x80
/* Of the command register. */
#define COMMAND_LOGICAL 0x800u
#define COMMAND_ASSERT 0x4000u
#define COMMAND_LEVEL 0x8000u
#define COMMAND_WRITABLE 0xccfffu

/* What can be set of each entry of the local vector table. */
static const uint32_t lvt_writable[LVT_COUNT] = {0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

static bool is_enabled(const struct machine *machine)
{
	/* There is no CPU while the machine begins anew. */
	return machine->is_pc && machine->vcpu.run && machine->vcpu.sregs->apic_base & BASE_ENABLE;
}

static bool is_on(const struct machine *machine)
{
	return is_enabled(machine) && machine->lapic.spurious & LAPIC_ENABLED;
}

static bool has(const uint32_t bits[LAPIC_VECTORS], uint8_t vector)
{
	return bits[vector / 32] >> vector % 32 & 1;
}

static void set(uint32_t bits[LAPIC_VECTORS], uint8_t vector, bool on)
{
	uint32_t bit = 1u << vector % 32;

	bits[vector / 32] = on ? bits[vector / 32] | bit : bits[vector / 32] & ~bit;
}

static int highest(const uint32_t bits[LAPIC_VECTORS])
{
	for (int i = LAPIC_VECTORS - 1; i >= 0; i--) {
		if (bits[i])
			return 32 * i + 31 - __builtin_clz(bits[i]);
	}
	return -1;
}

/* MOV to CR8 sets its upper half and clears the lower one. */
uint8_t lapic_task_priority(const struct machine *machine)
{
	uint8_t cr8 = machine->vcpu.run->cr8 & 0xf, task = machine->lapic.task;

	return task >> 4 == cr8 ? task : (uint8_t)(cr8 << 4);
}

static uint8_t processor_priority(const struct machine *machine)
{
	int served = highest(machine->lapic.isr);
	uint8_t task = lapic_task_priority(machine);

	return served < 0 || task >> 4 >= served >> 4 ? task : (uint8_t)(served & 0xf0);
}

static bool fail(struct machine *machine, uint8_t error)
{
	struct lapic *lapic = &machine->lapic;
	uint8_t vector = (uint8_t)lapic->lvt[LVT_ERROR];

	lapic->new_errors |= error;
	/* No error of the error's own. */
	if (!(lapic->lvt[LVT_ERROR] & LVT_MASKED) && vector >= VECTOR_MIN)
		lapic_deliver(machine, DELIVER_FIXED, vector, false);
	return false;
}

bool lapic_deliver(struct machine *machine, uint8_t mode, uint8_t vector, bool level)
{
	static const char *const names[] = {[DELIVER_SMI] = "an SMI", [DELIVER_NMI] = "an NMI", [DELIVER_INIT] = "INIT",
					    [DELIVER_EXTERNAL] = "ExtINT by the I/O APIC"};
	struct lapic *lapic = &machine->lapic;

	if (mode == DELIVER_FIXED || mode == DELIVER_LOWEST) {
		if (!is_on(machine))
			return false;
		if (vector < VECTOR_MIN)
			return fail(machine, ERROR_RECEIVED_VECTOR);
		/* What is in the request register is taken for the one that comes now. */
		set(lapic->tmr, vector, level);
		set(lapic->irr, vector, true);
		return true;
	}
	if (mode < sizeof(names) / sizeof(*names) && names[mode] && !lapic->told_of_mode) {
		lapic->told_of_mode = true;
		machine_say(machine, "the guest has an interrupt delivered to its processor as %s, which is not done here",
			    names[mode]);
	}
	return false;
}

bool lapic_is_at(const struct machine *machine, uint64_t page)
{
	return is_enabled(machine) && (machine->vcpu.sregs->apic_base & LAPIC_BASE_PAGE) == page;
}

bool lapic_is_addressed(const struct machine *machine, uint8_t destination, bool logical)
{
	const struct lapic *lapic = &machine->lapic;
	uint8_t own = (uint8_t)(lapic->logical >> 24);

	if (destination == 0xff)
		return true;
	if (!logical)
		return destination == lapic->id;
	if (lapic->format >> 28 == FORMAT_FLAT)
		return destination & own;
	return (destination >> 4 == 0xf || destination >> 4 == own >> 4) && destination & own & 0xf;
}

bool lapic_passes_pic(const struct machine *machine)
{
	uint32_t lint0 = machine->lapic.lvt[LVT_LINT0];

	return !is_enabled(machine) || (!(lint0 & LVT_MASKED) && (lint0 >> 8 & 7) == DELIVER_EXTERNAL);
}

int lapic_vector(const struct machine *machine)
{
	int vector;

	if (!is_on(machine))
		return -1;
	vector = highest(machine->lapic.irr);
	return vector >= 0 && vector >> 4 > processor_priority(machine) >> 4 ? vector : -1;
}

void lapic_acknowledge(struct machine *machine)
{
	struct lapic *lapic = &machine->lapic;
	int vector = lapic_vector(machine);

	if (vector < 0)
		return;
	set(lapic->irr, (uint8_t)vector, false);
	set(lapic->isr, (uint8_t)vector, true);
	/* The timer's next one counts again. */
	clock_plan(machine);
}

bool lapic_is_asked(const struct machine *machine)
{
	return is_on(machine) && highest(machine->lapic.irr) >= 0;
}

bool lapic_in_service(const struct machine *machine, uint8_t vector)
{
	return is_on(machine) && has(machine->lapic.isr, vector);
}

static void end(struct machine *machine)
{
	struct lapic *lapic = &machine->lapic;
	int vector = highest(lapic->isr);

	if (vector < 0)
		return;
	set(lapic->isr, (uint8_t)vector, false);
	if (has(lapic->tmr, (uint8_t)vector))
		ioapic_end(machine, (uint8_t)vector);
}

/* --- The timer --- */

static unsigned int shift(const struct lapic *lapic)
{
	return ((lapic->divide & 3u) + (lapic->divide >> 1 & 4u) + 1) & 7;
}

/* In nanoseconds, which are its ticks: at most 2^39. */
static uint64_t period(const struct lapic *lapic)
{
	return (uint64_t)lapic->count << shift(lapic);
}

static bool is_periodic(const struct lapic *lapic)
{
	return lapic->lvt[LVT_TIMER] & LVT_PERIODIC;
}

static uint64_t elapsed(const struct machine *machine)
{
	const struct lapic *lapic = &machine->lapic;

	return (uint64_t)((int64_t)machine->clock.now - lapic->start);
}

/* How often the count has come to 0. */
static uint64_t ends(const struct machine *machine)
{
	const struct lapic *lapic = &machine->lapic;

	if (!lapic->running)
		return lapic->fired;
	return is_periodic(lapic) ? elapsed(machine) / period(lapic) : elapsed(machine) >= period(lapic);
}

uint32_t lapic_current_count(const struct machine *machine)
{
	const struct lapic *lapic = &machine->lapic;
	uint64_t ticks;

	if (!lapic->running || (!is_periodic(lapic) && ends(machine)))
		return 0;
	ticks = elapsed(machine) % period(lapic) >> shift(lapic);
	return lapic->count - (uint32_t)ticks;
}

/* One that asks already, or that nobody hears, changes nothing. */
uint64_t lapic_next(const struct machine *machine)
{
	const struct lapic *lapic = &machine->lapic;
	uint32_t entry = lapic->lvt[LVT_TIMER];

	if (!is_on(machine) || !lapic->running || entry & LVT_MASKED || has(lapic->irr, (uint8_t)entry) ||
	    (uint8_t)entry < VECTOR_MIN)
		return CLOCK_NEVER;
	return (uint64_t)lapic->start + (lapic->fired + 1) * period(lapic);
}

void lapic_update(struct machine *machine)
{
	struct lapic *lapic = &machine->lapic;
	uint64_t count = ends(machine);

	if (count == lapic->fired)
		return;
	lapic->fired = count;
	lapic->running = is_periodic(lapic);
	if (!(lapic->lvt[LVT_TIMER] & LVT_MASKED))
		lapic_deliver(machine, DELIVER_FIXED, (uint8_t)lapic->lvt[LVT_TIMER], false);
}

static void start_timer(struct machine *machine, uint32_t count)
{
	struct lapic *lapic = &machine->lapic;

	lapic->count = count;
	lapic->start = (int64_t)machine->clock.now;
	lapic->fired = 0;
	lapic->running = count;
}

/* From there on it counts at another rate. */
static void write_divide(struct machine *machine, uint8_t value)
{
	struct lapic *lapic = &machine->lapic;
	uint64_t ticks;

	lapic_update(machine);
	ticks = lapic->count - lapic_current_count(machine);
	lapic->divide = value;
	if (!lapic->running)
		return;
	lapic->start = (int64_t)(machine->clock.now - (ticks << shift(lapic)));
	lapic->fired = 0;
}

/* --- Its registers --- */

static void mask_all(struct lapic *lapic)
{
	for (int i = 0; i < LVT_COUNT; i++)
		lapic->lvt[i] |= LVT_MASKED;
}

void lapic_reset(struct machine *machine)
{
	struct lapic *lapic = &machine->lapic;

	*lapic = (struct lapic){.id = LAPIC_ID, .spurious = 0xff, .format = 0xffffffff};
	mask_all(lapic);
	/* So far firmware would have to do it; a guest that has no use for an APIC need not know of it. */
	lapic->lvt[LVT_LINT0] = DELIVER_EXTERNAL << 8;
}

void lapic_program(struct machine *machine)
{
	machine->lapic.spurious |= LAPIC_ENABLED;
	machine->lapic.lvt[LVT_LINT1] = DELIVER_NMI << 8;
	machine->ioapic.id = IOAPIC_ID;
}

/* To the processor itself; there are no others that could hear it. */
static void send(struct machine *machine, uint32_t command)
{
	struct lapic *lapic = &machine->lapic;
	unsigned int shorthand = command >> 18 & 3, mode = command >> 8 & 7;
	bool is_own = shorthand == 1 || shorthand == 2;

	/* "INIT level de-assert" has all APICs agree upon who is first, and no processor hears of it. */
	if (mode == DELIVER_INIT && (command & (COMMAND_LEVEL | COMMAND_ASSERT)) == COMMAND_LEVEL)
		return;
	if (!shorthand)
		is_own = lapic_is_addressed(machine, (uint8_t)(lapic->command[1] >> 24), command & COMMAND_LOGICAL);
	if ((mode == DELIVER_FIXED || mode == DELIVER_LOWEST) && (command & 0xff) < VECTOR_MIN)
		fail(machine, ERROR_SEND_VECTOR);
	else if (is_own && mode != DELIVER_STARTUP)
		lapic_deliver(machine, (uint8_t)mode, (uint8_t)command, false);
}

static void write_lvt(struct machine *machine, unsigned int n, uint32_t value)
{
	struct lapic *lapic = &machine->lapic;

	/* What has come to 0 while it was masked is lost. */
	lapic_update(machine);
	/* What is left of one way of counting is no part of the other; one that has ended is not begun again. */
	if (n == LVT_TIMER && (value ^ lapic->lvt[n]) & LVT_PERIODIC && lapic->running)
		start_timer(machine, lapic->count);
	lapic->lvt[n] = value & lvt_writable[n];
	if (!(lapic->spurious & LAPIC_ENABLED))
		lapic->lvt[n] |= LVT_MASKED;
}

/* Whether it is one of eight words of a bit for each vector. */
static bool is_word(uint32_t offset, uint32_t first)
{
	return offset >= first && offset < first + 0x10 * LAPIC_VECTORS;
}

uint32_t lapic_read(struct machine *machine, uint32_t offset)
{
	const struct lapic *lapic = &machine->lapic;
	unsigned int word = offset >> 4 & 7;

	if (offset & 0xf)
		return 0;
	if (is_word(offset, IN_SERVICE))
		return lapic->isr[word];
	if (is_word(offset, TRIGGER_MODE))
		return lapic->tmr[word];
	if (is_word(offset, REQUESTS))
		return lapic->irr[word];
	if (offset >= LOCAL_VECTORS && offset < INITIAL_COUNT)
		return lapic->lvt[(offset - LOCAL_VECTORS) >> 4];
	switch (offset) {
	case ID:
		return (uint32_t)lapic->id << 24;
	case VERSION:
		return (LVT_COUNT - 1) << 16 | LAPIC_VERSION;
	case TASK_PRIORITY:
		return lapic_task_priority(machine);
	case ARBITRATION_PRIORITY:
	case PROCESSOR_PRIORITY:
		return processor_priority(machine);
	case LOGICAL_DESTINATION:
		return lapic->logical;
	case DESTINATION_FORMAT:
		return lapic->format;
	case SPURIOUS:
		return lapic->spurious;
	case ERRORS:
		return lapic->errors;
	case COMMAND_LOW:
	case COMMAND_HIGH:
		return lapic->command[word & 1];
	case INITIAL_COUNT:
		return lapic->count;
	case CURRENT_COUNT:
		return lapic_current_count(machine);
	case DIVIDE:
		return lapic->divide;
	case END_OF_INTERRUPT:
		return 0;
	default:
		fail(machine, ERROR_REGISTER);
		return 0;
	}
}

void lapic_write(struct machine *machine, uint32_t offset, uint32_t value)
{
	struct lapic *lapic = &machine->lapic;

	if (offset & 0xf)
		return;
	if (offset >= LOCAL_VECTORS && offset < INITIAL_COUNT) {
		write_lvt(machine, (offset - LOCAL_VECTORS) >> 4, value);
		return;
	}
	switch (offset) {
	case ID:
		lapic->id = (uint8_t)(value >> 24);
		ioapic_ask(machine);
		break;
	case TASK_PRIORITY:
		lapic->task = (uint8_t)value;
		machine->vcpu.run->cr8 = lapic->task >> 4;
		break;
	case END_OF_INTERRUPT:
		end(machine);
		break;
	case LOGICAL_DESTINATION:
		lapic->logical = value & 0xff000000;
		ioapic_ask(machine);
		break;
	case DESTINATION_FORMAT:
		lapic->format = value | 0x0fffffff;
		ioapic_ask(machine);
		break;
	case SPURIOUS:
		lapic_update(machine);
		lapic->spurious = value & SPURIOUS_WRITABLE;
		if (!(value & LAPIC_ENABLED))
			mask_all(lapic);
		ioapic_ask(machine);
		break;
	case ERRORS:
		lapic->errors = lapic->new_errors;
		lapic->new_errors = 0;
		break;
	case COMMAND_LOW:
		lapic->command[0] = value & COMMAND_WRITABLE;
		send(machine, lapic->command[0]);
		break;
	case COMMAND_HIGH:
		lapic->command[1] = value & 0xff000000;
		break;
	case INITIAL_COUNT:
		lapic_update(machine);
		start_timer(machine, value);
		break;
	case DIVIDE:
		write_divide(machine, value & 0xb);
		break;
	default:
		fail(machine, ERROR_REGISTER);
	}
}
