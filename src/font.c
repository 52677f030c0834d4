#include "font.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "font_art.h"

/*
 * What is not drawn is made here, so that it is alike in all fonts: letters with accents, lines, and blocks. Of
 * a font a glyph has FONT_ROWS_MAX bytes while it is made.
 */
typedef uint8_t glyph[FONT_ROWS_MAX];

enum how {
	AS_IT_IS,
	CAPITAL,       /* lower, by two rows, so that there is room above it */
	CAPITAL_RAISED, /* the same, with the accent a row higher */
	CAPITAL_ROUND, /* the same; the dots may stand beside its arc, and of 8 rows there is none to spare */
	MIRRORED,
};

static const struct {
	uint8_t made;
	uint16_t base, accent;
	enum how how;
} letters[] = {
	{0x80, 'C', FONT_CEDILLA, AS_IT_IS},
	{0x81, 'u', FONT_DIAERESIS, AS_IT_IS},
	{0x82, 'e', FONT_ACUTE, AS_IT_IS},
	{0x83, 'a', FONT_CIRCUMFLEX, AS_IT_IS},
	{0x84, 'a', FONT_DIAERESIS, AS_IT_IS},
	{0x85, 'a', FONT_GRAVE, AS_IT_IS},
	{0x86, 'a', FONT_RING, AS_IT_IS},
	{0x87, 'c', FONT_CEDILLA, AS_IT_IS},
	{0x88, 'e', FONT_CIRCUMFLEX, AS_IT_IS},
	{0x89, 'e', FONT_DIAERESIS, AS_IT_IS},
	{0x8a, 'e', FONT_GRAVE, AS_IT_IS},
	{0x8b, FONT_DOTLESS_I, FONT_DIAERESIS, AS_IT_IS},
	{0x8c, FONT_DOTLESS_I, FONT_CIRCUMFLEX, AS_IT_IS},
	{0x8d, FONT_DOTLESS_I, FONT_GRAVE, AS_IT_IS},
	{0x8e, 'A', FONT_DIAERESIS, CAPITAL_RAISED},
	{0x8f, 'A', FONT_RING, CAPITAL},
	{0x90, 'E', FONT_ACUTE, CAPITAL_RAISED},
	{0x93, 'o', FONT_CIRCUMFLEX, AS_IT_IS},
	{0x94, 'o', FONT_DIAERESIS, AS_IT_IS},
	{0x95, 'o', FONT_GRAVE, AS_IT_IS},
	{0x96, 'u', FONT_CIRCUMFLEX, AS_IT_IS},
	{0x97, 'u', FONT_GRAVE, AS_IT_IS},
	{0x98, 'y', FONT_DIAERESIS, AS_IT_IS},
	{0x99, 'O', FONT_DIAERESIS, CAPITAL_ROUND},
	{0x9a, 'U', FONT_DIAERESIS, CAPITAL_RAISED},
	{0xa0, 'a', FONT_ACUTE, AS_IT_IS},
	{0xa1, FONT_DOTLESS_I, FONT_ACUTE, AS_IT_IS},
	{0xa2, 'o', FONT_ACUTE, AS_IT_IS},
	{0xa3, 'u', FONT_ACUTE, AS_IT_IS},
	{0xa4, 'n', FONT_TILDE, AS_IT_IS},
	{0xa5, 'N', FONT_TILDE, CAPITAL_RAISED},
	{0xaf, 0xae, ' ', MIRRORED},
};

