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
	uint16_t glyphs[8];		 /* code page 437, or enum font_part */
	const char *rows[FONT_ROWS_MAX]; /* of 8 glyphs, with a blank between them */
};

extern const struct font_block font_8x16[FONT_BLOCKS], font_8x8[FONT_BLOCKS];

#endif
