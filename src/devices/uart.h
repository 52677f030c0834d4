/* The part of a 16550 at COM1 that a program needs to print text. */
#ifndef UART_H
#define UART_H

#include <stdint.h>

#define UART_COM1 0x3f8

struct uart {
	uint8_t divisor[2];
	uint8_t interrupt_enable;
	uint8_t line_control;
	uint8_t modem_control;
	uint8_t scratch;
};

#endif