/* Lines from the middle: up, right, down, left; none, single or double. By code, from LINES_FIRST on. */
#define LINES_FIRST 0xb3
static const uint8_t lines[][4] = {
	{1, 0, 1, 0}, {1, 0, 1, 1}, {1, 0, 1, 2}, {2, 0, 2, 1}, {0, 0, 2, 1}, {0, 0, 1, 2}, {2, 0, 2, 2},
	{2, 0, 2, 0}, {0, 0, 2, 2}, {2, 0, 0, 2}, {2, 0, 0, 1}, {1, 0, 0, 2}, {0, 0, 1, 1}, {1, 1, 0, 0},
	{1, 1, 0, 1}, {0, 1, 1, 1}, {1, 1, 1, 0}, {0, 1, 0, 1}, {1, 1, 1, 1}, {1, 2, 1, 0}, {2, 1, 2, 0},
	{2, 2, 0, 0}, {0, 2, 2, 0}, {2, 2, 0, 2}, {0, 2, 2, 2}, {2, 2, 2, 0}, {0, 2, 0, 2}, {2, 2, 2, 2},
	{1, 2, 0, 2}, {2, 1, 0, 1}, {0, 2, 1, 2}, {0, 1, 2, 1}, {2, 1, 0, 0}, {1, 2, 0, 0}, {0, 2, 1, 0},
	{0, 1, 2, 0}, {2, 1, 2, 1}, {1, 2, 1, 2}, {1, 0, 0, 1}, {0, 1, 1, 0},
};

/* The dots of a row, and in which half the rows have them: by code, from BLOCKS_FIRST on. */
#define BLOCKS_FIRST 0xdb
static const struct {
	uint8_t dots;
	bool above, below;
} blocks[] = {
	{0xff, true, true}, {0xff, false, true}, {0xf0, true, true}, {0x0f, true, true}, {0xff, true, false},
};

#define SHADES_FIRST 0xb0
static const uint8_t shades[][2] = {{0x88, 0x22}, {0xaa, 0x55}, {0x77, 0xdd}};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static uint8_t mirror(uint8_t row)
{
	uint8_t result = 0;

	for (int x = 0; x < FONT_WIDTH; x++)
		result |= (uint8_t)((row >> x & 1) << (FONT_WIDTH - 1 - x));
	return result;
}

static void read_art(glyph *glyphs, const struct font_block *art, unsigned int height)
{
	for (int b = 0; b < FONT_BLOCKS; b++) {
		for (unsigned int i = 0; i < 8 * height; i++)
			glyphs[art[b].glyphs[i % 8]][i / 8] = art[b].rows[i / 8][i % 8];
	}
}

/* Two rows of the stems are left out, where no letter has anything else, and it stands as it stood. */
static void lower_capital(glyph to, const glyph from, unsigned int height, bool round)
{
	unsigned int out = height == 8 ? 6 : 11, upper = height == 8 ? 2 : 5, under = height == 8 ? 5 : 10;

	for (unsigned int row = out + 1; row-- > 0;) {
		if ((row != upper || (round && height == 8)) && row != under)
			to[out--] = from[row];
	}
}

static void make_letters(glyph *glyphs, unsigned int height)
{
	for (size_t i = 0; i < COUNT(letters); i++) {
		const uint8_t *accent = glyphs[letters[i].accent];
		enum how how = letters[i].how;
		bool raised = (how == CAPITAL_RAISED || how == CAPITAL_ROUND) && height > 8;
		glyph made = {0};

		if (how == CAPITAL || how == CAPITAL_RAISED || how == CAPITAL_ROUND)
			lower_capital(made, glyphs[letters[i].base], height, how == CAPITAL_ROUND);
		else
			memcpy(made, glyphs[letters[i].base], height);
		for (unsigned int row = 0; row < height; row++) {
			if (how == MIRRORED)
				made[row] = mirror(made[row]);
			else if (row + raised < height)
				made[row] |= accent[row + raised];
		}
		memcpy(glyphs[letters[i].made], made, height);
	}
}

/*
 * The places of the lines in one direction: a line's first dot and its last, as those of a single one, and of
 * the two of a double one.
 */
struct tracks {
	unsigned int first[3], last[3];
};
enum { NEAR, MIDDLE, FAR };

/*
 * Where a line from a glyph's edge ends: at the track of enum NEAR.. of the lines across. `opposite` is the arm
 * that goes on from the middle, `side` is the one that the line is nearest to, `other` the one beyond.
 */
static unsigned int line_end(unsigned int weight, unsigned int opposite, unsigned int side, unsigned int other)
{
	if (weight == 2 && side == 2)
		return NEAR; /* it turns aside */
	if (weight == 2)
		return other == 2 && !opposite && !side ? FAR : MIDDLE;
	if (opposite || (side != 2 && other != 2))
		return MIDDLE;
	return side && other ? NEAR : FAR;
}

