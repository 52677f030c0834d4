#include "devices/uart.h"

#include <string.h>

#include "devices/devices.h"
#include "devices/lines.h"
#include "machine.h"

/* The registers, by their offset from the base port (data sheet, table II). */
enum {
	DATA,
	INTERRUPT_ENABLE,
	INTERRUPT_ID, /* read */
	FIFO_CONTROL = INTERRUPT_ID, /* written */
	LINE_CONTROL,
	MODEM_CONTROL,
	LINE_STATUS,
	MODEM_STATUS,
	SCRATCH,
};

#define ENABLE_RECEIVED 0x01
#define ENABLE_SENT 0x02
#define ENABLE_LINE 0x04
#define ENABLE_MODEM 0x08
#define ENABLE_ALL 0x0f

/* In the order of their priority. */
#define ID_LINE 0x06
#define ID_RECEIVED 0x04
#define ID_TIMEOUT 0x0c /* characters wait that are too few for the FIFO's trigger */
#define ID_SENT 0x02
#define ID_MODEM 0x00
#define ID_NONE 0x01
#define ID_FIFO 0xc0

#define FIFO_ENABLE 0x01
#define FIFO_CLEAR_RECEIVED 0x02

#define LINE_CONTROL_DLAB 0x80 /* DATA and INTERRUPT_ENABLE are the divisor */
#define LINE_RECEIVED 0x01
#define LINE_OVERRUN 0x02
#define LINE_EMPTY 0x60 /* the transmitter takes the next character */

#define MODEM_DTR 0x01
#define MODEM_RTS 0x02
#define MODEM_OUT1 0x04
#define MODEM_OUT2 0x08 /* lets interrupts through to the PC */
#define MODEM_LOOP 0x10
#define MODEM_CONTROL_BITS 0x1f
#define MODEM_CTS 0x10
#define MODEM_DSR 0x20
#define MODEM_RING 0x40
#define MODEM_CARRIER 0x80
#define MODEM_CONNECTED (MODEM_CTS | MODEM_DSR | MODEM_CARRIER)

#define CHARACTER_TIME 86806ull /* nanoseconds for 10 bits, with a divisor of 1: 16 clocks of 1.8432 MHz each */

static unsigned int trigger(const struct uart *uart)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return uart->fifo_control & FIFO_ENABLE ? levels[uart->fifo_control >> 6] : 1;
}

static uint8_t interrupt_id(const struct uart *uart)
{
	uint8_t enabled = uart->interrupt_enable;

	if (enabled & ENABLE_LINE && uart->overrun)
		return ID_LINE;
	if (enabled & ENABLE_RECEIVED && uart->count)
		return uart->count >= trigger(uart) ? ID_RECEIVED : ID_TIMEOUT;
	if (enabled & ENABLE_SENT && uart->sent)
		return ID_SENT;
	if (enabled & ENABLE_MODEM && uart->modem_delta)
		return ID_MODEM;
	return ID_NONE;
}

static void set_line(struct machine *machine)
{
	const struct uart *uart = &machine->uart;
	bool through = uart->modem_control & MODEM_OUT2 && !(uart->modem_control & MODEM_LOOP);

	line_set(machine, IRQ_COM1, through && interrupt_id(uart) != ID_NONE);
}

static uint8_t modem_status(const struct uart *uart)
{
	uint8_t control = uart->modem_control;

	if (!(control & MODEM_LOOP))
		return MODEM_CONNECTED;
	return (uint8_t)((control & MODEM_RTS ? MODEM_CTS : 0) | (control & MODEM_DTR ? MODEM_DSR : 0) |
			 (control & MODEM_OUT1 ? MODEM_RING : 0) | (control & MODEM_OUT2 ? MODEM_CARRIER : 0));
}

void uart_reset(struct machine *machine)
{
	machine->uart = (struct uart){.divisor = {12}, .line_control = 0x03};
	machine->uart.modem_status = modem_status(&machine->uart);
}

/* How many characters it can hold now. */
static unsigned int room(const struct uart *uart)
{
	unsigned int size = uart->fifo_control & FIFO_ENABLE ? UART_FIFO : 1;

	return uart->count < size ? size - uart->count : 0;
}

static void receive(struct uart *uart, uint8_t character)
{
	if (!room(uart)) {
		uart->overrun = true;
		/* Without the queue the character before is lost, with it the new one. */
		if (!(uart->fifo_control & FIFO_ENABLE))
			uart->received[0] = character;
		return;
	}
	uart->received[uart->count++] = character;
}

static uint64_t character_time(const struct uart *uart)
{
	unsigned int divisor = uart->divisor[0] | (unsigned int)uart->divisor[1] << 8;

	return (divisor ? divisor : 1) * CHARACTER_TIME;
}

/* What comes from the other end waits there until there is room. */
uint64_t uart_next(const struct machine *machine)
{
	const struct uart *uart = &machine->uart;

	return uart->listens && room(uart) && !(uart->modem_control & MODEM_LOOP) && serial_has(&machine->serial) ? uart->next_at
												 : CLOCK_NEVER;
}

