/* INT 15h: memory and its map, waiting, the A20 gate, and what else the AT's system services became. */
#include "bios/bios.h"
#include "bios/rom.h"
#include "devices/devices.h"
#include "e820.h"
#include "irq.h"
#include "machine.h"
#include "memory.h"

#define NO_SUCH_FUNCTION 0x86

#define SMAP 0x534d4150u
#define SMAP_ATTRIBUTES 24 /* bytes of an entry with ACPI 3.0's attributes, of which the first is "valid" */

/* The BIOS data area. */
#define EBDA_SEGMENT 0x0e
#define WAIT_ACTIVE 0xa0

#define EVENT_HAS_COME 0x80 /* in the byte that the caller of INT 15h AH=83h looks at */
#define MEGABYTE_63 (63u << 10)
#define MEGABYTE_15 (15u << 10) /* from the first to the 16th */

/* INT 15h AH=87h. */
#define MOVE_SOURCE 0x10
#define MOVE_TARGET 0x18
#define MOVE_MAX 0x8000u /* words */
#define MOVE_FAILED 0x02

#define APM_VERSION 0x0102
#define APM_SIGNATURE 0x504d
#define APM_ALL_DEVICES 0x0001
#define APM_BIOS 0x0000
#define APM_OFF 3
enum apm_error {
	APM_NO_16_BIT = 0x06,
	APM_NO_32_BIT = 0x08,
	APM_NO_DEVICE = 0x09,
	APM_NO_FUNCTION = 0x0c,
	APM_NO_STATE = 0x60,
	APM_NO_EVENT = 0x80,
};

static enum bios_result refuse(struct bios_call *call)
{
	return bios_fail(call, NO_SUCH_FUNCTION);
}

static enum bios_result unknown(struct bios_call *call)
{
	call->a.h = NO_SUCH_FUNCTION;
	return BIOS_UNKNOWN;
}

static enum bios_result accept(struct bios_call *call)
{
	return bios_succeed(call);
}

static enum bios_result a20(struct bios_call *call)
{
	struct system *system = &call->machine->system;

	switch (call->a.l) {
	case 0:
	case 1:
		system->a20 = call->a.l;
		return bios_succeed(call);
	case 2:
		call->a.l = system->a20;
		call->c.x = 0;
		return bios_succeed(call);
	case 3:
		call->b.x = 3; /* by the 8042 and by port 0x92 */
		return bios_succeed(call);
	default:
		return unknown(call);
	}
}

/* The scan code is the keyboard interrupt's to take, as CF says. */
static enum bios_result keyboard_intercept(struct bios_call *call)
{
	(void)call;
	return BIOS_DONE;
}

/* Waits for an interrupt. The stack pointer tells the call that comes back from an interrupt's own call. */
static enum bios_result apm_idle(struct bios_call *call)
{
	struct bios *bios = &call->machine->bios;
	uint64_t sp = vcpu_sp(&call->machine->vcpu);

	if (bios->idle && bios->idle_sp == sp) {
		bios->idle = false;
		return bios_succeed(call);
	}
	bios->idle = true;
	bios->idle_sp = sp;
	return BIOS_WAIT;
}

static enum bios_result apm_power(struct bios_call *call)
{
	if (call->b.x != APM_ALL_DEVICES)
		return bios_fail(call, APM_NO_DEVICE);
	if (call->c.x != APM_OFF)
		return bios_fail(call, APM_NO_STATE);
	call->machine->request = MACHINE_OFF;
	return bios_succeed(call);
}

static enum bios_result apm(struct bios_call *call)
{
	switch (call->a.l) {
	case 0x00: /* installation check */
		if (call->b.x != APM_BIOS)
			return bios_fail(call, APM_NO_DEVICE);
		bios_succeed(call);
		call->a.x = APM_VERSION;
		call->b.x = APM_SIGNATURE;
		call->c.x = 0; /* nothing for protected mode */
		return BIOS_DONE;
	case 0x02: /* connect, for 16-bit protected mode */
		return bios_fail(call, APM_NO_16_BIT);
	case 0x03:
		return bios_fail(call, APM_NO_32_BIT);
	case 0x01: /* connect, for real mode */
	case 0x04: /* disconnect */
	case 0x06: /* the CPU is busy */
	case 0x08: /* power management on or off */
	case 0x0d: /* for one device */
	case 0x0f: /* the system's part of it */
		return bios_succeed(call);
	case 0x05:
		return apm_idle(call);
	case 0x07:
		return apm_power(call);
	case 0x0a: /* on line, without a battery */
		call->b.x = 0x01ff;
		call->c.x = 0x80ff;
		call->d.x = 0xffff;
		return bios_succeed(call);
	case 0x0b:
		return bios_fail(call, APM_NO_EVENT);
	case 0x0e: /* the version that both know */
		bios_succeed(call);
		call->a.x = call->c.x < APM_VERSION ? call->c.x : APM_VERSION;
		return BIOS_DONE;
	default:
		return bios_fail(call, APM_NO_FUNCTION);
	}
}

