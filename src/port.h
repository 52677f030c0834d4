/* Port I/O: who answers which port. */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

struct port_access {
	uint16_t port;
	uint8_t size; /* 1, 2 or 4 bytes */
	bool write;
	uint8_t *data; /* `size` bytes, in the guest's order */
};

/* Every device has a handler of this kind. */
typedef void port_handler(struct machine *machine, const struct port_access *access);

port_handler uart_access; /* uart.c */

/* Serves the I/O exit that the vCPU has just made, all of its elements. */
void port_exit(struct machine *machine);

#endif
