#define _GNU_SOURCE
#include "devices/devices.h"

#include <stdio.h>
#include <string.h>

#include "bios/bios.h"
#include "bios/rom.h"
#include "devices/ide.h"
#include "machine.h"
#include "trace.h"

#define UNANSWERED_SHOWN 4 /* accesses of a port in a direction */

static void debug_console(struct machine *machine, const struct port_access *access)
{
	if (access->write)
		console_write(&machine->console, (const char *)access->data, access->size);
	else
		memset(access->data, PORT_DEBUG_CONSOLE, access->size); /* "it is there" */
}

void devices_report(struct machine *machine, const struct port_access *access)
{
	uint32_t value = 0;
	char line[64];

	memcpy(&value, access->data, access->size);
	if (access->write)
		snprintf(line, sizeof(line), "port 0x%04x <- 0x%0*x (%u)\n", access->port,
			 2 * access->size, value, value);
	else
		snprintf(line, sizeof(line), "port 0x%04x -> 0x%0*x\n", access->port,
			 2 * access->size, value);
	console_line(&machine->console, line);
}

/*
 * Whether an access that nobody answers is reported: on a PC, whose programs look for devices that are not
 * there, or wait for them, only the first few of a port and direction are.
 */
static bool is_news(struct machine *machine, const struct port_access *access)
{
	struct system *system = &machine->system;
	struct unanswered *row = system->unanswered, *end = row + system->unanswered_count;

	if (!machine->is_pc)
		return true;
	while (row < end && (row->port != access->port || row->write != access->write))
		row++;
	if (row == end) {
		if (system->unanswered_count == UNANSWERED_MAX) {
			if (!system->unanswered_full)
				machine_say(machine, "accesses to more ports are not shown (monitor trace io on)");
			system->unanswered_full = true;
			return false;
		}
		system->unanswered_count++;
		*row = (struct unanswered){.port = access->port, .write = access->write};
	}
	if (row->count > UNANSWERED_SHOWN)
		return false;
	if (row->count++ < UNANSWERED_SHOWN)
		return true;
	machine_say(machine, "port 0x%04x: more %s are not shown (monitor trace io on)", access->port,
		    access->write ? "writes" : "reads");
	return false;
}

void devices_nobody(struct machine *machine, const struct port_access *access)
{
	if (!access->write)
		memset(access->data, 0xff, access->size);
	if (!(machine->trace & TRACE_IO) && is_news(machine, access))
		devices_report(machine, access);
}

struct port_range {
	uint16_t first, last;
	port_handler *handler;
	uint8_t width; /* bytes of the largest access that it takes; a larger one is one to each port in turn */
	bool bare;     /* it is there without the other devices of a PC, too */
};

/* By port. */
static const struct port_range ports[] = {
	{PORT_DMA1, PORT_DMA1 + 15, dma_access, 1, false},
	{PORT_PIC1, PORT_PIC1 + 1, pic_access, 1, false},
	{PORT_PIT, PORT_PIT + 3, pit_access, 1, false},
	{PORT_KEYBOARD, PORT_KEYBOARD, keyboard_access, 1, false},
	{PORT_SPEAKER, PORT_SPEAKER, speaker_access, 1, false},
	{PORT_KEYBOARD_STATUS, PORT_KEYBOARD_STATUS, keyboard_access, 1, false},
	{PORT_RTC, PORT_RTC + 1, rtc_access, 1, false},
	{PORT_CODE, PORT_CODE, code_access, 4, false},
	{PORT_DMA_PAGE, PORT_DMA_PAGE + 14, dma_page_access, 1, false},
	{PORT_CONTROL, PORT_CONTROL, control_access, 1, false},
	{PORT_PIC2, PORT_PIC2 + 1, pic_access, 1, false},
	{PORT_POWER_MANAGEMENT, PORT_POWER_MANAGEMENT + 1, power_management_access, 1, false},
	{PORT_DMA2, PORT_DMA2 + 31, dma_access, 1, false},
	{PORT_BIOS, PORT_BIOS, bios_access, 1, false},
	{PORT_DEBUG_CONSOLE, PORT_DEBUG_CONSOLE, debug_console, 4, true},
	{PORT_DELAY_EB, PORT_DELAY_EB, absent_access, 1, false},
	{PORT_DELAY_ED, PORT_DELAY_ED, absent_access, 1, false},
	{IDE_SECONDARY, IDE_SECONDARY, ide_access, 4, false},
	{IDE_SECONDARY + 1, IDE_SECONDARY + IDE_COMMAND, ide_access, 1, false},
	{IDE_PRIMARY, IDE_PRIMARY, ide_access, 4, false},
	{IDE_PRIMARY + 1, IDE_PRIMARY + IDE_COMMAND, ide_access, 1, false},
	{0x201, 0x201, absent_access, 1, false}, /* joysticks */
	{0x278, 0x27f, absent_access, 1, false}, /* printers: here and twice below */
	{0x2e8, 0x2ef, absent_access, 1, false}, /* serial ports: COM4 here, COM2 and COM3 */
	{0x2f8, 0x2ff, absent_access, 1, false},
	{IDE_SECONDARY + IDE_CONTROL, IDE_SECONDARY + IDE_CONTROL, ide_access, 1, false},
	{0x378, 0x37f, absent_access, 1, false},
	{PORT_VGA_MONO, PORT_VGA_MONO + 6, vga_access, 1, false},
	{0x3bc, 0x3be, absent_access, 1, false},
	{PORT_VGA, PORT_VGA + 15, vga_access, 1, false},
	{PORT_VGA_COLOUR, PORT_VGA_COLOUR + 6, vga_access, 1, false},
	{0x3e8, 0x3ef, absent_access, 1, false},
	{PORT_FLOPPY, PORT_FLOPPY + 5, absent_access, 1, false},
	{IDE_PRIMARY + IDE_CONTROL, IDE_PRIMARY + IDE_CONTROL, ide_access, 1, false},
	{PORT_FLOPPY + 7, PORT_FLOPPY + 7, absent_access, 1, false},
	{UART_COM1, UART_COM1 + 7, uart_access, 1, true},
	{PORT_FIRMWARE_CONSOLE, PORT_FIRMWARE_CONSOLE, debug_console, 4, false},
	{PORT_ELCR, PORT_ELCR + 1, pic_access, 1, false},
	{0x604, 0x604, power_access, 4, false}, /* QEMU's PM1 control register */
	{PORT_PCI, PORT_PCI + 7, pci_access, 4, false},
	{0x8900, 0x8900, shutdown_access, 1, false}, /* Bochs */
	{0xb004, 0xb004, power_access, 4, false}, /* the same of Bochs and of QEMU's past */
};

