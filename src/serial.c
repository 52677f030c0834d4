#define _GNU_SOURCE
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "leftovers.h"
#include "machine.h"
#include "message.h"

#define DRAIN_TRIES 50
#define DRAIN_PAUSE 10 /* milliseconds */
#define WRITE_TIMEOUT 1000 /* milliseconds that somebody may take to read */

static int fail(char *why, size_t size, const char *what, const char *where)
{
	int error = errno;

	snprintf(why, size, "--serial: cannot %s %s: %s", what, where, strerror(error));
	return -error;
}

/* The socket of a program that is gone is left behind; one in use is not ours. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, result;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	result = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;
	close(fd);
	return result == ECONNREFUSED;
}

static int open_socket(struct serial *serial, const char *path, char *why, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int result;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, size, "--serial: the path of a Unix socket has 1 to %zu characters",
			 sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	serial->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (serial->listener < 0)
		return fail(why, size, "listen on", path);
	if (is_stale(&address))
		unlink(path);
	/* Linux gives the file the mode that the socket has when it is bound. */
	if (fchmod(serial->listener, 0600) ||
	    bind(serial->listener, (const struct sockaddr *)&address, sizeof(address)))
		return fail(why, size, "listen on", path);
	result = leftovers_add(path, false);
	if (result) {
		unlink(path);
		errno = -result;
		return fail(why, size, "listen on", path);
	}
	if (listen(serial->listener, 1))
		return fail(why, size, "listen on", path);
	serial->is_slow = true;
	return 0;
}

static int open_pty(struct serial *serial, char *why, size_t size)
{
	struct termios raw;
	char name[64];

	serial->in = serial->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	serial->is_own = true;
	if (serial->in < 0 || grantpt(serial->in) || unlockpt(serial->in) ||
	    ptsname_r(serial->in, name, sizeof(name)))
		return fail(why, size, "open", "a pseudo-terminal");
	serial->kept = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (serial->kept < 0)
		return fail(why, size, "open", name);
	if (!tcgetattr(serial->kept, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(serial->kept, TCSANOW, &raw);
	}
	fcntl(serial->in, F_SETFL, fcntl(serial->in, F_GETFL) | O_NONBLOCK);
	serial->is_slow = true;
	message("COM1 is %s", name);
	return 0;
}

static int open_file(struct serial *serial, const char *path, char *why, size_t size)
{
	struct stat st;
	bool is_fifo = !stat(path, &st) && S_ISFIFO(st.st_mode);

	/* With a writer of our own a FIFO has no end. */
	serial->in = open(path, (is_fifo ? O_RDWR : O_RDONLY) | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (serial->in < 0)
		return fail(why, size, "open", path);
	serial->is_own = true;
	serial->is_slow = fstat(serial->in, &st) || !S_ISREG(st.st_mode);
	serial->to_console = true;
	return 0;
}

int serial_open(struct serial *serial, const char *where, char *why, size_t size)
{
	struct stat st;
	int result = 0;

	*serial = (struct serial){.in = -1, .out = -1, .listener = -1, .kept = -1, .to_console = !where};
	if (!where || !strcmp(where, "none"))
		return 0;
	if (!strcmp(where, "stdio")) {
		serial->in = STDIN_FILENO;
		serial->is_slow = fstat(serial->in, &st) || !S_ISREG(st.st_mode);
		serial->to_console = true;
	} else if (!strcmp(where, "pty")) {
		result = open_pty(serial, why, size);
	} else if (!strncmp(where, "unix:", 5)) {
		result = open_socket(serial, where + 5, why, size);
	} else if (!strncmp(where, "file:", 5)) {
		result = open_file(serial, where + 5, why, size);
	} else {
		snprintf(why, size, "--serial=%s: it is stdio, pty, unix:PATH, file:PATH or none", where);
		result = -EINVAL;
	}
	if (result)
		serial_close(serial);
	return result;
}

/* The client, or the file, has come to its end. */
static void end_input(struct serial *serial)
{
	if (serial->is_own && serial->in >= 0)
		close(serial->in);
	if (serial->out == serial->in)
		serial->out = -1;
	serial->in = -1;
	if (serial->listener < 0)
		serial->is_slow = false;
}

/*
 * What was written to a pseudo-terminal and not read is lost when it is closed: its reader is given some time. The
 * kernel takes a moment, too, to bring it there.
 */
static void drain(int fd)
{
	int left, empty = 0;

	for (int i = 0; i < DRAIN_TRIES && empty < 2 && !ioctl(fd, FIONREAD, &left); i++) {
		empty = left ? 0 : empty + 1;
		poll(NULL, 0, DRAIN_PAUSE);
	}
}

void serial_close(struct serial *serial)
{
	if (serial->kept >= 0)
		drain(serial->kept);
	end_input(serial);
	if (serial->listener >= 0)
		close(serial->listener);
	if (serial->kept >= 0)
		close(serial->kept);
	serial->listener = serial->kept = -1;
}

bool serial_has(const struct serial *serial)
{
	return serial->start < serial->end || (serial->in >= 0 && !serial->is_slow);
}

bool serial_take(struct serial *serial, uint8_t *character)
{
	if (serial->start == serial->end)
		serial_read(serial);
	if (serial->start == serial->end)
		return false;
	*character = serial->buffer[serial->start++];
	return true;
}

bool serial_may_come(const struct serial *serial)
{
	return serial_has(serial) || serial->is_slow;
}

int serial_fd(const struct serial *serial)
{
	/* One that is full is looked at again when something was taken. */
	if (!serial->is_slow || serial->start < serial->end)
		return -1;
	return serial->in >= 0 ? serial->in : serial->listener;
}

void serial_read(struct serial *serial)
{
	ssize_t n;

	if (serial->start < serial->end)
		return;
	if (serial->in < 0 && serial->listener >= 0) {
		serial->in = serial->out = accept4(serial->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		serial->is_own = true;
	}
	/* Not O_NONBLOCK alone, which standard input would share with others. */
	if (serial->in < 0 || (serial->is_slow && poll(&(struct pollfd){.fd = serial->in, .events = POLLIN}, 1, 0) <= 0))
		return;
	n = read(serial->in, serial->buffer, sizeof(serial->buffer));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(serial);
		return;
	}
	serial->start = 0;
	serial->end = (unsigned int)n;
}

void serial_write(struct machine *machine, uint8_t character)
{
	struct serial *serial = &machine->serial;
	struct pollfd ready = {.fd = serial->out, .events = POLLOUT};

	if (serial->to_console)
		console_write(&machine->console, (const char *)&character, 1);
	if (serial->out < 0)
		return;
	/* Whoever does not read for long loses some. A pseudo-terminal that nobody has opened takes a few KiB. */
	if (poll(&ready, 1, serial->kept >= 0 ? 0 : WRITE_TIMEOUT) == 1 && write(serial->out, &character, 1) < 0 &&
	    errno != EAGAIN && errno != EINTR && serial->listener >= 0)
		end_input(serial);
}
