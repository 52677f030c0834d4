/* Text on the screen, in text modes and drawn into pictures, and pixels. */
#include "bios/video.h"

#include <string.h>

#include "bios/bios.h"
#include "code_page.h"
#include "machine.h"
#include "memory.h"
#include "options.h"

#define WINDOW_MASK 0x7fffu /* text modes: the memory begins again behind 32 KiB */
#define CELL_LINES_MAX 32
#define LINE_BYTES_MAX 640

#define BELL 0x07
#define BACKSPACE 0x08
#define LINE_FEED 0x0a
#define CARRIAGE_RETURN 0x0d

#define XOR 0x80 /* of a colour */

/* Guests write what they like there; a row of no cells is none. */
unsigned int video_columns(const struct machine *machine)
{
	unsigned int columns = bios_word(machine, VIDEO_COLUMNS);

	return columns >= 1 && columns <= 255 ? columns : video_mode(machine)->columns;
}

unsigned int video_rows(const struct machine *machine)
{
	unsigned int rows = *bios_byte(machine, VIDEO_LAST_ROW) + 1u;

	return rows > 1 ? rows : video_mode(machine)->rows;
}

static uint8_t *cursor(const struct machine *machine, unsigned int page)
{
	return bios_byte(machine, VIDEO_CURSORS + 2 * (page % VIDEO_PAGES));
}

static unsigned int active_page(const struct machine *machine)
{
	return *bios_byte(machine, VIDEO_PAGE) % VIDEO_PAGES;
}

static uint32_t page_offset(const struct machine *machine, unsigned int page)
{
	/* A mode with one page is often called with no page's number at all. */
	return page % video_mode(machine)->pages * (uint32_t)bios_word(machine, VIDEO_PAGE_SIZE);
}

/* In bytes, of a text mode. */
static uint32_t cell_at(const struct machine *machine, unsigned int page, unsigned int x, unsigned int y)
{
	return page_offset(machine, page) + 2 * (y * video_columns(machine) + x);
}

static void read_cells(const struct machine *machine, uint32_t at, uint16_t *cells, unsigned int count)
{
	uint32_t base = video_mode(machine)->base;

	for (unsigned int i = 0; i < count; i++, at += 2) {
		cells[i] = 0;
		memory_read_physical(&machine->vcpu, base + (at & WINDOW_MASK & ~1u), &cells[i], 2);
	}
}

static void write_cells(struct machine *machine, uint32_t at, const uint16_t *cells, unsigned int count)
{
	uint32_t base = video_mode(machine)->base;

	for (unsigned int i = 0; i < count; i++, at += 2)
		memory_write_physical(&machine->vcpu, base + (at & WINDOW_MASK & ~1u), &cells[i], 2);
}

/*
 * Pictures. The pixels of a cell's line are whole bytes in every mode, so a picture is lines of bytes, in one
 * memory or in four planes.
 */

static unsigned int plane_count(const struct video_mode *mode)
{
	return mode->kind == VIDEO_PLANAR ? VGA_PLANES : 1;
}

static unsigned int cell_bytes(const struct video_mode *mode)
{
	return mode->kind == VIDEO_PLANAR ? 1 : mode->bits;
}

static uint32_t line_at(const struct machine *machine, unsigned int page, unsigned int y)
{
	const struct video_mode *mode = video_mode(machine);
	uint32_t pitch = mode->columns * cell_bytes(mode);

	if (mode->kind == VIDEO_CGA)
		return (y & 1) * 0x2000u + (y >> 1) * pitch;
	return page_offset(machine, page) + y * pitch;
}

static void read_bytes(const struct machine *machine, unsigned int plane, uint32_t at, uint8_t *bytes,
		       unsigned int len)
{
	const struct video_mode *mode = video_mode(machine);

	memset(bytes, 0, len);
	if (mode->kind != VIDEO_PLANAR) {
		memory_read_physical(&machine->vcpu, mode->base + (at & 0xffff), bytes, len);
		return;
	}
	for (unsigned int i = 0; i < len; i++)
		bytes[i] = machine->vga.plane[plane][(at + i) % VGA_PLANE_SIZE];
}

