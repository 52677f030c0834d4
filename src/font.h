/* The fonts of a PC's text modes: code page 437 in cells of 8 by 8, 14 and 16 dots. */
#ifndef FONT_H
#define FONT_H

#include <stdint.h>

#define FONT_GLYPHS 256
#define FONT_WIDTH 8

/*
 * Draws the fonts whose glyphs have 8, 14 and 16 rows: each gets FONT_GLYPHS times that many bytes, bit 7 of each
 * the leftmost dot.
 */
void font_draw(uint8_t *font8, uint8_t *font14, uint8_t *font16);

#endif
