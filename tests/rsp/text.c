#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of a text is shown. */
#define SHOWN 300

void text_add(struct text *text, int item)
{
	if (text->len == text->room) {
		text->room = text->room ? 2 * text->room : 64;
		text->item = realloc(text->item, text->room * sizeof(*text->item));
		if (!text->item)
			abort();
	}
	text->item[text->len++] = (short)item;
}

void text_free(struct text *text)
{
	free(text->item);
	*text = (struct text){ 0 };
}

char *text_bytes(const struct text *text)
{
	char *bytes = malloc(text->len + 1);

	if (!bytes)
		abort();
	for (size_t i = 0; i < text->len; i++)
		bytes[i] = (char)text->item[i];
	bytes[text->len] = 0;
	return bytes;
}

static void add_all(struct text *text, const char *bytes)
{
	while (*bytes)
		text_add(text, (unsigned char)*bytes++);
}

static void add_hex(struct text *text, int byte)
{
	char digits[3];

	snprintf(digits, sizeof(digits), "%02x", (unsigned int)byte);
	add_all(text, digits);
}

static bool parse(struct text *text, const char **p, bool pattern, bool in_braces);

/* \h{ \f{ \r{: *p is behind the letter. */
static bool parse_group(struct text *text, const char **p, bool pattern, char letter)
{
	struct text inner = { 0 };
	unsigned long count = 1;
	unsigned int sum = 0;
	bool good;

	if (*(*p)++ != '{')
		return false;
	if (letter == 'r') {
		char *end;

		count = strtoul(*p, &end, 0);
		if (end == *p || *end != ':')
			return false;
		*p = end + 1;
	}
	good = parse(&inner, p, pattern, true);
	if (letter == 'f')
		text_add(text, '$');
	for (unsigned long n = 0; n < count; n++) {
		for (size_t i = 0; i < inner.len; i++) {
			if (letter == 'h')
				add_hex(text, inner.item[i]);
			else
				text_add(text, inner.item[i]);
			sum += (unsigned int)inner.item[i];
		}
	}
	if (letter == 'f') {
		text_add(text, '#');
		add_hex(text, (int)(sum & 0xff));
	}
	text_free(&inner);
	return good;
}

static bool parse_escape(struct text *text, const char **p, bool pattern)
{
	char letter = *(*p)++, digits[3] = { 0 };

	switch (letter) {
	case 'x':
		if (!isxdigit((unsigned char)**p) || !isxdigit((unsigned char)(*p)[1]))
			return false;
		memcpy(digits, *p, 2);
		text_add(text, (int)strtoul(digits, NULL, 16));
		*p += 2;
		return true;
	case 'n':
		text_add(text, '\n');
		return true;
	case '\\':
	case '*':
		text_add(text, letter);
		return true;
	case 'h':
	case 'f':
	case 'r':
		return parse_group(text, p, pattern, letter);
	default:
		return false;
	}
}

static bool parse(struct text *text, const char **p, bool pattern, bool in_braces)
{
	while (**p) {
		char c = *(*p)++;

		if (c == '}' && in_braces)
			return true;
		if (c == '\\') {
			if (!parse_escape(text, p, pattern))
				return false;
		} else {
			text_add(text, pattern && c == '*' ? ANY : (unsigned char)c);
		}
	}
	return !in_braces;
}

bool text_parse(struct text *text, const char *line, bool pattern)
{
	*text = (struct text){ 0 };
	return parse(text, &line, pattern, false);
}

/* A star takes as little as will do; when what follows fails, the last star takes one more. */
bool text_match(const struct text *pattern, const struct text *bytes)
{
	size_t p = 0, b = 0, star = pattern->len, star_b = 0;

	while (b < bytes->len) {
		if (p < pattern->len && pattern->item[p] == ANY) {
			star = p++;
			star_b = b;
		} else if (p < pattern->len && pattern->item[p] == bytes->item[b]) {
			p++;
			b++;
		} else if (star < pattern->len) {
			p = star + 1;
			b = ++star_b;
		} else {
			return false;
		}
	}
	while (p < pattern->len && pattern->item[p] == ANY)
		p++;
	return p == pattern->len;
}

void text_print(const char *label, const struct text *text)
{
	size_t i;
	int shown = 0;

	printf("#   %s:%s", label, text->len ? " " : "");
	for (i = 0; i < text->len && shown < SHOWN; i++) {
		int c = text->item[i];

		if (c == '\\' || c == '*')
			shown += printf("\\%c", c);
		else if (c != ANY && (c < ' ' || c > '~'))
			shown += printf("\\x%02x", (unsigned int)c);
		else
			shown += printf("%c", c == ANY ? '*' : c);
	}
	if (i < text->len)
		printf(" ... (%zu bytes)", text->len);
	putchar('\n');
}