static void write_bytes(struct machine *machine, unsigned int plane, uint32_t at, const uint8_t *bytes,
			unsigned int len)
{
	const struct video_mode *mode = video_mode(machine);

	if (mode->kind != VIDEO_PLANAR) {
		memory_write_physical(&machine->vcpu, mode->base + (at & 0xffff), bytes, len);
		return;
	}
	machine->vga.planes_used = true;
	for (unsigned int i = 0; i < len; i++)
		machine->vga.plane[plane][(at + i) % VGA_PLANE_SIZE] = bytes[i];
}

/* The bytes of 8 pixels in one plane: those of `bits` have the colour, the others that of the background. */
static void spread(const struct video_mode *mode, unsigned int plane, uint8_t bits, uint8_t colour,
		   uint8_t background, uint8_t *to)
{
	unsigned int per_byte = mode->kind == VIDEO_LINEAR ? 1 : mode->kind == VIDEO_PLANAR ? 8 : 8u / mode->bits;
	unsigned int width = 8 / per_byte;

	if (mode->kind == VIDEO_PLANAR) {
		/* Two colours are all planes, or none. */
		unsigned int on = mode->bits == 1 ? colour & 1 : colour >> plane & 1;
		unsigned int off = mode->bits == 1 ? background & 1 : background >> plane & 1;

		*to = (uint8_t)((on ? bits : 0) | (off ? ~bits : 0));
		return;
	}
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int shift = 8 - width * (i % per_byte + 1), mask = (1u << width) - 1;
		unsigned int pixel = (bits & (0x80u >> i) ? colour : background) & mask;

		to[i / per_byte] = (uint8_t)((i % per_byte ? to[i / per_byte] : 0) | pixel << shift);
	}
}

static unsigned int glyph_height(const struct machine *machine)
{
	unsigned int height = bios_word(machine, VIDEO_CELL_HEIGHT);

	return height >= 1 && height <= CELL_LINES_MAX ? height : video_mode(machine)->cell_height;
}

/* A character of the font that the mode's vector points to; the CGA's modes have that for the first half alone. */
static void read_glyph(const struct machine *machine, uint8_t character, uint8_t *lines)
{
	bool high = character >= 128 && video_mode(machine)->kind == VIDEO_CGA;
	unsigned int height = glyph_height(machine);
	uint16_t pointer[2] = {0};

	memory_read_physical(&machine->vcpu, (high ? VECTOR_FONT_HIGH : VECTOR_FONT) * 4u, pointer, sizeof(pointer));
	memset(lines, 0, height);
	memory_read_physical(&machine->vcpu,
			     ((uint32_t)pointer[1] << 4) + pointer[0] + (high ? character - 128u : character) * height,
			     lines, height);
}

static void draw_glyph(struct machine *machine, unsigned int page, unsigned int x, unsigned int y, const uint8_t *lines,
		       uint8_t colour, uint8_t background)
{
	const struct video_mode *mode = video_mode(machine);
	unsigned int height = glyph_height(machine), width = cell_bytes(mode);
	bool exclusive = colour & XOR && mode->kind != VIDEO_LINEAR;
	uint8_t bytes[8], before[8];

	for (unsigned int i = 0; i < height; i++) {
		uint32_t at = line_at(machine, page, y * height + i) + x * width;

		if (x >= mode->columns || y * height + i >= mode->height)
			return;
		for (unsigned int plane = 0; plane < plane_count(mode); plane++) {
			spread(mode, plane, lines[i], colour, exclusive ? 0 : background, bytes);
			if (exclusive) {
				read_bytes(machine, plane, at, before, width);
				for (unsigned int n = 0; n < width; n++)
					bytes[n] ^= before[n];
			}
			write_bytes(machine, plane, at, bytes, width);
		}
	}
}

