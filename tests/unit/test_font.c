/* The fonts: all glyphs are there, none is taken for another, and lines meet where glyphs do. */
#include <stddef.h>
#include <string.h>

#include "font.h"
#include "tap.h"

/* Which glyphs touch an edge with single or double lines, as code page 437 has them. */
static const struct {
	const char *name, *glyphs;
	int edge;
} groups[] = {
	{"single, above", "\xb3\xb4\xb5\xbe\xc0\xc1\xc3\xc5\xc6\xcf\xd4\xd8\xd9", 0},
	{"single, right", "\xc0\xc1\xc2\xc3\xc4\xc5\xc7\xd0\xd2\xd3\xd6\xd7\xda", 1},
	{"single, below", "\xb3\xb4\xb5\xb8\xbf\xc2\xc3\xc5\xc6\xd1\xd5\xd8\xda", 2},
	{"single, left", "\xb4\xb6\xb7\xbd\xbf\xc1\xc2\xc4\xc5\xd0\xd2\xd7\xd9", 3},
	{"double, above", "\xb6\xb9\xba\xbc\xbd\xc7\xc8\xca\xcc\xce\xd0\xd3\xd7", 0},
	{"double, right", "\xc6\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf\xd1\xd4\xd5\xd8", 1},
	{"double, below", "\xb6\xb7\xb9\xba\xbb\xc7\xc9\xcb\xcc\xce\xd2\xd6\xd7", 2},
	{"double, left", "\xb5\xb8\xb9\xbb\xbc\xbe\xca\xcb\xcd\xce\xcf\xd1\xd8", 3},
};

static uint8_t font8[FONT_GLYPHS * 8], font14[FONT_GLYPHS * 14], font16[FONT_GLYPHS * 16];

static const uint8_t *font_of(unsigned int height)
{
	return height == 8 ? font8 : height == 14 ? font14 : font16;
}

/* The dots of a glyph at an edge, as bits. */
static unsigned int edge_of(unsigned int height, unsigned int code, int edge)
{
	const uint8_t *glyph = font_of(height) + code * height;
	unsigned int dots = 0;

	if (edge == 0 || edge == 2)
		return glyph[edge == 0 ? 0 : height - 1];
	for (unsigned int row = 0; row < height; row++)
		dots |= (edge == 1 ? glyph[row] & 1u : glyph[row] >> 7) << row;
	return dots;
}

static void check_group(unsigned int height, size_t i)
{
	const uint8_t *codes = (const uint8_t *)groups[i].glyphs;
	int edge = groups[i].edge;
	/* That of a straight line. */
	unsigned int line = i < 4 ? (edge % 2 ? 0xc4 : 0xb3) : (edge % 2 ? 0xcd : 0xba), wanted, found;
	bool good = true;

	for (unsigned int code = 0xb3; code < 0xdb; code++) {
		bool is_in = memchr(codes, (int)code, strlen(groups[i].glyphs)) != NULL;

		wanted = edge_of(height, line, edge);
		found = edge_of(height, code, edge);
		if (is_in == (found == wanted))
			continue;
		comment("glyph 0x%02x has 0x%x there", code, found);
		good = false;
	}
	result(good, "8x%u: lines: %s", height, groups[i].name);
}

static bool is_blank(const uint8_t *glyph, unsigned int height)
{
	static const uint8_t blank[16];

	return !memcmp(glyph, blank, height);
}

static void check_font(unsigned int height)
{
	const uint8_t *font = font_of(height);
	bool blank = true, apart = true;

	for (unsigned int i = 0; i < FONT_GLYPHS; i++) {
		const uint8_t *glyph = font + i * height;

		if (is_blank(glyph, height) != (i == 0 || i == ' ' || i == 0xff)) {
			comment("glyph 0x%02x", i);
			blank = false;
		}
		for (unsigned int j = 0; j < i; j++) {
			if (memcmp(glyph, font + j * height, height) || is_blank(glyph, height))
				continue;
			comment("0x%02x and 0x%02x", j, i);
			apart = false;
		}
	}
	result(blank, "8x%u: no glyph is missing", height);
	result(apart, "8x%u: no two glyphs are the same", height);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		check_group(height, i);
}

int main(void)
{
	bool same = true;

	font_draw(font8, font14, font16);
	check_font(8);
	check_font(14);
	check_font(16);
	for (unsigned int i = 0; i < FONT_GLYPHS; i++)
		same &= !memcmp(font14 + 14 * i, font16 + 16 * i + 1, 14);
	result(same, "8x14 is 8x16 without the first and last row");
	return finish();
}
