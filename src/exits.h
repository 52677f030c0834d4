/* What the exits that end a run mean to the user. */
#ifndef EXITS_H
#define EXITS_H

#include <stdbool.h>
#include <stddef.h>

struct vcpu;

struct exit_report {
	int signal;	/* enum gdbstub_signal */
	bool dead;	/* the guest cannot go on */
	char text[200]; /* a sentence without a period, to stand on a line of its own */
};

/* `exit` is what vcpu_enter() has returned: a KVM_EXIT_* reason or a negative errno. */
void exit_describe(const struct vcpu *vcpu, int exit, struct exit_report *report);

#endif