/* Which pixels of a cell are not of colour 0. */
static bool read_shape(const struct machine *machine, unsigned int page, unsigned int x, unsigned int y, uint8_t *lines)
{
	const struct video_mode *mode = video_mode(machine);
	unsigned int height = glyph_height(machine);

	if (x >= mode->columns || (y + 1) * height > mode->height)
		return false;
	for (unsigned int i = 0; i < height; i++) {
		lines[i] = 0;
		for (unsigned int n = 0; n < 8; n++) {
			if (video_pixel(machine, page, x * 8 + n, y * height + i))
				lines[i] |= (uint8_t)(0x80 >> n);
		}
	}
	return true;
}

static uint8_t recognise(const struct machine *machine, unsigned int page, unsigned int x, unsigned int y)
{
	uint8_t shape[CELL_LINES_MAX], lines[CELL_LINES_MAX];

	if (!read_shape(machine, page, x, y, shape))
		return 0;
	/* Of the three that are blank, the space is meant. */
	for (unsigned int i = 0; i < 256; i++) {
		uint8_t character = (uint8_t)(i + ' ');

		read_glyph(machine, character, lines);
		if (!memcmp(shape, lines, glyph_height(machine)))
			return character;
	}
	return 0;
}

/* Pixels: in the byte, or the plane's byte, where it is, `shift` and below. */
static uint32_t pixel_at(const struct machine *machine, unsigned int page, unsigned int x, unsigned int y,
			 unsigned int *shift)
{
	const struct video_mode *mode = video_mode(machine);
	unsigned int bits = mode->kind == VIDEO_PLANAR ? 1 : mode->bits;

	*shift = 8 - bits - x * bits % 8;
	return line_at(machine, page, y) + x * bits / 8;
}

static bool is_inside(const struct machine *machine, unsigned int x, unsigned int y)
{
	const struct video_mode *mode = video_mode(machine);

	return mode->kind != VIDEO_TEXT && x < mode->columns * 8u && y < mode->height;
}

uint8_t video_pixel(const struct machine *machine, unsigned int page, unsigned int x, unsigned int y)
{
	const struct video_mode *mode = video_mode(machine);
	unsigned int shift, colour = 0;
	uint32_t at;
	uint8_t byte;

	if (!is_inside(machine, x, y))
		return 0;
	at = pixel_at(machine, page, x, y, &shift);
	for (unsigned int plane = 0; plane < plane_count(mode); plane++) {
		read_bytes(machine, plane, at, &byte, 1);
		if (mode->kind == VIDEO_PLANAR)
			colour |= (byte >> shift & 1u) << plane;
		else
			colour = byte >> shift & ((1u << mode->bits) - 1);
	}
	return (uint8_t)(mode->kind == VIDEO_PLANAR && mode->bits == 1 ? colour & 1 : colour);
}

void video_set_pixel(struct machine *machine, unsigned int page, unsigned int x, unsigned int y, uint8_t colour)
{
	const struct video_mode *mode = video_mode(machine);
	bool exclusive = colour & XOR && mode->kind != VIDEO_LINEAR;
	unsigned int shift, mask, value;
	uint32_t at;
	uint8_t byte;

	if (!is_inside(machine, x, y))
		return;
	at = pixel_at(machine, page, x, y, &shift);
	for (unsigned int plane = 0; plane < plane_count(mode); plane++) {
		mask = mode->kind == VIDEO_PLANAR ? 1 : (1u << mode->bits) - 1;
		value = mode->kind != VIDEO_PLANAR ? colour & mask : mode->bits == 1 ? colour & 1u : colour >> plane & 1u;
		read_bytes(machine, plane, at, &byte, 1);
		if (exclusive)
			byte ^= (uint8_t)(value << shift);
		else
			byte = (uint8_t)((byte & ~(mask << shift)) | value << shift);
		write_bytes(machine, plane, at, &byte, 1);
	}
}

/* The services */

void video_set_cursor(struct machine *machine, unsigned int page, uint8_t column, uint8_t row)
{
	uint8_t *at = cursor(machine, page);

	machine->bios.moved |= at[1] != row;
	at[0] = column;
	at[1] = row;
	if (page % VIDEO_PAGES == active_page(machine) && video_mode(machine)->kind == VIDEO_TEXT)
		vga_set_cursor(&machine->vga, cell_at(machine, page, column, row) / 2);
}

