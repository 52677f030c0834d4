#define _GNU_SOURCE
#include "screen_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "code_page.h"
#include "machine.h"
#include "message.h"
#include "options.h"
#include "screen.h"
#include "terminal.h"

#define FRAME_TIME (33 * CLOCK_MILLISECOND)

/* What the terminal shows; `shown` is not valid before the first picture. */
static struct screen now, shown;
static bool is_valid;
static unsigned int first_row; /* of the guest's, if the terminal has too few */
static char last_line[256];

/* What is to be written to the terminal; a frame is written at once, so that it does not flicker. */
static struct {
	char text[65536];
	size_t len;
} frame;

static void flush(void)
{
	terminal_write(frame.text, frame.len);
	frame.len = 0;
}

static void emit(const char *text, size_t len)
{
	if (frame.len + len > sizeof(frame.text))
		flush();
	memcpy(frame.text + frame.len, text, len);
	frame.len += len;
}

static void emit_move(unsigned int row, unsigned int column)
{
	char text[32];

	emit(text, (size_t)snprintf(text, sizeof(text), "\033[%u;%uH", row + 1, column + 1));
}

/* The guest's 16 are those of the terminal, whose order is another, unless the guest has changed them. */
static void emit_colour(const struct screen *screen, unsigned int colour, bool is_background)
{
	static const uint8_t order[8] = {0, 4, 2, 6, 1, 5, 3, 7};
	const uint8_t *c = screen->colour[colour];
	unsigned int light = colour & 8 ? 0x15 : 0;
	uint8_t usual[3] = {(uint8_t)((colour & 4 ? 0x2a : 0) + light),
			    (uint8_t)((colour == 6 ? 0x15 : colour & 2 ? 0x2a : 0) + light),
			    (uint8_t)((colour & 1 ? 0x2a : 0) + light)};
	char text[32];
	int len;

	if (!memcmp(c, usual, sizeof(usual)))
		len = snprintf(text, sizeof(text), ";%u",
			       (colour & 8 ? 90u : 30u) + (is_background ? 10u : 0u) + order[colour & 7]);
	else
		len = snprintf(text, sizeof(text), ";%u;2;%u;%u;%u", is_background ? 48u : 38u, c[0] * 255u / 63,
			       c[1] * 255u / 63, c[2] * 255u / 63);
	emit(text, (size_t)len);
}

static void emit_attribute(const struct screen *screen, uint8_t attribute)
{
	bool blinks = screen->blinks && attribute & 0x80;

	emit("\033[0", 3);
	if (blinks)
		emit(";5", 2);
	emit_colour(screen, attribute & 0x0f, false);
	emit_colour(screen, attribute >> 4 & (screen->blinks ? 7u : 15u), true);
	emit("m", 1);
}

static bool is_same(const struct screen *a, const struct screen *b)
{
	return a->is_graphics == b->is_graphics && a->width == b->width && a->height == b->height &&
	       a->columns == b->columns && a->rows == b->rows && a->blinks == b->blinks &&
	       !memcmp(a->colour, b->colour, sizeof(a->colour));
}

static void draw_row(unsigned int y, unsigned int columns, bool all)
{
	unsigned int at = UINT32_MAX; /* the terminal's column */
	int attribute = -1;

	for (unsigned int x = 0; x < now.columns && x < columns; x++) {
		const struct screen_cell *cell = &now.cell[y][x];
		char text[CODE_PAGE_BYTES];

		if (!all && !memcmp(cell, &shown.cell[y][x], sizeof(*cell)))
			continue;
		if (at != x)
			emit_move(y - first_row, x);
		if (attribute != cell->attribute)
			emit_attribute(&now, cell->attribute);
		attribute = cell->attribute;
		emit(text, code_page_utf8(cell->character, text));
		at = x + 1;
	}
}

/* Behind the guest's screen, if the terminal has more rows, stands what was said last. */
static void draw_last_line(unsigned int columns, unsigned int rows, bool all)
{
	unsigned int row = now.is_graphics ? 1 : now.rows;
	char line[sizeof(last_line)];

	if (row + 1 >= rows)
		return;
	terminal_last_note(line, columns < sizeof(line) ? columns : sizeof(line));
	if (!all && !strcmp(line, last_line))
		return;
	strcpy(last_line, line);
	emit_move(rows - 1, 0);
	emit("\033[0m\033[K", 7);
	emit(line, strlen(line));
}

static void draw_graphics(void)
{
	char text[80];

	emit_move(0, 0);
	emit(text, (size_t)snprintf(text, sizeof(text), "\033[0mgraphics, %u x %u pixels", now.width, now.height));
}

static void draw(struct machine *machine)
{
	unsigned int columns, rows, first = 0;
	bool all;

	terminal_size(&columns, &rows);
	screen_read(machine, &now);
	/* Where the cursor is, somebody types. */
	if (now.rows > rows)
		first = now.has_cursor && now.row >= rows ? now.rows - rows : 0;
	all = terminal_was_changed() || !is_valid || !is_same(&now, &shown) || first != first_row;
	first_row = first;
	if (all)
		emit("\033[0m\033[2J", 8);
	emit("\033[?25l", 6);
	if (now.is_graphics && all)
		draw_graphics();
	for (unsigned int y = first; y < now.rows && y - first < rows; y++)
		draw_row(y, columns, all);
	draw_last_line(columns, rows, all);
	if (now.has_cursor && now.column < columns && now.row >= first && now.row - first < rows) {
		emit_move(now.row - first, now.column);
		emit("\033[?25h", 6);
	}
	flush();
	shown = now;
	is_valid = true;
}

void screen_begin(struct machine *machine)
{
	const struct options *options = machine->options;

	/* With COMMAND the terminal is COMMAND's. */
	if (!options->screen || options->command || !machine->is_pc || !terminal_open())
		return;
	is_valid = false;
	machine->has_terminal = true;
	/* Somebody looks on. */
	machine->clock.real = true;
}

void screen_update(struct machine *machine, bool at_once)
{
	static uint64_t last;
	struct timespec time;
	uint64_t host;

	if (!machine->has_terminal)
		return;
	clock_gettime(CLOCK_MONOTONIC, &time);
	host = (uint64_t)time.tv_sec * CLOCK_SECOND + (uint64_t)time.tv_nsec;
	if (!at_once && host - last < FRAME_TIME)
		return;
	last = host;
	draw(machine);
}

void screen_end(struct machine *machine)
{
	size_t len;
	char *text;

	if (!machine->options->screen)
		return;
	machine->has_terminal = false;
	terminal_restore();
	if (!machine->is_pc) {
		message("a bare machine has no screen; --machine=pc has");
		return;
	}
	screen_read(machine, &now);
	text = screen_text(&now, &len);
	if (!text || fwrite(text, 1, len, stdout) != len || fflush(stdout))
		message("the screen could not be written");
	free(text);
}
