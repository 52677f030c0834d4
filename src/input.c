#define _GNU_SOURCE
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "devices/devices.h"
#include "machine.h"
#include "message.h"
#include "options.h"
#include "terminal_keys.h"

#define END_KEY 0x1d /* Ctrl-] */

/* Signal handlers have no other way to them. */
static struct termios own;
static volatile sig_atomic_t is_raw, is_wanted;
static bool is_here; /* standard input is a terminal that belongs to the guest */

static struct terminal_keys keys;

/* Only for the group in the foreground: another one would be stopped for it. */
static bool is_ours(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Every key is the guest's, as a byte at once; what is printed is left as it is. */
static void make_raw(void)
{
	struct termios raw;

	if (is_raw || !is_ours() || tcgetattr(STDIN_FILENO, &own))
		return;
	raw = own;
	raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON | IXOFF | PARMRK);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	is_raw = 1;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

void input_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	if (is_ours())
		tcsetattr(STDIN_FILENO, TCSADRAIN, &own);
}

/* The user's own stop, from elsewhere: not with a terminal that shows nothing of what is typed. */
static void on_stop(int number)
{
	struct sigaction action = {.sa_handler = SIG_DFL}, before;
	int saved = errno;
	sigset_t set;

	input_restore();
	sigaction(number, &action, &before);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* Here it goes on after SIGCONT. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(number, &before, NULL);
	if (is_wanted)
		make_raw();
	errno = saved;
}

void input_open(struct machine *machine, const struct options *options)
{
	struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
	bool serial = options->serial && !strcmp(options->serial, "stdio");

	is_here = isatty(STDIN_FILENO) && !options->command && strcmp(options->gdb, "stdio") &&
		  (machine->is_pc || serial);
	machine->typist.live = is_here && !serial;
	machine->clock.real = is_here || machine->serial.is_slow;
	if (!is_here)
		return;
	sigfillset(&action.sa_mask);
	sigaction(SIGTSTP, &action, NULL);
	if (is_ours())
		message("what is typed here goes to the guest while it runs; Ctrl-] ends it");
}

void input_start(struct machine *machine)
{
	(void)machine;
	is_wanted = is_here;
	if (is_wanted)
		make_raw();
}

void input_stop(void)
{
	is_wanted = 0;
	input_restore();
}

nfds_t input_fds(const struct machine *machine, struct pollfd fds[INPUT_MAX])
{
	nfds_t count = 0;
	int fd = serial_fd(&machine->serial);

	if (fd >= 0)
		fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	if (is_raw && machine->typist.live)
		fds[count++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	return count;
}

static void end(void)
{
	raise(SIGINT);
}

static void look_at_terminal(struct machine *machine)
{
	struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
	char bytes[256];
	ssize_t n = 0;

	/* Brought to the foreground, perhaps. */
	if (is_wanted && !is_raw)
		make_raw();
	if (!is_raw)
		return;
	if (poll(&ready, 1, 0) == 1) {
		n = read(STDIN_FILENO, bytes, sizeof(bytes));
		if (!n || (n < 0 && errno != EINTR && errno != EAGAIN)) {
			/* The terminal has gone. */
			is_here = machine->typist.live = false;
			is_wanted = 0;
			return;
		}
	}
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == END_KEY)
			end();
	}
	terminal_keys(&keys, machine, bytes, n > 0 ? (size_t)n : 0);
}

static void look_at_serial(struct machine *machine)
{
	struct serial *serial = &machine->serial;
	unsigned int end_before = serial->end;
	bool is_typed = is_here && serial->in == STDIN_FILENO;

	if (is_typed && is_wanted && !is_raw)
		make_raw();
	/* In the background, where reading would stop the program. */
	if (is_typed && !is_raw)
		return;
	if (serial->start < end_before)
		return;
	serial_read(serial);
	for (unsigned int i = serial->start; is_typed && i < serial->end; i++) {
		if (serial->buffer[i] == END_KEY)
			end();
	}
	if (serial->start < serial->end)
		clock_plan(machine);
}

void input_look(struct machine *machine)
{
	if (machine->serial.is_slow)
		look_at_serial(machine);
	if (machine->typist.live)
		look_at_terminal(machine);
}