void uart_update(struct machine *machine)
{
	struct uart *uart = &machine->uart;
	uint8_t character;

	if (uart_next(machine) > machine->clock.now || !serial_take(&machine->serial, &character))
		return;
	receive(uart, character);
	uart->next_at = machine->clock.now + character_time(uart);
	set_line(machine);
}

bool uart_may_come(const struct machine *machine)
{
	const struct uart *uart = &machine->uart;

	return uart->interrupt_enable & ENABLE_RECEIVED && uart->modem_control & MODEM_OUT2 &&
	       !line_is_masked(machine, IRQ_COM1) && (uart->count || serial_may_come(&machine->serial));
}

static uint8_t read_data(struct uart *uart)
{
	uint8_t character = uart->received[0];

	if (!uart->count)
		return 0;
	uart->count--;
	memmove(uart->received, uart->received + 1, uart->count);
	return character;
}

static uint8_t read_register(struct machine *machine, unsigned int offset)
{
	struct uart *uart = &machine->uart;
	uint8_t value;

	switch (offset) {
	case DATA:
		return uart->line_control & LINE_CONTROL_DLAB ? uart->divisor[0] : read_data(uart);
	case INTERRUPT_ENABLE:
		return uart->line_control & LINE_CONTROL_DLAB ? uart->divisor[1] : uart->interrupt_enable;
	case INTERRUPT_ID:
		value = interrupt_id(uart);
		if (value == ID_SENT)
			uart->sent = false;
		return value | (uart->fifo_control & FIFO_ENABLE ? ID_FIFO : 0);
	case LINE_CONTROL:
		return uart->line_control;
	case MODEM_CONTROL:
		return uart->modem_control;
	case LINE_STATUS:
		value = LINE_EMPTY | (uart->count ? LINE_RECEIVED : 0) | (uart->overrun ? LINE_OVERRUN : 0);
		uart->overrun = false;
		return value;
	case MODEM_STATUS:
		value = uart->modem_status | uart->modem_delta;
		uart->modem_delta = 0;
		return value;
	default:
		return uart->scratch;
	}
}

static void write_data(struct machine *machine, uint8_t value)
{
	struct uart *uart = &machine->uart;

	/* The line falls between two characters: an edge for the interrupt controller. */
	uart->sent = false;
	set_line(machine);
	uart->sent = true;
	if (uart->modem_control & MODEM_LOOP)
		receive(uart, value);
	else
		serial_write(machine, value);
}

static void write_modem_control(struct uart *uart, uint8_t value)
{
	uint8_t before = uart->modem_status, changed;

	uart->modem_control = value & MODEM_CONTROL_BITS;
	uart->modem_status = modem_status(uart);
	changed = before ^ uart->modem_status;
	/* Of the ring indicator only its end. */
	if (uart->modem_status & MODEM_RING)
		changed &= (uint8_t)~MODEM_RING;
	uart->modem_delta |= changed >> 4;
}

static void write_register(struct machine *machine, unsigned int offset, uint8_t value)
{
	struct uart *uart = &machine->uart;

	switch (offset) {
	case DATA:
		if (uart->line_control & LINE_CONTROL_DLAB)
			uart->divisor[0] = value;
		else
			write_data(machine, value);
		break;
	case INTERRUPT_ENABLE:
		if (uart->line_control & LINE_CONTROL_DLAB) {
			uart->divisor[1] = value;
			break;
		}
		/* The transmitter is empty always, which is told when somebody begins to ask. */
		uart->sent |= value & ENABLE_SENT && !(uart->interrupt_enable & ENABLE_SENT);
		uart->interrupt_enable = value & ENABLE_ALL;
		break;
	case FIFO_CONTROL:
		if ((value ^ uart->fifo_control) & FIFO_ENABLE || value & FIFO_CLEAR_RECEIVED)
			uart->count = 0;
		uart->fifo_control = value;
		break;
	case LINE_CONTROL:
		uart->line_control = value;
		break;
	case MODEM_CONTROL:
		write_modem_control(uart, value);
		break;
	case SCRATCH:
		uart->scratch = value;
		break;
	default: /* the status registers */
		break;
	}
}

void uart_access(struct machine *machine, const struct port_access *access)
{
	unsigned int offset = access->port - UART_COM1;
	struct uart *uart = &machine->uart;

	if (!(uart->modem_control & MODEM_LOOP) && !access->write)
		uart->listens |= offset == LINE_STATUS;
	if (access->write) {
		write_register(machine, offset, access->data[0]);
	} else {
		memset(access->data, 0xff, access->size);
		access->data[0] = read_register(machine, offset);
	}
	if (!(uart->modem_control & MODEM_LOOP))
		uart->listens |= uart->modem_control & (MODEM_DTR | MODEM_RTS) || uart->interrupt_enable & ENABLE_RECEIVED;
	set_line(machine);
	clock_plan(machine);
}
