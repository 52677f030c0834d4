/*
 * The local APIC of the processor, in xAPIC mode and with its timer (SDM volume 3, chapter "APIC"). Its page is where
 * the MSR IA32_APIC_BASE says, as long as that has it on.
 */
#ifndef LAPIC_H
#define LAPIC_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define LAPIC_BASE 0xfee00000ull
#define LAPIC_BASE_PAGE 0xffffffffff000ull /* of IA32_APIC_BASE */
#define LAPIC_VERSION 0x14
#define LAPIC_ID 0
#define LAPIC_HZ 1000000000u /* of the timer, before it is divided: the same as QEMU's */

/* The local vector table, in the order of its registers. */
enum { LVT_TIMER, LVT_THERMAL, LVT_COUNTERS, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

#define LVT_MASKED 0x10000u
#define LVT_PERIODIC 0x20000u /* of the timer */

/* Delivery modes, of interrupts from wherever. */
enum {
	DELIVER_FIXED = 0,
	DELIVER_LOWEST = 1,
	DELIVER_SMI = 2,
	DELIVER_NMI = 4,
	DELIVER_INIT = 5,
	DELIVER_STARTUP = 6,
	DELIVER_EXTERNAL = 7,
};

#define LAPIC_VECTORS 8 /* words of a bit for each vector */

#define LAPIC_ENABLED 0x100u /* in the spurious vector's register */

struct lapic {
	uint32_t irr[LAPIC_VECTORS], isr[LAPIC_VECTORS], tmr[LAPIC_VECTORS];
	uint32_t lvt[LVT_COUNT];
	uint32_t spurious, logical, format;
	uint32_t command[2]; /* of an interrupt to processors: ICR */
	uint8_t errors, new_errors;
	uint8_t id;
	uint8_t task; /* priority: its upper half is CR8 */
	uint8_t divide;
	uint32_t count;	/* of the timer, at first */
	bool running;
	int64_t start;	/* in the guest's time, when it was set, were the rate the same since; */
	uint64_t fired; /* and how often it has come to 0 since */
	bool told_of_mode;
};

/* The 8259A's interrupts come through, as a PC's firmware leaves it. */
void lapic_reset(struct machine *machine);
/* As the BIOS leaves it: switched on. */
void lapic_program(struct machine *machine);
/* An access of its page, at this offset, of 32 bits. */
uint32_t lapic_read(struct machine *machine, uint32_t offset);
void lapic_write(struct machine *machine, uint32_t offset, uint32_t value);
/* Whether it is on, and at this guest-physical page. */
bool lapic_is_at(const struct machine *machine, uint64_t page);

/* Whether a message to this destination is for this processor. */
bool lapic_is_addressed(const struct machine *machine, uint8_t destination, bool logical);
/* A message has come for it. False if it was not taken. */
bool lapic_deliver(struct machine *machine, uint8_t mode, uint8_t vector, bool level);
/* Whether the 8259A's interrupts come through. */
bool lapic_passes_pic(const struct machine *machine);
/* The vector that waits for the CPU, or -1; it takes that one. */
int lapic_vector(const struct machine *machine);
void lapic_acknowledge(struct machine *machine);
/* Whether one waits, of whatever priority. */
bool lapic_is_asked(const struct machine *machine);
uint8_t lapic_task_priority(const struct machine *machine);
/* What is left of the timer's count. */
uint32_t lapic_current_count(const struct machine *machine);
bool lapic_in_service(const struct machine *machine, uint8_t vector);

#endif