/*
 * The end is an event of its own, so that the wait is as long as it is to be. With interrupts that wait the
 * stub's HLT lets them in.
 */
static enum bios_result wait(struct bios_call *call)
{
	struct machine *machine = call->machine;
	struct bios *bios = &machine->bios;
	uint64_t microseconds = (uint64_t)call->c.x << 16 | call->d.x;

	if (!bios->wait_until)
		bios->wait_until = machine->clock.now + microseconds * CLOCK_MICROSECOND;
	while (machine->clock.now < bios->wait_until) {
		if (irq_vector(machine) >= 0 || machine->vcpu.kicked)
			return BIOS_WAIT;
		clock_wait(machine);
	}
	bios->wait_until = 0;
	return bios_succeed(call);
}

/* The other wait: the caller goes on, and looks at a byte of its own, of which the highest bit is set in the end. */
static enum bios_result set_event(struct bios_call *call)
{
	struct machine *machine = call->machine;
	struct bios *bios = &machine->bios;
	uint64_t microseconds = (uint64_t)call->c.x << 16 | call->d.x;

	if (call->a.l > 1 || (!call->a.l && bios->event_at))
		return refuse(call);
	bios->event_at = call->a.l ? 0 : machine->clock.now + microseconds * CLOCK_MICROSECOND;
	bios->event_byte = call->es_base + call->b.x;
	*bios_byte(machine, WAIT_ACTIVE) = bios->event_at ? 1 : 0;
	clock_plan(machine);
	return bios_succeed(call);
}

void bios_update(struct machine *machine)
{
	struct bios *bios = &machine->bios;
	uint8_t byte;

	if (!bios->event_at || machine->clock.now < bios->event_at)
		return;
	bios->event_at = 0;
	*bios_byte(machine, WAIT_ACTIVE) = 0;
	if (memory_read_physical(&machine->vcpu, bios->event_byte, &byte, 1) == 1) {
		byte |= EVENT_HAS_COME;
		memory_write_physical(&machine->vcpu, bios->event_byte, &byte, 1);
	}
}

/* The base of an entry of the caller's GDT, of which the 24 bits of the 80286 have got 8 more. */
static bool read_base(struct bios_call *call, unsigned int entry, uint32_t *base)
{
	uint8_t descriptor[8];

	if (memory_read(&call->machine->vcpu, call->es_base + (uint16_t)(call->si.x + entry), descriptor,
			sizeof(descriptor)) != sizeof(descriptor))
		return false;
	*base = descriptor[2] | (uint32_t)descriptor[3] << 8 | (uint32_t)descriptor[4] << 16 |
		(uint32_t)descriptor[7] << 24;
	return true;
}

static enum bios_result move(struct bios_call *call)
{
	static uint8_t data[2 * MOVE_MAX];
	struct vcpu *vcpu = &call->machine->vcpu;
	size_t len = 2u * call->c.x;
	uint32_t source, target;

	if (len > sizeof(data) || !read_base(call, MOVE_SOURCE, &source) || !read_base(call, MOVE_TARGET, &target))
		return bios_fail(call, MOVE_FAILED);
	if (len && (memory_read_physical(vcpu, source, data, len) != (ssize_t)len ||
		    memory_write_physical(vcpu, target, data, len)))
		return bios_fail(call, MOVE_FAILED);
	return bios_succeed(call);
}

static enum bios_result extended(struct bios_call *call)
{
	uint32_t size = extended_memory(call->machine);

	call->a.x = (uint16_t)(size < MEGABYTE_63 ? size : MEGABYTE_63);
	bios_flag(call, FLAG_CARRY, false);
	return BIOS_DONE;
}

/* Phoenix's: without the limit of a word. */
static enum bios_result large_extended(struct bios_call *call)
{
	uint32_t size = extended_memory(call->machine);

