#define _GNU_SOURCE
#include "screenshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "machine.h"
#include "memory.h"
#include "png.h"
#include "screen.h"

#define CGA_MEMORY 0xb8000u
#define CGA_MASK 0x7fffu
#define CGA_BANK 0x2000u

/* In registers that have no names of bits. */
#define CLOCKING_8_DOTS 0x01
#define CLOCKING_HALVED 0x08
#define CLOCKING_OFF 0x20
#define CHAIN_4 0x08
#define MODE_256 0x40
#define MODE_CGA4 0x20
#define CRTC_BYTES 0x40    /* addresses are of bytes, not words */
#define CRTC_NO_BANKS 0x01 /* even and odd lines are in one piece */
#define ATTRIBUTE_MONO 0x02
#define ATTRIBUTE_LINE_GRAPHICS 0x04
#define ATTRIBUTE_PAN_TOP 0x20 /* below the split there is no panning */
#define ATTRIBUTE_ON 0x20 /* in the index */

#define FONT_CELL 32

/* What a VGA takes together for each dot. */
struct frame {
	const struct machine *machine;
	const struct vga *vga;
	struct picture picture;
	unsigned int dots;    /* of a character's width: 8 or 9 */
	unsigned int stretch; /* each dot is shown as so many */
	uint8_t *memory; /* 64 KiB: of the modes that are not planes', what is at A0000 or B8000 */
};

static uint8_t colour(const struct vga *vga, unsigned int index)
{
	return vga_colour(vga, index & vga->attribute[ATTRIBUTE_PLANES]);
}

/* Graphics */

/* A line of the picture: the first address that is shown, in bytes of a plane, or of the CGA's memory. */
static unsigned int line_start(const struct vga *vga, unsigned int y, bool cga, unsigned int *pan)
{
	unsigned int split = vga_split_line(vga), start = vga_start(vga);
	unsigned int pitch = vga->crtc[CRTC_PITCH] * 2u;
	unsigned int doubled = vga->crtc[CRTC_CELL_HEIGHT] & 0x80 ? 2 : 1;
	unsigned int height = (vga->crtc[CRTC_CELL_HEIGHT] & 0x1f) + 1u, scan;
	bool words = cga && !(vga->crtc[CRTC_MODE] & CRTC_BYTES);

	*pan = vga->attribute[ATTRIBUTE_PAN] & 7;
	if (y >= split) {
		y -= split;
		start = 0;
		if (vga->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_PAN_TOP)
			*pan = 0;
	}
	scan = y / doubled % height;
	start = (start + y / doubled / height * pitch) * (words ? 2 : 1);
	if (cga && !(vga->crtc[CRTC_MODE] & CRTC_NO_BANKS))
		start += (scan & 1) * CGA_BANK;
	return start;
}

static uint8_t dot_256(const struct frame *frame, unsigned int start, unsigned int x)
{
	const struct vga *vga = frame->vga;
	unsigned int at = start + x / 4;
	uint8_t index = frame->memory ? frame->memory[(at * 4 + x % 4) % VGA_PLANE_SIZE]
				      : vga->plane[x % 4][at % VGA_PLANE_SIZE];

	return index & vga->dac_mask;
}

static uint8_t dot_planar(const struct frame *frame, unsigned int start, unsigned int x)
{
	unsigned int index = 0, at = (start + x / 8) % VGA_PLANE_SIZE;

	for (unsigned int plane = 0; plane < VGA_PLANES; plane++)
		index |= (frame->vga->plane[plane][at] >> (7 - x % 8) & 1u) << plane;
	return colour(frame->vga, index);
}

static uint8_t dot_cga(const struct frame *frame, unsigned int start, unsigned int x)
{
	unsigned int bits = frame->vga->graphics[GRAPHICS_MODE] & MODE_CGA4 ? 2 : 1, per_byte = 8 / bits;
	uint8_t byte = frame->memory[(start + x / per_byte) & CGA_MASK];

	return colour(frame->vga, byte >> (8 - bits - x % per_byte * bits) & ((1u << bits) - 1));
}

