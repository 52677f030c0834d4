#define _GNU_SOURCE
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gdbstub.h"
#include "message.h"
#include "terminal.h"

int console_open(struct console *console, const char *where, int text_fd, char *why, size_t size)
{
	*console = (struct console){.fd = -1};
	if (!strcmp(where, "none"))
		return 0;
	if (!strcmp(where, "stdio") || !strcmp(where, "both"))
		console->fd = text_fd;
	console->is_terminal = isatty(console->fd);
	console->to_gdb = !strcmp(where, "gdb") || !strcmp(where, "both");
	if (console->fd >= 0 || console->to_gdb)
		return 0;
	if (strncmp(where, "file:", 5) || !where[5]) {
		snprintf(why, size, "'%s' is no console: stdio, gdb, both, file:PATH or none", where);
		return -EINVAL;
	}
	console->fd = open(where + 5, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (console->fd < 0) {
		snprintf(why, size, "cannot write the console to %s: %s", where + 5, strerror(errno));
		return -errno;
	}
	console->owned = true;
	return 0;
}

void console_close(struct console *console)
{
	/* For the prompt that comes next. */
	if (console->in_line && isatty(console->fd))
		console_write(console, "\n", 1);
	if (console->owned)
		close(console->fd);
	console->fd = -1;
}

void console_write(struct console *console, const char *text, size_t len)
{
	if (!len)
		return;
	console->in_line = text[len - 1] != '\n';
	if (console->to_gdb && console->stub)
		gdbstub_write(console->stub, text, len);
	if (console->is_terminal && terminal_note(text, len))
		return;
	while (len && console->fd >= 0) {
		ssize_t n = write(console->fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* Somebody else has made it non-blocking. */
			poll(&(struct pollfd){.fd = console->fd, .events = POLLOUT}, 1, -1);
			continue;
		}
		if (n < 0) {
			/* A reader that has gone, or a full disk, is no reason to end the guest. */
			message("the console is lost: %s", strerror(errno));
			console->in_line = false;
			console_close(console);
			return;
		}
		text += n;
		len -= (size_t)n;
	}
}

void console_end_line(struct console *console)
{
	if (console->in_line)
		console_write(console, "\n", 1);
}

void console_line(struct console *console, const char *text)
{
	console_end_line(console);
	console_write(console, text, strlen(text));
}