/* Guests give the lines of the CGA's cells of 8: the BIOS makes of them what looks so in higher ones. */
void video_set_shape(struct machine *machine, uint8_t first, uint8_t last)
{
	struct vga *vga = &machine->vga;
	unsigned int height = glyph_height(machine), top = first & 0x1f, bottom = last & 0x1f;

	bios_set_word(machine, VIDEO_SHAPE, (uint16_t)(first << 8 | last));
	if (!(*bios_byte(machine, VIDEO_OPTIONS) & 1) && height > 8 && top < 8 && bottom < 8 && top <= bottom) {
		/* A line or two below the letters stay as thin as they are. */
		unsigned int thick = bottom - top;

		bottom = top > 4 ? height - 2 : (bottom + 1) * height / 8 - 1;
		top = top > 4 ? bottom - thick : top * height / 8;
	}
	vga->crtc[CRTC_CURSOR_START] = (uint8_t)((first & 0x20) | top);
	vga->crtc[CRTC_CURSOR_END] = (uint8_t)bottom;
}

void video_set_page(struct machine *machine, unsigned int page)
{
	const struct video_mode *mode = video_mode(machine);
	uint32_t start = page_offset(machine, page);

	if (page >= mode->pages)
		return;
	*bios_byte(machine, VIDEO_PAGE) = (uint8_t)page;
	bios_set_word(machine, VIDEO_PAGE_START, (uint16_t)start);
	vga_set_start(&machine->vga, mode->kind == VIDEO_TEXT ? start / 2 : start);
	if (mode->kind == VIDEO_TEXT)
		vga_set_cursor(&machine->vga,
			       cell_at(machine, page, cursor(machine, page)[0], cursor(machine, page)[1]) / 2);
}

/* Where the cursor is there may be no such cell; in text modes the memory goes on beyond the last row. */
void video_write(struct machine *machine, unsigned int page, uint8_t character, uint8_t attribute,
		 bool with_attribute, unsigned int count, uint8_t background)
{
	const uint8_t *at = cursor(machine, page);
	unsigned int x = at[0], y = at[1];
	uint8_t lines[CELL_LINES_MAX];
	uint16_t cell;

	if (video_mode(machine)->kind == VIDEO_TEXT) {
		uint32_t to = cell_at(machine, page, x, y);

		for (unsigned int i = 0; i < count && i < (WINDOW_MASK + 1) / 2; i++, to += 2) {
			read_cells(machine, to, &cell, 1);
			cell = (uint16_t)(character | (with_attribute ? attribute << 8 : cell & 0xff00));
			write_cells(machine, to, &cell, 1);
		}
		return;
	}
	read_glyph(machine, character, lines);
	for (unsigned int i = 0; i < count && y < video_rows(machine); i++) {
		draw_glyph(machine, page, x, y, lines, attribute, background);
		if (++x >= video_columns(machine)) {
			x = 0;
			y++;
		}
	}
}

uint16_t video_read(const struct machine *machine, unsigned int page)
{
	const uint8_t *at = cursor(machine, page);
	uint16_t cell;

	if (video_mode(machine)->kind != VIDEO_TEXT)
		return recognise(machine, page, at[0], at[1]);
	read_cells(machine, cell_at(machine, page, at[0], at[1]), &cell, 1);
	return cell;
}

