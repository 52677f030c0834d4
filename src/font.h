/* The fonts of a PC's text modes: code page 437 in cells of 8 by 8, 14 and 16 dots. */
#ifndef FONT_H
#define FONT_H

#include <stdint.h>

#define FONT_GLYPHS 256
#define FONT_WIDTH 8

/*
 * The font whose glyphs have 8, 14 or 16 rows: FONT_GLYPHS times that many bytes, bit 7 of each the leftmost
 * dot. NULL for any other height.
 */
const uint8_t *font_glyphs(unsigned int height);

#endif
