#define _GNU_SOURCE
#include "keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code_page.h"

#define WAIT_MAX 3600000u /* milliseconds */

/* Characters of the US keyboard, by scan code: without and with Shift. */
static const char plain[] = "\0\0" "1234567890-=\0\0qwertyuiop[]\0\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\0" "!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0\0\0\0";

static const struct {
	const char *name;
	uint8_t code;
	uint8_t how;
} names[] = {
	{"Enter", 0x1c, 0},	       {"Return", 0x1c, 0},	    {"Esc", 0x01, 0},
	{"Tab", 0x0f, 0},	       {"BS", 0x0e, 0},		    {"Backspace", 0x0e, 0},
	{"Space", 0x39, 0},	       {"lt", 0x33, STROKE_SHIFT},  {"gt", 0x34, STROKE_SHIFT},
	{"Up", 0x48, STROKE_GREY},     {"Down", 0x50, STROKE_GREY}, {"Left", 0x4b, STROKE_GREY},
	{"Right", 0x4d, STROKE_GREY},  {"Home", 0x47, STROKE_GREY}, {"End", 0x4f, STROKE_GREY},
	{"PgUp", 0x49, STROKE_GREY},   {"PgDn", 0x51, STROKE_GREY}, {"Ins", 0x52, STROKE_GREY},
	{"Del", 0x53, STROKE_GREY},    {"PrtSc", 0x37, STROKE_GREY}, {"Break", 0x46, STROKE_GREY | STROKE_CTRL},
	{"CapsLock", 0x3a, 0},	       {"NumLock", 0x45, 0},	    {"ScrollLock", 0x46, 0},
	{"Shift", 0x2a, 0},	       {"RShift", 0x36, 0},	    {"Ctrl", 0x1d, 0},
	{"RCtrl", 0x1d, STROKE_GREY},  {"Alt", 0x38, 0},	    {"RAlt", 0x38, STROKE_GREY},
	{"KP0", 0x52, 0},	       {"KP1", 0x4f, 0},	    {"KP2", 0x50, 0},
	{"KP3", 0x51, 0},	       {"KP4", 0x4b, 0},	    {"KP5", 0x4c, 0},
	{"KP6", 0x4d, 0},	       {"KP7", 0x47, 0},	    {"KP8", 0x48, 0},
	{"KP9", 0x49, 0},	       {"KP.", 0x53, 0},	    {"KP+", 0x4e, 0},
	{"KP-", 0x4a, 0},	       {"KP*", 0x37, 0},	    {"KP/", 0x35, STROKE_GREY},
	{"KPEnter", 0x1c, STROKE_GREY}, {"Menu", 0x5d, STROKE_GREY}, {"Win", 0x5b, STROKE_GREY},
};

static const struct {
	const char *name;
	uint8_t how;
} modifiers[] = {
	{"Shift-", STROKE_SHIFT}, {"Ctrl-", STROKE_CTRL}, {"Control-", STROKE_CTRL}, {"Alt-", STROKE_ALT},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

bool strokes_add(struct strokes *strokes, struct stroke stroke)
{
	if (strokes->count == strokes->capacity) {
		size_t capacity = strokes->capacity ? 2 * strokes->capacity : 64;
		struct stroke *more = NULL;

		if (capacity <= STROKES_MAX)
			more = realloc(strokes->stroke, capacity * sizeof(*more));
		if (!more)
			return false;
		strokes->stroke = more;
		strokes->capacity = capacity;
	}
	strokes->stroke[strokes->count++] = stroke;
	return true;
}

void strokes_free(struct strokes *strokes)
{
	free(strokes->stroke);
	*strokes = (struct strokes){0};
}

/* A character that a key has on it, or that Ctrl makes of one. */
static bool find_ascii(uint8_t character, struct stroke *stroke)
{
	static const struct stroke own[] = {['\b'] = {.code = 0x0e}, ['\t'] = {.code = 0x0f}, ['\n'] = {.code = 0x1c},
					    ['\r'] = {.code = 0x1c}, [0x1b] = {.code = 0x01}};
	/* Ctrl with - is 1f. */
	static const char ctrl[] = "2abcdefghijklmnopqrstuvwxyz[\\]6-";

	*stroke = (struct stroke){0};
	if (character < COUNT(own) && own[character].code) {
		*stroke = own[character];
		return true;
	}
	if (character == 0x7f) {
		*stroke = (struct stroke){.code = 0x0e, .how = STROKE_CTRL};
		return true;
	}
	if (character < ' ') {
		find_ascii((uint8_t)ctrl[character], stroke);
		stroke->how = STROKE_CTRL;
		return true;
	}
	for (uint8_t i = 0; i < COUNT(plain) - 1; i++) {
		/* The keypad's * is not what a user of the main keys means. */
		if (i == 0x37 || (plain[i] != character && shifted[i] != character))
			continue;
		stroke->code = i;
		stroke->how = plain[i] == character ? 0 : STROKE_SHIFT;
		return true;
	}
	return false;
}

bool keys_character(uint32_t character, struct stroke *stroke)
{
	if (character < 0x80)
		return find_ascii((uint8_t)character, stroke);
	for (unsigned int i = 0x80; i < 0x100; i++) {
		if (code_page_unicode((uint8_t)i) == character) {
			*stroke = (struct stroke){.how = STROKE_CODE, .code = (uint8_t)i};
			return true;
		}
	}
	return false;
}

size_t keys_utf8(const char *text, size_t len, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)*text;
	size_t n = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;

	*character = first;
	if (n == 1 || n > len)
		return 1;
	*character = first & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if (((uint8_t)text[i] & 0xc0) != 0x80) {
			*character = first;
			return 1;
		}
		*character = *character << 6 | ((uint8_t)text[i] & 0x3f);
	}
	if (*character >= least[n])
		return n;
	*character = first;
	return 1;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* What stands behind a backslash. Returns how many characters it takes, 0 if it is nothing known. */
