#include "devices/uart.h"

#include <string.h>

#include "devices/devices.h"
#include "machine.h"

/* The registers, by their offset from the base port (PC16550D data sheet, table II). */
enum {
	DATA,
	INTERRUPT_ENABLE,
	INTERRUPT_ID,
	LINE_CONTROL,
	MODEM_CONTROL,
	LINE_STATUS,
	MODEM_STATUS,
	SCRATCH,
};

#define LINE_CONTROL_DLAB 0x80	   /* DATA and INTERRUPT_ENABLE are the divisor */
#define INTERRUPT_NONE 0x01	   /* and no FIFO */
#define LINE_STATUS_EMPTY 0x60	   /* the transmitter takes the next character */
#define MODEM_STATUS_CONNECTED 0xb0 /* CTS, DSR and DCD */

/* The register that a DATA or INTERRUPT_ENABLE access means. */
static uint8_t *plain_register(struct uart *uart, unsigned int offset)
{
	switch (offset) {
	case DATA:
	case INTERRUPT_ENABLE:
		if (uart->line_control & LINE_CONTROL_DLAB)
			return &uart->divisor[offset];
		return offset == DATA ? NULL : &uart->interrupt_enable;
	case LINE_CONTROL:
		return &uart->line_control;
	case MODEM_CONTROL:
		return &uart->modem_control;
	case SCRATCH:
		return &uart->scratch;
	default:
		return NULL;
	}
}

static uint8_t read_register(struct uart *uart, unsigned int offset)
{
	uint8_t *plain = plain_register(uart, offset);

	if (plain)
		return *plain;
	switch (offset) {
	case INTERRUPT_ID:
		return INTERRUPT_NONE;
	case LINE_STATUS:
		return LINE_STATUS_EMPTY;
	case MODEM_STATUS:
		return MODEM_STATUS_CONNECTED;
	default: /* DATA: nothing was received */
		return 0;
	}
}

void uart_access(struct machine *machine, const struct port_access *access)
{
	unsigned int offset = access->port - UART_COM1;
	uint8_t *plain = plain_register(&machine->uart, offset);

	if (!access->write) {
		memset(access->data, 0xff, access->size);
		access->data[0] = read_register(&machine->uart, offset);
	} else if (plain) {
		*plain = access->data[0];
	} else if (offset == DATA) {
		console_write(&machine->console, (const char *)access->data, 1);
	}
}
