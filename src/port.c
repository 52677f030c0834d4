#define _GNU_SOURCE
#include "port.h"

#include <stdio.h>
#include <string.h>

#include "machine.h"

#define PORT_DEBUG_CONSOLE 0xe9 /* of Bochs, and of QEMU after it */

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

static const struct {
	uint16_t first, last;
	port_handler *handler;
} devices[] = {
	{PORT_DEBUG_CONSOLE, PORT_DEBUG_CONSOLE, debug_console},
	{UART_COM1, UART_COM1 + 7, uart_access},
	{0, 0xffff, nobody},
};

void port_exit(struct machine *machine)
{
	struct kvm_run *run = machine->vcpu.run;
	struct port_access access = {
		.port = run->io.port,
		.size = run->io.size,
		.write = run->io.direction == KVM_EXIT_IO_OUT,
		.data = (uint8_t *)run + run->io.data_offset,
	};
	size_t i = 0;

	while (access.port < devices[i].first || access.port > devices[i].last)
		i++;
	/* A string instruction's elements come together. */
	for (uint32_t n = 0; n < run->io.count; n++, access.data += access.size)
		devices[i].handler(machine, &access);
}