/* One row, or in a picture one line of pixels, of a window; from where there is none it is blank. */
static void move_row(struct machine *machine, unsigned int page, unsigned int left, unsigned int count, unsigned int to,
		     unsigned int from, bool is_blank, uint8_t attribute)
{
	const struct video_mode *mode = video_mode(machine);
	unsigned int width = cell_bytes(mode), len = count * width;
	uint8_t bytes[LINE_BYTES_MAX], blank[8];
	uint16_t cells[256];

	if (mode->kind == VIDEO_TEXT) {
		for (unsigned int i = 0; i < count; i++)
			cells[i] = (uint16_t)(attribute << 8 | ' ');
		if (!is_blank)
			read_cells(machine, cell_at(machine, page, left, from), cells, count);
		write_cells(machine, cell_at(machine, page, left, to), cells, count);
		return;
	}
	if (to >= mode->height || (!is_blank && from >= mode->height) || len > sizeof(bytes))
		return;
	for (unsigned int plane = 0; plane < plane_count(mode); plane++) {
		spread(mode, plane, 0xff, attribute, 0, blank);
		for (unsigned int i = 0; i < len; i++)
			bytes[i] = blank[i % width];
		if (!is_blank)
			read_bytes(machine, plane, line_at(machine, page, from) + left * width, bytes, len);
		write_bytes(machine, plane, line_at(machine, page, to) + left * width, bytes, len);
	}
}

static void scroll(struct machine *machine, unsigned int page, bool up, unsigned int lines, uint8_t attribute,
		   uint8_t left, uint8_t top, uint8_t right, uint8_t bottom)
{
	unsigned int columns = video_columns(machine), rows = video_rows(machine);
	unsigned int unit = video_mode(machine)->kind == VIDEO_TEXT ? 1 : glyph_height(machine);
	unsigned int last_x = right < columns ? right : columns - 1, last_y = bottom < rows ? bottom : rows - 1;
	unsigned int height, step;

	if (left > last_x || top > last_y)
		return;
	height = (last_y - top + 1) * unit;
	step = lines ? lines * unit : height;
	for (unsigned int i = 0; i < height; i++) {
		unsigned int n = up ? i : height - 1 - i, from = up ? n + step : n - step;

		move_row(machine, page, left, last_x - left + 1, top * unit + n, top * unit + from,
			 up ? from >= height : n < step, attribute);
	}
}

void video_scroll(struct machine *machine, bool up, unsigned int lines, uint8_t attribute, uint8_t left,
		  uint8_t top, uint8_t right, uint8_t bottom)
{
	scroll(machine, active_page(machine), up, lines, attribute, left, top, right, bottom);
}

/* A new row is as the last one was. */
static void feed(struct machine *machine, unsigned int page, unsigned int x)
{
	unsigned int last = video_rows(machine) - 1;
	uint16_t cell = 0;

	if (video_mode(machine)->kind == VIDEO_TEXT)
		read_cells(machine, cell_at(machine, page, x, last), &cell, 1);
	scroll(machine, page, true, 1, (uint8_t)(cell >> 8), 0, 0, (uint8_t)(video_columns(machine) - 1), (uint8_t)last);
}

/* As text: bytes of the code page's upper half in UTF-8. What was put into another row begins a line. */
static void echo(struct machine *machine, uint8_t character)
{
	struct console *console = &machine->console;
	char text[CODE_PAGE_BYTES];

	/* Nobody sees a NUL, but many files and terminals mind it. */
	if (machine->options->screen || !character)
		return;
	if (machine->bios.moved && character != LINE_FEED && character != CARRIAGE_RETURN)
		console_end_line(console);
	machine->bios.moved = false;
	if (character < 0x80)
		console_write(console, (const char *)&character, 1);
	else
		console_write(console, text, code_page_utf8(character, text));
}

void video_teletype(struct machine *machine, unsigned int page, uint8_t character, uint8_t attribute,
		    bool with_attribute)
{
	const uint8_t *at = cursor(machine, page);
	unsigned int x = at[0], y = at[1], rows = video_rows(machine);

	echo(machine, character);
	switch (character) {
	case BELL:
		return;
	case BACKSPACE:
		x -= x > 0;
		break;
	case LINE_FEED:
		y++;
		break;
	case CARRIAGE_RETURN:
		x = 0;
		break;
	default:
		video_write(machine, page, character, attribute, with_attribute, 1, 0);
		if (++x >= video_columns(machine)) {
			x = 0;
			y++;
		}
	}
	if (y >= rows) {
		feed(machine, page, x < video_columns(machine) ? x : 0);
		y = rows - 1;
	}
	video_set_cursor(machine, page, (uint8_t)x, (uint8_t)y);
	machine->bios.moved = false;
}
