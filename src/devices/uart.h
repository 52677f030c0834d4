/* COM1: a 16550A (PC16550D data sheet). Characters take no time to be sent, and as long as they do to be received. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define UART_COM1 0x3f8
#define UART_FIFO 16

struct uart {
	uint8_t divisor[2];
	uint8_t interrupt_enable;
	uint8_t fifo_control;
	uint8_t line_control;
	uint8_t modem_control;
	uint8_t modem_status; /* in loopback; the upper half */
	uint8_t modem_delta;
	uint8_t scratch;
	uint8_t received[UART_FIFO];
	uint8_t count;
	bool overrun;
	bool sent; /* the transmitter has become empty, and the guest has not seen it yet */
	bool listens; /* the guest has done something to receive: what comes earlier would be lost */
	uint64_t next_at; /* when another character may have come */
};

void uart_reset(struct machine *machine);
uint64_t uart_next(const struct machine *machine);
void uart_update(struct machine *machine);
/* Whether a guest in a HLT would hear of a character, and one may come. */
bool uart_may_come(const struct machine *machine);

#endif
