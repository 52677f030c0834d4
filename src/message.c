#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "terminal.h"

static void print(const char *format, va_list args)
{
	char text[1024], line[sizeof(text) + 16];

	/* In one write, so that it does not mix with what COMMAND prints. */
	vsnprintf(text, sizeof(text), format, args);
	if (snprintf(line, sizeof(line), "kvmgdb: %s\n", text) < 0)
		return;
	if (!terminal_note(line, strlen(line)))
		fputs(line, stderr);
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
