/* The screen behind INT 10h: its modes, and text in all of them. */
#ifndef VIDEO_H
#define VIDEO_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

/* In the BIOS data area. */
#define VIDEO_EQUIPMENT 0x10
#define VIDEO_MODE 0x49
#define VIDEO_COLUMNS 0x4a
#define VIDEO_PAGE_SIZE 0x4c
#define VIDEO_PAGE_START 0x4e
#define VIDEO_CURSORS 0x50 /* of 8 pages: column, row */
#define VIDEO_SHAPE 0x60   /* of the cursor: last line, first line */
#define VIDEO_PAGE 0x62
#define VIDEO_CRTC_PORT 0x63
#define VIDEO_CGA_MODE 0x65
#define VIDEO_CGA_COLOURS 0x66
#define VIDEO_LAST_ROW 0x84
#define VIDEO_CELL_HEIGHT 0x85
#define VIDEO_OPTIONS 0x87 /* bit 7: the last mode was set without clearing; bit 0: cursor shapes are as given */
#define VIDEO_SWITCHES 0x88
#define VIDEO_FLAGS 0x89
#define VIDEO_COMBINATION 0x8a

/* Of VIDEO_FLAGS: the lines of the next text mode are 200, or 400, or else 350; what a mode leaves alone. */
#define VIDEO_200_LINES 0x80
#define VIDEO_400_LINES 0x10
#define VIDEO_KEEP_PALETTE 0x08
#define VIDEO_GREY 0x02

#define VIDEO_PAGES 8
#define VIDEO_KEEP 0x80 /* of a mode's number: memory is not cleared */

/* The vectors that point to fonts: the upper half of the 8x8 one of the CGA's modes, and that of the mode. */
#define VECTOR_FONT_HIGH 0x1f
#define VECTOR_FONT 0x43

enum video_kind {
	VIDEO_TEXT,
	VIDEO_CGA,    /* even lines and odd lines apart */
	VIDEO_PLANAR, /* a bit of each pixel in each of four planes */
	VIDEO_LINEAR, /* a byte for each pixel */
};

struct video_mode {
	uint8_t number;
	enum video_kind kind;
	uint8_t columns, rows, cell_height;
	uint16_t height;    /* graphics: in pixels */
	uint8_t bits;	    /* of a pixel; text: 0 */
	uint32_t base;	    /* of its memory */
	uint16_t page_size;
	uint8_t pages;
};

/* The mode that is set; a guest that has written another number into the BIOS's data has mode 3. */
const struct video_mode *video_mode(const struct machine *machine);
/* False if there is no such mode. */
bool video_set_mode(struct machine *machine, uint8_t number);
/* What power-on sets, but for the mode itself. */
void video_power_on(struct machine *machine);

/* Text and graphics modes alike; cells outside of the screen are left alone. */
unsigned int video_columns(const struct machine *machine);
unsigned int video_rows(const struct machine *machine);
void video_set_cursor(struct machine *machine, unsigned int page, uint8_t column, uint8_t row);
void video_set_shape(struct machine *machine, uint8_t first, uint8_t last);
/* `count` times from the cursor on, which stays; without `with_attribute` text keeps the one that is there. */
void video_write(struct machine *machine, unsigned int page, uint8_t character, uint8_t attribute,
		 bool with_attribute, unsigned int count, uint8_t background);
/* At the cursor: the character, and in the upper byte the attribute. */
uint16_t video_read(const struct machine *machine, unsigned int page);
/* As a terminal does: control characters, the end of a line, scrolling. The guest's text goes to the console, too. */
void video_teletype(struct machine *machine, unsigned int page, uint8_t character, uint8_t attribute,
		    bool with_attribute);
/* Columns and rows are the first and the last of the window; 0 lines clear it. */
void video_scroll(struct machine *machine, bool up, unsigned int lines, uint8_t attribute, uint8_t left,
		  uint8_t top, uint8_t right, uint8_t bottom);
void video_set_page(struct machine *machine, unsigned int page);

/* Graphics modes. Outside of the picture nothing is written, and 0 is read. */
uint8_t video_pixel(const struct machine *machine, unsigned int page, unsigned int x, unsigned int y);
/* Bit 7 of the colour: exclusive or, but with 256 colours. */
void video_set_pixel(struct machine *machine, unsigned int page, unsigned int x, unsigned int y, uint8_t colour);

/* A font of the ROM's, for cells of this height: 8, 14 or 16 lines. The offset in ROM_SEGMENT. */
uint16_t video_rom_font(unsigned int height);
/* `count` characters of `height` lines (1 to 32), at a linear address, go to one of the 8 fonts of text modes. */
void video_load_font(struct machine *machine, unsigned int block, unsigned int first, unsigned int count,
		     unsigned int height, uint32_t from);
/* Text mode: cells are so high from now on, and as many rows are shown as there is room for. */
void video_set_height(struct machine *machine, unsigned int height);
/* Puts a far pointer into an interrupt vector. */
void video_point(struct machine *machine, unsigned int vector, uint16_t segment, uint16_t offset);

#endif