static size_t parse_escape(const char *text, struct stroke *stroke)
{
	static const char from[] = "nrtbe\\<", to[] = "\n\r\t\b\x1b\\<";
	const char *which = *text ? strchr(from, *text) : NULL;
	int high, low;

	if (which)
		return find_ascii((uint8_t)to[which - from], stroke) ? 1 : 0;
	if (*text != 'x' || (high = hex_digit(text[1])) < 0 || (low = hex_digit(text[2])) < 0)
		return 0;
	if (!find_ascii((uint8_t)(high << 4 | low), stroke))
		*stroke = (struct stroke){.how = STROKE_CODE, .code = (uint8_t)(high << 4 | low)};
	return 3;
}

static bool parse_wait(const char *text, struct stroke *stroke)
{
	char *unit;
	unsigned long time;

	text += strspn(text, " ");
	time = strtoul(text, &unit, 10);
	if (*text < '0' || *text > '9' || time > WAIT_MAX)
		return false;
	if (!strcmp(unit, "s"))
		time *= 1000;
	else if (strcmp(unit, "ms"))
		return false;
	*stroke = (struct stroke){.how = STROKE_WAIT, .wait = (uint32_t)time};
	return time <= WAIT_MAX;
}

/* F1 to F12. */
static uint8_t function_key(const char *name)
{
	char *end;
	unsigned long n;

	if ((*name != 'F' && *name != 'f') || name[1] < '1' || name[1] > '9')
		return 0;
	n = strtoul(name + 1, &end, 10);
	if (*end || n > 12)
		return 0;
	return (uint8_t)(n <= 10 ? 0x3b + n - 1 : 0x57 + n - 11);
}

static bool find_key(const char *name, bool modified, struct stroke *stroke)
{
	uint32_t character;

	*stroke = (struct stroke){.code = function_key(name)};
	if (stroke->code)
		return true;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (!strcasecmp(name, names[i].name)) {
			*stroke = (struct stroke){.code = names[i].code, .how = names[i].how};
			return true;
		}
	}
	/* With Ctrl or Alt letters are keys, which have no case. */
	if (!*name || keys_utf8(name, strlen(name), &character) != strlen(name) || !keys_character(character, stroke))
		return false;
	if (modified && character < 0x80 && (character | 0x20) >= 'a' && (character | 0x20) <= 'z')
		stroke->how &= (uint8_t)~STROKE_SHIFT;
	return true;
}

/* What stands between < and >. */
static bool parse_name(const char *name, struct stroke *stroke)
{
	uint8_t how = 0;

	if (!strncasecmp(name, "wait ", 5))
		return parse_wait(name + 5, stroke);
	for (size_t i = 0; i < COUNT(modifiers); i++) {
		size_t len = strlen(modifiers[i].name);

		if (!strncasecmp(name, modifiers[i].name, len) && name[len]) {
			how |= modifiers[i].how;
			name += len;
			i = (size_t)-1;
		}
	}
	if (!find_key(name, how != 0, stroke))
		return false;
	stroke->how |= how;
	return true;
}

static int parse_one(const char **text, struct stroke *stroke, char *why, size_t size)
{
	const char *start = *text, *end;
	uint32_t character;
	char name[32];
	size_t len;

	if (*start == '\\') {
		len = parse_escape(start + 1, stroke);
		*text += 1 + len;
		if (len)
			return 0;
		snprintf(why, size, "'\\%.1s' is no character: there are \\n \\r \\t \\b \\e \\\\ \\< and \\xNN", start + 1);
		return -EINVAL;
	}
	if (*start == '<') {
		end = strchr(start + 2 - !start[1], '>');
		len = end ? (size_t)(end - start) - 1 : strlen(start + 1);
		*text = end ? end + 1 : start + 1 + len;
		snprintf(name, sizeof(name), "%.*s", (int)len, start + 1);
		if (end && len < sizeof(name) && parse_name(name, stroke))
			return 0;
		snprintf(why, size, "'<%.20s%s' is no key: there are <F1> to <F12>, <Enter> <Esc> <Tab> <BS> <Space> <Up> "
			 "<Down> <Left> <Right> <Home> <End> <PgUp> <PgDn> <Ins> <Del> <PrtSc> <Break> <CapsLock> "
			 "<NumLock> <ScrollLock> <KP0> to <KP9>, <KPEnter> <KP+> <KP-> <KP*> <KP/> <KP.>, <Shift-...>, "
			 "<Ctrl-...>, <Alt-...>, <wait 200ms>, <wait 2s>, and <lt> for <", name, end ? ">" : "");
		return -EINVAL;
	}
	len = keys_utf8(start, strlen(start), &character);
	*text += len;
	if (keys_character(character, stroke))
		return 0;
	snprintf(why, size, "'%.*s' is neither on the keyboard nor in code page 437", (int)len, start);
	return -EINVAL;
}

int keys_parse(struct strokes *strokes, const char *text, char *why, size_t size)
{
	size_t before = strokes->count;
	struct stroke stroke;
	int result = 0;

	while (*text && !result) {
		result = parse_one(&text, &stroke, why, size);
		if (!result && !strokes_add(strokes, stroke)) {
			snprintf(why, size, "no memory for keys");
			result = -ENOMEM;
		}
	}
	if (result)
		strokes->count = before;
	return result;
}
