/* Drawn glyphs, for font.c: eight beside each other, an X for each dot that is lit. */
#ifndef FONT_ART_H
#define FONT_ART_H

#include <stdint.h>

#define FONT_ROWS_MAX 16
#define FONT_BLOCKS 23

/* Parts of letters, behind the 256 glyphs. */
enum font_part {
	FONT_DIAERESIS = 256, FONT_ACUTE, FONT_GRAVE, FONT_CIRCUMFLEX, FONT_TILDE, FONT_RING, FONT_CEDILLA,
	FONT_DOTLESS_I, FONT_DRAWN,
};

struct font_block {
	uint16_t glyphs[8];		/* code page 437, or enum font_part */
	uint8_t rows[FONT_ROWS_MAX][8]; /* of each glyph; bit 7 is the leftmost dot */
};

/* A row of eight glyphs, with a blank between them. The compiler makes the bytes: the strings are not kept. */
#define FONT_DOT(art, glyph, x) (((art)[9 * (glyph) + (x)] == 'X') << (7 - (x)))
#define FONT_GLYPH(art, i) \
	(FONT_DOT(art, i, 0) | FONT_DOT(art, i, 1) | FONT_DOT(art, i, 2) | FONT_DOT(art, i, 3) | \
	 FONT_DOT(art, i, 4) | FONT_DOT(art, i, 5) | FONT_DOT(art, i, 6) | FONT_DOT(art, i, 7))
#define ROW(art) \
	{FONT_GLYPH(art, 0), FONT_GLYPH(art, 1), FONT_GLYPH(art, 2), FONT_GLYPH(art, 3), \
	 FONT_GLYPH(art, 4), FONT_GLYPH(art, 5), FONT_GLYPH(art, 6), FONT_GLYPH(art, 7)}

extern const struct font_block font_8x16[FONT_BLOCKS], font_8x8[FONT_BLOCKS];

#endif
