/*
 * What comes in for the guest while it runs: the user's terminal, for its keyboard or its serial port, and
 * whoever else is connected to that.
 */
#ifndef INPUT_H
#define INPUT_H

#include <poll.h>
#include <stdbool.h>

struct machine;
struct options;

#define INPUT_MAX 2

/* Before the guest runs for the first time. */
void input_open(struct machine *machine, const struct options *options);
/* The guest begins to run, and has stopped: the terminal is the user's own then. */
void input_start(struct machine *machine);
void input_stop(void);
/* Async-signal-safe: the same as the latter. */
void input_restore(void);
/* What is to be polled; returns how many there are, INPUT_MAX at most. */
nfds_t input_fds(const struct machine *machine, struct pollfd fds[INPUT_MAX]);
/* Takes what has come in. Never blocks. */
void input_look(struct machine *machine);

#endif