static void draw_graphics(struct frame *frame)
{
	const struct vga *vga = frame->vga;
	bool many = vga->graphics[GRAPHICS_MODE] & MODE_256, cga = !many && frame->memory;
	uint8_t (*dot)(const struct frame *, unsigned int, unsigned int) = many ? dot_256 : cga ? dot_cga : dot_planar;
	unsigned int stretch = frame->stretch * (many ? 2 : 1), width = frame->picture.width, pan;

	for (unsigned int y = 0; y < frame->picture.height; y++) {
		uint8_t *line = frame->picture.pixels + (size_t)y * width;
		unsigned int start = line_start(vga, y, cga, &pan);

		for (unsigned int x = 0; x < width; x++)
			line[x] = x % stretch ? line[x - 1] : dot(frame, start, x / stretch + (many ? pan / 2 : pan));
	}
}

/* Whether the picture's memory is RAM, and where. Of 64 KiB there may be less. */
static int read_memory(struct frame *frame)
{
	const struct vga *vga = frame->vga;
	unsigned int window = vga->graphics[GRAPHICS_MISC] >> 2 & 3;
	bool chained = vga->graphics[GRAPHICS_MODE] & MODE_256 && vga->sequencer[SEQUENCER_MEMORY] & CHAIN_4;

	if (!chained && window <= 1)
		return 0;
	frame->memory = calloc(1, VGA_PLANE_SIZE);
	if (!frame->memory)
		return -ENOMEM;
	memory_read_physical(&frame->machine->vcpu, window <= 1 ? 0xa0000 : CGA_MEMORY, frame->memory,
			     window <= 1 ? VGA_PLANE_SIZE : CGA_MASK + 1);
	return 0;
}

/* Text */

/* Of two fonts, which may be one, bit 3 of the attribute chooses. */
static const uint8_t *glyph(const struct vga *vga, const struct screen_cell *cell)
{
	uint8_t select = vga->sequencer[SEQUENCER_FONT];
	unsigned int block = cell->attribute & 8 ? (select >> 2 & 3) | (select >> 3 & 4) : (select & 3) | (select >> 2 & 4);

	return vga->plane[2] + (block & 3) * 0x4000u + (block >> 2) * 0x2000u + cell->character * FONT_CELL;
}

/* The dots of a line of a cell, the leftmost one in bit 8. */
static unsigned int cell_dots(const struct vga *vga, const struct screen_cell *cell, unsigned int scan)
{
	unsigned int dots = (unsigned int)glyph(vga, cell)[scan] << 1;
	bool mono = vga->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_MONO;

	/* The ninth column of lines goes on to the next cell. */
	if (vga->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_LINE_GRAPHICS && cell->character >= 0xc0 && cell->character <= 0xdf)
		dots |= dots >> 1 & 1;
	if (mono && (cell->attribute & 0x77) == 0x01 && scan == (vga->crtc[CRTC_UNDERLINE] & 0x1fu))
		dots = 0x1ff;
	return dots;
}

static bool is_cursor(const struct vga *vga, const struct screen *screen, unsigned int x, unsigned int y,
		      unsigned int scan)
{
	return screen->has_cursor && x == screen->column && y == screen->row &&
	       scan >= (vga->crtc[CRTC_CURSOR_START] & 0x1fu) && scan <= (vga->crtc[CRTC_CURSOR_END] & 0x1fu);
}