/* From which edge to the middle. */
struct arm {
	bool across, backwards; /* the left or the right one; the right or the lower one */
	unsigned int height;
};

static void put(glyph to, const struct arm *arm, unsigned int along, unsigned int beside)
{
	unsigned int x = arm->across ? along : beside, y = arm->across ? beside : along;

	if (x < FONT_WIDTH && y < arm->height)
		to[y] |= (uint8_t)(0x80 >> x);
}

static void draw_arm(glyph to, const struct arm *arm, const struct tracks *own, const struct tracks *crossed,
		     unsigned int weight, unsigned int opposite, unsigned int before, unsigned int behind)
{
	unsigned int size = arm->across ? FONT_WIDTH : arm->height;

	for (unsigned int track = NEAR; weight && track <= FAR; track++) {
		bool is_far = track == FAR;
		unsigned int end;

		if ((weight == 1) != (track == MIDDLE))
			continue;
		end = line_end(weight, opposite, is_far ? behind : before, is_far ? before : behind);
		if (arm->backwards)
			end = FAR - end;
		for (unsigned int i = arm->backwards ? crossed->first[end] : 0;
		     i < (arm->backwards ? size : crossed->last[end] + 1); i++) {
			for (unsigned int j = own->first[track]; j <= own->last[track]; j++)
				put(to, arm, i, j);
		}
	}
}

static void draw_lines(glyph to, const uint8_t arms[4], unsigned int height)
{
	const unsigned int middle = height / 2 - 1, gap = height == 8 ? 1 : 2;
	const struct tracks columns = {{1, 3, 5}, {2, 4, 6}};
	const struct tracks rows = {{middle - gap, middle, middle + gap}, {middle - gap, middle, middle + gap}};
	const unsigned int up = arms[0], right = arms[1], down = arms[2], left = arms[3];

	draw_arm(to, &(struct arm){false, false, height}, &columns, &rows, up, down, left, right);
	draw_arm(to, &(struct arm){false, true, height}, &columns, &rows, down, up, left, right);
	draw_arm(to, &(struct arm){true, false, height}, &rows, &columns, left, right, up, down);
	draw_arm(to, &(struct arm){true, true, height}, &rows, &columns, right, left, up, down);
}

static void make_graphics(glyph *glyphs, unsigned int height)
{
	for (unsigned int i = 0; i < COUNT(lines); i++)
		draw_lines(glyphs[LINES_FIRST + i], lines[i], height);
	for (unsigned int row = 0; row < height; row++) {
		for (unsigned int i = 0; i < COUNT(shades); i++)
			glyphs[SHADES_FIRST + i][row] = shades[i][row % 2];
		for (unsigned int i = 0; i < COUNT(blocks); i++)
			glyphs[BLOCKS_FIRST + i][row] =
				(row < height / 2 ? blocks[i].above : blocks[i].below) ? blocks[i].dots : 0;
	}
}

static void draw(glyph glyphs[FONT_DRAWN], const struct font_block *art, unsigned int height)
{
	memset(glyphs, 0, FONT_DRAWN * sizeof(*glyphs));
	read_art(glyphs, art, height);
	make_letters(glyphs, height);
	make_graphics(glyphs, height);
}

/* Of each glyph the rows from `first` on. */
static void copy(uint8_t *font, glyph *glyphs, unsigned int first, unsigned int height)
{
	for (unsigned int i = 0; i < FONT_GLYPHS; i++)
		memcpy(font + i * height, glyphs[i] + first, height);
}

void font_draw(uint8_t *font8, uint8_t *font14, uint8_t *font16)
{
	glyph glyphs[FONT_DRAWN];

	draw(glyphs, font_8x8, 8);
	copy(font8, glyphs, 0, 8);
	draw(glyphs, font_8x16, 16);
	copy(font14, glyphs, 1, 14);
	copy(font16, glyphs, 0, 16);
}
