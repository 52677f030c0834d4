/* The user's terminal, while the guest's screen is on it. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Turns to the terminal's other screen, on standard output; the user's own comes back with terminal_restore().
 * False if there is none that can do it.
 */
bool terminal_open(void);
/* Async-signal-safe: the terminal is as it was, and what was noted is printed to standard error. */
void terminal_restore(void);
bool terminal_is_open(void);
void terminal_size(unsigned int *columns, unsigned int *rows);
/* Whether all is to be drawn again, since its size has changed or the program was away; once. */
bool terminal_was_changed(void);
void terminal_write(const char *text, size_t len);

/*
 * Text that would disturb the screen: the program's messages and the guest's console. It is kept, and printed
 * when the terminal is restored; of very much the last part. False while the terminal is not open.
 */
bool terminal_note(const char *text, size_t len);
/* The last line of it that is not empty, without its end; `size` at least 1. */
void terminal_last_note(char *line, size_t size);

#endif
