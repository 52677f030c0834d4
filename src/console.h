/* Where the guest's text and the reports of its port accesses go. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

struct gdbstub;

struct console {
	int fd;		/* -1: none */
	bool owned;	/* opened by console_open() */
	bool is_terminal;
	bool to_gdb;	/* as O packets too */
	bool in_line;	/* the last character was no newline */
	struct gdbstub *stub; /* may be NULL */
};

/*
 * `where` is "stdio", "gdb", "both", "file:PATH" or "none"; `text_fd` stands for "stdio". Returns 0,
 * or a negative errno and why.
 */
int console_open(struct console *console, const char *where, int text_fd, char *why, size_t size);
void console_close(struct console *console);
/* The guest's text, as it is, at once. */
void console_write(struct console *console, const char *text, size_t len);
/* What comes next is to stand on a line of its own. */
void console_end_line(struct console *console);
/* A line of the program's about the guest, on a line of its own. `text` ends with a newline. */
void console_line(struct console *console, const char *text);

#endif
