#define _GNU_SOURCE
#include "devices/devices.h"

#include <stdio.h>
#include <string.h>

#include "bios/rom.h"
#include "machine.h"

static void debug_console(struct machine *machine, const struct port_access *access)
{
	if (access->write)
		console_write(&machine->console, (const char *)access->data, access->size);
	else
		memset(access->data, PORT_DEBUG_CONSOLE, access->size); /* "it is there" */
}

static void nobody(struct machine *machine, const struct port_access *access)
{
	uint32_t value = 0;
	char line[64];

	if (!access->write)
		memset(access->data, 0xff, access->size);
	memcpy(&value, access->data, access->size);
	if (access->write)
		snprintf(line, sizeof(line), "port 0x%04x <- 0x%0*x (%u)\n", access->port,
			 2 * access->size, value, value);
	else
		snprintf(line, sizeof(line), "port 0x%04x -> 0x%0*x\n", access->port,
			 2 * access->size, value);
	console_line(&machine->console, line);
}

struct port_range {
	uint16_t first, last;
	port_handler *handler;
	uint8_t width; /* bytes of the largest access that it takes; a larger one is one to each port in turn */
	bool bare;     /* it is there without the other devices of a PC, too */
};

/* By port. */
static const struct port_range ports[] = {
	{PORT_PIC1, PORT_PIC1 + 1, pic_access, 1, false},
	{PORT_PIT, PORT_PIT + 3, pit_access, 1, false},
	{PORT_SPEAKER, PORT_SPEAKER, speaker_access, 1, false},
	{PORT_PIC2, PORT_PIC2 + 1, pic_access, 1, false},
	{PORT_BIOS, PORT_BIOS, bios_access, 1, false},
	{PORT_DEBUG_CONSOLE, PORT_DEBUG_CONSOLE, debug_console, 4, true},
	{PORT_VGA_MONO, PORT_VGA_MONO + 6, vga_access, 1, false},
	{PORT_VGA, PORT_VGA + 15, vga_access, 1, false},
	{PORT_VGA_COLOUR, PORT_VGA_COLOUR + 6, vga_access, 1, false},
	{UART_COM1, UART_COM1 + 7, uart_access, 1, true},
	{PORT_ELCR, PORT_ELCR + 1, pic_access, 1, false},
};

static const struct port_range unused = {0, 0xffff, nobody, 4, true};

static const struct {
	uint64_t (*next)(const struct machine *machine);
	void (*update)(struct machine *machine);
} timed[] = {
	{pit_next, pit_update},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

void devices_reset(struct machine *machine)
{
	clock_reset(machine);
	pic_reset(&machine->pic);
	pit_reset(machine);
	machine->uart = (struct uart){0};
	vga_reset(machine);
}

uint64_t devices_next(const struct machine *machine)
{
	uint64_t next = CLOCK_NEVER;

	for (size_t i = 0; i < COUNT(timed); i++) {
		uint64_t one = timed[i].next(machine);

		if (one < next)
			next = one;
	}
	return next;
}

void devices_update(struct machine *machine)
{
	for (size_t i = 0; i < COUNT(timed); i++)
		timed[i].update(machine);
}

static const struct port_range *find(const struct machine *machine, uint16_t port)
{
	for (size_t i = 0; i < COUNT(ports) && port >= ports[i].first; i++) {
		if (port <= ports[i].last && (machine->is_pc || ports[i].bare))
			return &ports[i];
	}
	return &unused;
}

static void serve(struct machine *machine, const struct port_access *access)
{
	const struct port_range *range = find(machine, access->port);

	machine->uses_pc |= !range->bare && machine->vcpu.sregs->cs.selector != ROM_SEGMENT;
	if (access->size <= range->width) {
		range->handler(machine, access);
		return;
	}
	for (uint8_t i = 0; i < access->size; i += range->width) {
		struct port_access part = {.port = (uint16_t)(access->port + i), .size = range->width,
					   .write = access->write, .data = access->data + i};

		serve(machine, &part);
	}
}

void devices_serve(struct machine *machine)
{
	struct kvm_run *run = machine->vcpu.run;
	struct port_access access = {
		.port = run->io.port,
		.size = run->io.size,
		.write = run->io.direction == KVM_EXIT_IO_OUT,
		.data = (uint8_t *)run + run->io.data_offset,
	};

	/* A string instruction's elements come together. */
	for (uint32_t n = 0; n < run->io.count; n++, access.data += access.size) {
		clock_advance(machine, CLOCK_PORT_ACCESS);
		serve(machine, &access);
	}
}