	call->d.x = (uint16_t)(size >> 16);
	call->a.x = (uint16_t)size;
	bios_flag(call, FLAG_CARRY, false);
	return BIOS_DONE;
}

static enum bios_result get_configuration(struct bios_call *call)
{
	call->es = ROM_SEGMENT;
	call->b.x = ROM_CONFIGURATION;
	return bios_succeed(call);
}

static enum bios_result get_ebda(struct bios_call *call)
{
	call->es = bios_word(call->machine, EBDA_SEGMENT);
	bios_flag(call, FLAG_CARRY, false);
	return BIOS_DONE;
}

/* No pointing device: the interface reports an error. */
static enum bios_result no_mouse(struct bios_call *call)
{
	return bios_fail(call, 0x03);
}

static enum bios_result get_map(struct bios_call *call)
{
	struct {
		struct e820_entry entry;
		uint32_t attributes;
	} __attribute__((packed)) row = {.attributes = 1};
	struct e820_entry entries[E820_MAX];
	size_t count = e820_map(&call->machine->vm, entries);
	size_t size = call->c.e == SMAP_ATTRIBUTES ? sizeof(row) : sizeof(row.entry);

	if (call->d.e != SMAP || call->c.e < sizeof(row.entry) || call->b.e >= count)
		return refuse(call);
	row.entry = entries[call->b.e];
	if (memory_write(&call->machine->vcpu, call->es_base + call->di.x, &row, size))
		return refuse(call);
	call->a.e = SMAP;
	call->c.e = (uint32_t)size;
	call->b.e = call->b.e + 1 < count ? call->b.e + 1 : 0;
	bios_flag(call, FLAG_CARRY, false);
	return BIOS_DONE;
}

/* Below 16 MiB in KiB, above in 64 KiB. */
static enum bios_result get_sizes(struct bios_call *call)
{
	uint32_t size = extended_memory(call->machine), low = size < MEGABYTE_15 ? size : MEGABYTE_15;
	bool wide = call->a.l == 0x81;

	call->a.r = wide ? low : (call->a.r & ~0xffffull) | low;
	call->c.r = wide ? low : (call->c.r & ~0xffffull) | low;
	size = (size - low) >> 6;
	call->b.r = wide ? size : (call->b.r & ~0xffffull) | size;
	call->d.r = wide ? size : (call->d.r & ~0xffffull) | size;
	bios_flag(call, FLAG_CARRY, false);
	return BIOS_DONE;
}

static enum bios_result memory(struct bios_call *call)
{
	switch (call->a.l) {
	case 0x01:
	case 0x81:
		return get_sizes(call);
	case 0x20:
		return get_map(call);
	default:
		return unknown(call);
	}
}

const struct bios_service int15_services[] = {
	{0x24, "A20 gate", a20},
	{0x41, "wait for external event", refuse},
	{0x4f, "keyboard intercept", keyboard_intercept},
	{0x52, "medium is ejected", accept},
	{0x53, "power management", apm},
	{0x80, "device is opened", accept},
	{0x81, "device is closed", accept},
	{0x82, "program ends", accept},
	{0x83, "set event wait", set_event},
	{0x84, "joystick", refuse},
	{0x85, "SysRq key", accept},
	{0x86, "wait", wait},
	{0x87, "move block", move},
	{0x88, "size of extended memory", extended},
	{0x89, "switch to protected mode", refuse},
	{0x8a, "size of large extended memory", large_extended},
	{0x90, "device is busy", accept},
	{0x91, "device is ready", accept},
	{0xc0, "system configuration", get_configuration},
	{0xc1, "segment of extended BIOS data", get_ebda},
	{0xc2, "pointing device", no_mouse},
	{0xc3, "watchdog", refuse},
	{0xc4, "programmable options", refuse},
	{0xc9, "CPU type", refuse},
	{0xd8, "EISA", refuse},
	{0xe8, "memory map", memory},
	{0xec, "kind of operating system", accept},
	{BIOS_ANY, "system service", unknown},
	{0},
};

bool bios_wait_is_over(const struct machine *machine)
{
	const struct bios *bios = &machine->bios;

	return bios->wait_until && machine->clock.now >= bios->wait_until &&
	       machine->vcpu.sregs->cs.selector == ROM_SEGMENT;
}

uint64_t bios_next(const struct machine *machine)
{
	uint64_t end = machine->bios.wait_until > machine->clock.now ? machine->bios.wait_until : CLOCK_NEVER;

	return machine->bios.event_at && machine->bios.event_at < end ? machine->bios.event_at : end;
}
