/*
 * What a unit test needs to speak TAP: a result() per line, then `return finish();` from main().
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_count;

/* Prints a test line; returns `good`, so that a failure can be followed by comment()s. */
__attribute__((format(printf, 2, 3))) static inline bool result(bool good, const char *name, ...)
{
	va_list args;

	printf("%sok %u - ", good ? "" : "not ", ++tap_count);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	putchar('\n');
	/* What was found is not to be lost in a crash of the next one. */
	fflush(stdout);
	return good;
}

__attribute__((format(printf, 1, 2))) static inline void comment(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Prints the plan. Failures are in the lines: a status other than 0 would be an error beside them. */
static inline int finish(void)
{
	printf("1..%u\n", tap_count);
	return 0;
}

#endif
