/* The system calls that are made once the program is set up, and with what: all that its sandbox lets through. */
#ifndef SANDBOX_RULES_H
#define SANDBOX_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sealed_file;

#define SANDBOX_CHECKS 4
#define SANDBOX_RULES_MAX 160

/* What an argument must be. The kernel takes those of type int, and ioctl()'s request, from the lower 32 bits. */
enum sandbox_test {
	SANDBOX_ANY,
	SANDBOX_EQUAL,	 /* all 64 bits */
	SANDBOX_INT,	 /* the lower 32 bits */
	SANDBOX_NONE_OF, /* none of these among the lower 32 bits */
	SANDBOX_ABOVE,	 /* an address above sealed memory, which is below 4 GiB; no value */
};

struct sandbox_check {
	enum sandbox_test test;
	unsigned int argument; /* from 0 */
	uint64_t value;
};

struct sandbox_rule {
	uint32_t number;
	struct sandbox_check checks[SANDBOX_CHECKS]; /* all of them; SANDBOX_ANY ends them */
};

/* What differs from run to run. */
struct sandbox_facts {
	pid_t self;
	pid_t command;		/* 0: none */
	const void *owner;	/* of input's signals: F_SETOWN_EX's argument, in sealed memory */
	const struct sealed_file *screenshot; /* NULL: none */
	int screenshots;	/* the folder of `monitor screenshot`; -1: none */
	const void *how;	/* openat2()'s argument for that, in sealed memory */
};

/* The rules of a call stand together, the calls in the order of how often they are made. Returns how many. */
size_t sandbox_rules(struct sandbox_rule rules[SANDBOX_RULES_MAX], const struct sandbox_facts *facts);

/* Whether a sanitizer or a profiler is in the program, which opens files and more when it ends. */
bool sandbox_is_instrumented(void);

/* To standard output, a line each: the call, what its arguments must be, and what it is for. */
void sandbox_print_rules(void);

#endif