static const struct port_range unused = {0, 0xffff, devices_nobody, 4, true};

static const struct {
	uint64_t (*next)(const struct machine *machine);
	void (*update)(struct machine *machine);
} timed[] = {
	{bios_next, bios_update},
	{pit_next, pit_update},
	{lapic_next, lapic_update},
	{rtc_next, rtc_update},
	{uart_next, uart_update},
	{keyboard_next, keyboard_update},
	{typist_next, typist_update},
	{ide_next, ide_update},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

void devices_reset(struct machine *machine)
{
	rtc_keep(machine);
	clock_reset(machine);
	pic_reset(&machine->pic);
	ioapic_reset(&machine->ioapic);
	lapic_reset(machine);
	pit_reset(machine);
	rtc_reset(machine);
	system_reset(machine);
	keyboard_reset(machine);
	typist_reset(machine);
	uart_reset(machine);
	vga_reset(machine);
	ide_reset(machine);
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

/* What a program for a bare machine would not touch: ports for delays are none of a PC's alone. */
static bool is_used(const struct port_range *range)
{
	return !range->bare && range->handler != absent_access && range->handler != code_access;
}

static void serve(struct machine *machine, const struct port_access *access)
{
	const struct port_range *range = find(machine, access->port);

	machine->uses_pc |= is_used(range) && machine->vcpu.sregs->cs.selector != ROM_SEGMENT;
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
		if (machine->trace & TRACE_IO && (access.port != PORT_BIOS || !machine->is_pc))
			trace_port(machine, &access);
	}
}

bool devices_serve_memory(struct machine *machine, uint64_t gpa, void *data, uint32_t size, bool write)
{
	uint32_t offset = gpa & 0xfff, value = 0;
	bool is_local = lapic_is_at(machine, gpa - offset);

	if (!is_local && !(machine->is_pc && gpa - offset == IOAPIC_BASE))
		return false;
	machine->uses_pc = true;
	clock_advance(machine, CLOCK_PORT_ACCESS);
	/* A register is read and written as a whole, but for the first bytes of it. */
	if (write) {
		memcpy(&value, data, size < sizeof(value) ? size : sizeof(value));
		if (is_local && size == sizeof(value))
			lapic_write(machine, offset, value);
		else if (!is_local)
			ioapic_write(machine, offset, value);
	} else {
		value = is_local ? lapic_read(machine, offset & ~3u) : ioapic_read(machine, offset & ~3u);
		value >>= 8 * (offset & 3);
		memset(data, 0, size);
		memcpy(data, &value, size < sizeof(value) ? size : sizeof(value));
	}
	clock_plan(machine);
	return true;
}

static void access_from_bios(struct machine *machine, uint16_t port, bool write, uint8_t *value)
{
	struct port_access access = {.port = port, .size = 1, .write = write, .data = value};

	clock_advance(machine, CLOCK_PORT_ACCESS);
	find(machine, port)->handler(machine, &access);
}

uint8_t devices_read(struct machine *machine, uint16_t port)
{
	uint8_t value = 0xff;

	access_from_bios(machine, port, false, &value);
	return value;
}

void devices_write(struct machine *machine, uint16_t port, uint8_t value)
{
	access_from_bios(machine, port, true, &value);
}
