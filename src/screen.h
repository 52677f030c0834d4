/* What the guest's screen shows, as the VGA's registers and memory have it. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

#define SCREEN_COLUMNS_MAX 160
#define SCREEN_ROWS_MAX 100

struct screen_cell {
	uint8_t character, attribute;
};

struct screen {
	bool is_graphics; /* then only the size is known, in pixels */
	unsigned int width, height;
	unsigned int columns, rows;
	bool has_cursor;
	unsigned int column, row; /* the cursor's */
	bool blinks;		  /* bit 7 of attributes; else the background is bright */
	uint8_t colour[16][3];	  /* red, green, blue; 0 to 63 */
	struct screen_cell cell[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
};

void screen_read(const struct machine *machine, struct screen *screen);
/*
 * As lines of UTF-8, without blanks at their ends and empty ones at the end; of graphics it is a line with the
 * mode. The text is to be freed; NULL if there is no memory.
 */
char *screen_text(const struct screen *screen, size_t *len);

#endif
