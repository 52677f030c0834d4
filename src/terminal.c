#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NOTES_SIZE 65536

/* The other screen, cleared, without wrapping lines; and back, with the cursor shown and plain characters. */
#define ENTER "\033[?1049h\033[?7l\033[m\033[2J\033[H"
#define LEAVE "\033[m\033[?7h\033[?25h\033[?1049l"

static volatile sig_atomic_t is_open, changed;
static char notes[NOTES_SIZE];
static volatile size_t noted;

static void put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000) == 1)
			continue;
		if (n < 0)
			return; /* nobody is there to be told */
		text += n;
		len -= (size_t)n;
	}
}

static void on_change(int number)
{
	(void)number;
	changed = 1;
}

bool terminal_open(void)
{
	struct sigaction action = {.sa_handler = on_change, .sa_flags = SA_RESTART};
	const char *type = getenv("TERM");

	if (is_open)
		return true;
	if (!isatty(STDOUT_FILENO) || !type || !strcmp(type, "dumb"))
		return false;
	sigemptyset(&action.sa_mask);
	sigaction(SIGWINCH, &action, NULL);
	is_open = changed = 1;
	put(STDOUT_FILENO, ENTER, sizeof(ENTER) - 1);
	return true;
}

void terminal_restore(void)
{
	if (!is_open)
		return;
	is_open = 0;
	put(STDOUT_FILENO, LEAVE, sizeof(LEAVE) - 1);
	put(STDERR_FILENO, notes, noted);
	noted = 0;
}

bool terminal_is_open(void)
{
	return is_open;
}

void terminal_size(unsigned int *columns, unsigned int *rows)
{
	struct winsize size = {0};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*columns = size.ws_col ? size.ws_col : 80;
	*rows = size.ws_row ? size.ws_row : 24;
}

bool terminal_was_changed(void)
{
	if (!changed)
		return false;
	changed = 0;
	return true;
}

void terminal_write(const char *text, size_t len)
{
	put(STDOUT_FILENO, text, len);
}

bool terminal_note(const char *text, size_t len)
{
	if (!is_open)
		return false;
	if (len > sizeof(notes) / 2) {
		text += len - sizeof(notes) / 2;
		len = sizeof(notes) / 2;
	}
	if (noted + len > sizeof(notes)) {
		size_t kept = sizeof(notes) / 2;

		memmove(notes, notes + noted - kept, kept);
		noted = kept;
	}
	memcpy(notes + noted, text, len);
	noted += len;
	return true;
}

void terminal_last_note(char *line, size_t size)
{
	size_t end = noted, begin, len;

	while (end && (notes[end - 1] == '\n' || notes[end - 1] == '\r'))
		end--;
	for (begin = end; begin && notes[begin - 1] != '\n'; begin--)
		;
	len = end - begin < size ? end - begin : size - 1;
	/* Whatever the guest has printed, nothing that the terminal would obey. */
	for (size_t i = 0; i < len; i++)
		line[i] = (unsigned char)notes[begin + i] < ' ' || notes[begin + i] == 0x7f ? ' ' : notes[begin + i];
	line[len] = 0;
}
