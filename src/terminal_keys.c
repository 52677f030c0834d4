#define _GNU_SOURCE
#include "terminal_keys.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "devices/typist.h"
#include "machine.h"

#define ESC 0x1b
#define PATIENCE (25 * CLOCK_MILLISECOND) /* for the rest of a sequence */

/* ESC [ ... and a letter, or ESC O and the letter. */
static const struct {
	char letter;
	uint8_t code, how;
} letters[] = {
	{'A', 0x48, STROKE_GREY}, {'B', 0x50, STROKE_GREY}, {'C', 0x4d, STROKE_GREY}, {'D', 0x4b, STROKE_GREY},
	{'H', 0x47, STROKE_GREY}, {'F', 0x4f, STROKE_GREY}, {'E', 0x4c, 0},	      {'P', 0x3b, 0},
	{'Q', 0x3c, 0},		  {'R', 0x3d, 0},	    {'S', 0x3e, 0},	      {'M', 0x1c, STROKE_GREY},
	{'Z', 0x0f, STROKE_SHIFT},
};

/* ESC [ number ~ */
static const struct stroke numbers[] = {
	[1] = {STROKE_GREY, 0x47, 0}, [2] = {STROKE_GREY, 0x52, 0}, [3] = {STROKE_GREY, 0x53, 0},
	[4] = {STROKE_GREY, 0x4f, 0}, [5] = {STROKE_GREY, 0x49, 0}, [6] = {STROKE_GREY, 0x51, 0},
	[7] = {STROKE_GREY, 0x47, 0}, [8] = {STROKE_GREY, 0x4f, 0}, [11] = {0, 0x3b, 0},
	[12] = {0, 0x3c, 0},	      [13] = {0, 0x3d, 0},	    [14] = {0, 0x3e, 0},
	[15] = {0, 0x3f, 0},	      [17] = {0, 0x40, 0},	    [18] = {0, 0x41, 0},
	[19] = {0, 0x42, 0},	      [20] = {0, 0x43, 0},	    [21] = {0, 0x44, 0},
	[23] = {0, 0x57, 0},	      [24] = {0, 0x58, 0},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool find_letter(char letter, struct stroke *stroke)
{
	for (size_t i = 0; i < COUNT(letters); i++) {
		if (letters[i].letter == letter) {
			*stroke = (struct stroke){.code = letters[i].code, .how = letters[i].how};
			return true;
		}
	}
	return false;
}

/* xterm's modifiers: 1 and a bit for Shift, Alt and Ctrl each. */
static uint8_t modifiers(unsigned int parameter)
{
	unsigned int bits = parameter ? parameter - 1 : 0;

	return (uint8_t)((bits & 1 ? STROKE_SHIFT : 0) | (bits & 2 ? STROKE_ALT : 0) | (bits & 4 ? STROKE_CTRL : 0));
}

/*
 * A sequence that begins with ESC and one more character. Returns its length, 0 if it is not at its end. A code
 * of 0 in *stroke: nothing that a key means.
 */
static size_t parse_sequence(const char *text, size_t len, struct stroke *stroke)
{
	unsigned int parameters[2] = {0}, n = 0;
	size_t at = 2;

	*stroke = (struct stroke){0};
	if (text[1] == 'O') {
		if (len < 3)
			return 0;
		find_letter(text[2], stroke);
		return 3;
	}
	/* The Linux console's F1 to F5. */
	if (len > 2 && text[2] == '[') {
		if (len < 4)
			return 0;
		if (text[3] >= 'A' && text[3] <= 'E')
			stroke->code = (uint8_t)(0x3b + text[3] - 'A');
		return 4;
	}
	for (; at < len && text[at] >= 0x20 && text[at] < 0x40; at++) {
		if (text[at] == ';')
			n++;
		else if (text[at] >= '0' && text[at] <= '9' && n < 2 && parameters[n] < 1000)
			parameters[n] = parameters[n] * 10 + (unsigned int)(text[at] - '0');
	}
	if (at == len)
		return 0;
	if (text[at] == '~' && parameters[0] < COUNT(numbers))
		*stroke = numbers[parameters[0]];
	else
		find_letter(text[at], stroke);
	stroke->how |= modifiers(parameters[1]);
	return at + 1;
}

static void type(struct machine *machine, struct stroke stroke)
{
	/* With no memory for it, it is as if it had not been pressed. */
	if (stroke.code && !typist_add_stroke(machine, stroke))
		return;
}

/* The first key of the text. Returns its length, 0 if it is not complete; with `all`, nothing more will come. */
static size_t take(struct machine *machine, const char *text, size_t len, bool all)
{
	struct stroke stroke = {0};
	uint32_t character;
	uint8_t alt = 0;
	size_t used;

	if (text[0] == ESC && len > 1 && (text[1] == '[' || text[1] == 'O')) {
		used = parse_sequence(text, len, &stroke);
		if (used) {
			type(machine, stroke);
			return used;
		}
		if (!all)
			return 0;
	}
	if (text[0] == ESC && len == 1 && !all)
		return 0;
	/* Alt with a character is ESC before it. */
	if (text[0] == ESC && len > 1 && text[1] != ESC) {
		alt = STROKE_ALT;
		text++;
		len--;
	}
	used = (uint8_t)*text < 0xc2 ? 1 : (uint8_t)*text < 0xe0 ? 2 : (uint8_t)*text < 0xf0 ? 3 : 4;
	if (used > len && !all)
		return 0;
	used = keys_utf8(text, len, &character);
	if (character == 0x7f)
		character = '\b';
	if (keys_character(character, &stroke)) {
		stroke.how |= alt;
		type(machine, stroke);
	}
	return used + (alt != 0);
}

static uint64_t host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec;
}

void terminal_keys(struct terminal_keys *keys, struct machine *machine, const char *bytes, size_t len)
{
	char text[TERMINAL_KEYS_MAX + 256];
	size_t at = 0, used;
	bool all = !len && keys->count && host_now() - keys->since > PATIENCE;

	if (!len && !all)
		return;
	if (len > sizeof(text) - keys->count)
		len = sizeof(text) - keys->count;
	memcpy(text, keys->held, keys->count);
	memcpy(text + keys->count, bytes, len);
	len += keys->count;
	keys->count = 0;
	while (at < len) {
		/* What is longer than any sequence is none. */
		used = take(machine, text + at, len - at, all || len - at >= sizeof(keys->held));
		if (!used)
			break;
		at += used;
	}
	keys->count = len - at;
	memcpy(keys->held, text + at, keys->count);
	keys->since = host_now();
}