/* What blinks is shown. */
static void draw_text(struct frame *frame, const struct screen *screen)
{
	const struct vga *vga = frame->vga;
	unsigned int lines = vga_cell_lines(vga), doubled = vga->crtc[CRTC_CELL_HEIGHT] & 0x80 ? 2 : 1;
	unsigned int width = frame->dots * frame->stretch;

	for (unsigned int y = 0; y < frame->picture.height && y / lines < screen->rows; y++) {
		uint8_t *line = frame->picture.pixels + (size_t)y * frame->picture.width;
		unsigned int row = y / lines, scan = y % lines / doubled;

		for (unsigned int column = 0; column < screen->columns; column++) {
			const struct screen_cell *cell = &screen->cell[row][column];
			uint8_t front = colour(vga, cell->attribute & 15u);
			uint8_t back = colour(vga, cell->attribute >> 4 & (screen->blinks ? 7u : 15u));
			unsigned int dots = is_cursor(vga, screen, column, row, scan) ? 0x1ff
										       : cell_dots(vga, cell, scan);

			for (unsigned int x = 0; x < width; x++)
				line[column * width + x] = dots >> (8 - x / frame->stretch) & 1 ? front : back;
		}
	}
}

static void read_colours(const struct vga *vga, struct picture *picture)
{
	bool is_off = !(vga->attribute_index & ATTRIBUTE_ON) || vga->sequencer[SEQUENCER_CLOCKING] & CLOCKING_OFF;
	size_t count = (size_t)picture->width * picture->height;

	picture->colours = 1;
	for (size_t i = 0; i < count; i++) {
		if (is_off)
			picture->pixels[i] = 0;
		if (picture->pixels[i] >= picture->colours)
			picture->colours = picture->pixels[i] + 1u;
	}
	for (unsigned int i = 0; i < picture->colours; i++) {
		/* 6 bits to 8 */
		for (unsigned int part = 0; part < 3 && !is_off; part++)
			picture->palette[i][part] = (uint8_t)(vga->dac[i][part] << 2 | vga->dac[i][part] >> 4);
	}
}

int screenshot_write(const struct machine *machine, int fd, const char *path, char *why, size_t size)
{
	static struct screen screen;
	const struct vga *vga = &machine->vga;
	uint8_t clocking = vga->sequencer[SEQUENCER_CLOCKING];
	struct frame frame = {.machine = machine, .vga = vga};
	int result = -ENOMEM;

	frame.dots = vga_is_graphics(vga) || clocking & CLOCKING_8_DOTS ? 8 : 9;
	frame.stretch = clocking & CLOCKING_HALVED ? 2 : 1;
	frame.picture.width = (vga->crtc[CRTC_DISPLAY_END_H] + 1u) * frame.dots * frame.stretch;
	frame.picture.height = vga_lines(vga);
	frame.picture.pixels = calloc(frame.picture.width, frame.picture.height);
	if (frame.picture.pixels && !vga_is_graphics(vga)) {
		screen_read(machine, &screen);
		draw_text(&frame, &screen);
		result = 0;
	} else if (frame.picture.pixels) {
		result = read_memory(&frame);
		if (!result)
			draw_graphics(&frame);
	}
	if (result) {
		snprintf(why, size, "%s", strerror(-result));
		if (fd >= 0)
			close(fd);
	} else {
		read_colours(vga, &frame.picture);
		result = png_write(fd, path, &frame.picture, why, size);
	}
	free(frame.memory);
	free(frame.picture.pixels);
	return result;
}

int screenshot_check_name(const char *path, char *why, size_t size)
{
	size_t len = strlen(path);

	if (len >= 5 && !strcasecmp(path + len - 4, ".png"))
		return 0;
	snprintf(why, size, "%s: the name of a picture ends in .png", path);
	return -EINVAL;
}

int screenshot_check(const char *path, char *why, size_t size)
{
	bool is_new;
	int fd, result = screenshot_check_name(path, why, size);

	if (result)
		return result;
	is_new = access(path, F_OK) != 0;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0) {
		result = -errno;
		snprintf(why, size, "cannot write %s: %s", path, strerror(-result));
	} else {
		close(fd);
		if (is_new)
			unlink(path);
	}
	return result;
}
