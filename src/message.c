#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"

static void print(const char *format, va_list args)
{
	char text[1024];

	/* In one write, so that it does not mix with what COMMAND prints. */
	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "kvmgdb: %s\n", text);
}

void message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
	exit(EXIT_SETUP);
}
