/* What is at the other end of the serial line. */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

#define SERIAL_BUFFER 1024

struct serial {
	int in, out;	  /* -1: none */
	int listener;	  /* a Unix socket; -1 */
	int kept;	  /* the pseudo-terminal's other side, so that there always is one; -1 */
	bool to_console;  /* what the guest sends is its console's text */
	bool is_slow;	  /* more may come at any time */
	bool is_own;	  /* `in` is to be closed */
	uint8_t buffer[SERIAL_BUFFER];
	unsigned int start, end; /* what was read and not taken */
};

/* `where` as --serial has it; NULL: the console. Returns 0, or a negative errno and why. */
int serial_open(struct serial *serial, const char *where, char *why, size_t size);
void serial_close(struct serial *serial);

/* Whether a character is there, as far as is known; and takes it, if it is. */
bool serial_has(const struct serial *serial);
bool serial_take(struct serial *serial, uint8_t *character);
/* Whether one is there or may come. */
bool serial_may_come(const struct serial *serial);
void serial_write(struct machine *machine, uint8_t character);

/* What is to be polled for input, or -1, and reading it when it may be there; never blocks. */
int serial_fd(const struct serial *serial);
void serial_read(struct serial *serial);

#endif
