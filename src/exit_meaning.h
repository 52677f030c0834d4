/* What an exit that ends the run means to the user. */
#ifndef EXIT_MEANING_H
#define EXIT_MEANING_H

#include <stdbool.h>

#include "vcpu.h"

struct exit_meaning {
	int signal;	/* enum gdbstub_signal */
	bool dead;	/* the guest cannot go on */
	char text[200]; /* a sentence without a period, to stand on a line of its own */
};

/*
 * `exit` is what vcpu_enter() has returned: a KVM_EXIT_* reason, also one that does not end a run, or a
 * negative errno. Whatever KVM has left in the run page, it is looked at with care.
 */
void exit_describe(const struct vcpu *vcpu, int exit, struct exit_meaning *meaning);

#endif
