/* What the printf operation of agent expressions prints: a format as it stands in C source, with integers alone. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define STRING_MAX 1000 /* bytes of one %s */
#define DIGITS_MAX 3	/* of a width or precision */

/* A character, or a conversion. */
struct piece {
	char conversion; /* 0: it is the character alone */
	char character;
	char spec[24]; /* of the conversion, at first without length and letter: "%-5.3" */
	unsigned int bits; /* of an integer */
	size_t precision; /* of a string: bytes at most */
};

static const char unknown_escape[] = "its format has an unknown escape sequence";
static const char unknown_conversion[] = "its format has a conversion that is not supported";

/* Behind a backslash. */
static const char *parse_escape(const char **p, char *character)
{
	static const char letters[] = "abefnrtv\\\"'", meant[] = "\a\b\033\f\n\r\t\v\\\"'";
	const char *letter;
	unsigned int value = 0;
	int digits = 0;

	for (; digits < 3 && **p >= '0' && **p <= '7'; digits++)
		value = value * 8 + (unsigned int)(*(*p)++ - '0');
	if (digits) {
		*character = (char)value;
		return NULL;
	}
	letter = **p ? strchr(letters, **p) : NULL;
	if (!letter)
		return unknown_escape;
	++*p;
	*character = meant[letter - letters];
	return NULL;
}

/* Takes up to `most` characters of `set` into the spec. */
static size_t take(const char **p, struct piece *piece, const char *set, size_t most)
{
	size_t count = strspn(*p, set), used = strlen(piece->spec);

	if (count > most)
		count = most;
	memcpy(piece->spec + used, *p, count);
	piece->spec[used + count] = 0;
	*p += count;
	return count;
}

/* Behind a percent sign. */
static const char *parse_conversion(const char **p, struct piece *piece)
{
	static const char digits[] = "0123456789";
	const char *precision;

	strcpy(piece->spec, "%");
	piece->precision = STRING_MAX;
	piece->bits = 32;
	take(p, piece, "-+ #0", 5);
	take(p, piece, digits, DIGITS_MAX);
	precision = *p + 1;
	if (take(p, piece, ".", 1)) {
		take(p, piece, digits, DIGITS_MAX);
		piece->precision = 0;
		for (; precision < *p; precision++)
			piece->precision = 10 * piece->precision + (size_t)(*precision - '0');
	}
	if (**p == 'h')
		piece->bits = *++*p == 'h' ? (++*p, 8u) : 16u;
	else if (**p && strchr("lqjzt", **p)) {
		piece->bits = 64;
		*p += (*p)[0] == 'l' && (*p)[1] == 'l' ? 2 : 1;
	}
	piece->conversion = **p;
	/* What is wide has 'l', and is of no size that is known here. */
	if (!**p || !strchr(piece->bits == 64 ? "diouxX" : "diouxXcsp", **p))
		return unknown_conversion;
	++*p;
	return NULL;
}

static const char *next_piece(const char **p, struct piece *piece)
{
	piece->conversion = 0;
	piece->character = *(*p)++;
	if (piece->character == '\\')
		return parse_escape(p, &piece->character);
	if (piece->character != '%')
		return NULL;
	if (**p == '%') {
		++*p;
		return NULL;
	}
	return parse_conversion(p, piece);
}

const char *format_check(const char *format, size_t args)
{
	struct piece piece;

	while (*format) {
		const char *why = next_piece(&format, &piece);

		if (why)
			return why;
		if (piece.conversion && !args--)
			return "its format has more conversions than there are arguments";
	}
	return NULL;
}

/* The text under construction; what does not fit is left out. */
struct text {
	char *bytes;
	size_t len;
};

static void add(struct text *text, const char *bytes, size_t len)
{
	size_t room = AGENT_TEXT_MAX - text->len;

	if (len > room)
		len = room;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

/* A string of the target, up to its 0 or as much as is to be printed. */
static const char *read_string(struct gdbstub *stub, int thread, uint64_t addr, size_t most,
			       char string[STRING_MAX + 1])
{
	size_t len = 0, end = 0;

	if (most > STRING_MAX)
		most = STRING_MAX;
	while (len < most && end == len) {
		ssize_t got = stub->ops->memory_read(stub->target, thread, addr + len, string + len, most - len);

		if (got <= 0) {
			string[len] = 0;
			return "a string could not be read";
		}
		end = len + strnlen(string + len, (size_t)got);
		len += (size_t)got;
	}
	string[end] = 0;
	return NULL;
}

static const char *add_conversion(struct gdbstub *stub, int thread, struct piece *piece, uint64_t value,
				  struct text *text)
{
	char string[STRING_MAX + 1], result[STRING_MAX + 1];
	unsigned int unused = 64 - piece->bits;
	const char *why = NULL;
	int len;

	switch (piece->conversion) {
	case 's':
		strcat(piece->spec, "s");
		if (value)
			why = read_string(stub, thread, value, piece->precision, string);
		else
			strcpy(string, "(null)");
		len = snprintf(result, sizeof(result), piece->spec, string);
		break;
	case 'c':
		strcat(piece->spec, "c");
		len = snprintf(result, sizeof(result), piece->spec, (int)(uint8_t)value);
		break;
	case 'p':
		/* As gdb prints them. */
		strcat(piece->spec, value ? "#llx" : "s");
		len = value ? snprintf(result, sizeof(result), piece->spec, (unsigned long long)value)
			    : snprintf(result, sizeof(result), piece->spec, "(nil)");
		break;
	case 'd':
	case 'i':
		strcat(piece->spec, "lld");
		len = snprintf(result, sizeof(result), piece->spec, (long long)(value << unused) >> unused);
		break;
	default:
		strcat(strcat(piece->spec, "ll"), (char[]){piece->conversion, 0});
		len = snprintf(result, sizeof(result), piece->spec, (unsigned long long)(value << unused) >> unused);
	}
	if (len > 0)
		add(text, result, (size_t)len < sizeof(result) ? (size_t)len : sizeof(result) - 1);
	return why;
}

const char *format_print(struct gdbstub *stub, int thread, const char *format, const uint64_t *args,
			 char bytes[AGENT_TEXT_MAX], size_t *len)
{
	struct text text = {.bytes = bytes};
	const char *why = NULL;
	struct piece piece;

	while (*format && !why) {
		why = next_piece(&format, &piece);
		if (why)
			break;
		if (piece.conversion)
			why = add_conversion(stub, thread, &piece, *args++, &text);
		else
			add(&text, &piece.character, 1);
	}
	*len = text.len;
	return why;
}
