#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code_page.h"
#include "e820.h"
#include "machine.h"
#include "memory.h"

#define CURSOR_OFF 0x20

/* Where each setting of GRAPHICS_MISC has the memory. */
static const struct {
	uint32_t base, size;
} windows[] = {{0xa0000, 0x20000}, {0xa0000, 0x10000}, {0xb0000, 0x8000}, {0xb8000, 0x8000}};

static void read_size(const struct vga *vga, struct screen *screen)
{
	unsigned int columns = vga->crtc[CRTC_DISPLAY_END_H] + 1u, lines = vga_lines(vga), height = vga_cell_lines(vga);

	if (screen->is_graphics) {
		screen->width = columns * (vga->graphics[GRAPHICS_MODE] & 0x40 ? 4 : 8);
		/* The CGA's modes show even and odd lines as the two lines of a cell. */
		screen->height = vga->crtc[CRTC_MODE] & 1 ? lines / height : 2 * lines / height;
		return;
	}
	screen->columns = columns < SCREEN_COLUMNS_MAX ? columns : SCREEN_COLUMNS_MAX;
	screen->rows = lines / height < SCREEN_ROWS_MAX ? lines / height : SCREEN_ROWS_MAX;
}

void screen_read(const struct machine *machine, struct screen *screen)
{
	const struct vga *vga = &machine->vga;
	unsigned int window = vga->graphics[GRAPHICS_MISC] >> 2 & 3, cells = windows[window].size / 2;
	unsigned int pitch = vga->crtc[CRTC_PITCH] * 2u, start = vga_start(vga);

	memset(screen, 0, sizeof(*screen));
	screen->is_graphics = vga_is_graphics(vga);
	screen->blinks = vga->attribute[ATTRIBUTE_MODE] & VGA_BLINK;
	for (unsigned int i = 0; i < 16; i++)
		memcpy(screen->colour[i], vga->dac[vga_colour(vga, i)], 3);
	read_size(vga, screen);
	for (unsigned int y = 0; y < screen->rows; y++) {
		unsigned int line = y * vga_cell_lines(vga), split = vga_split_line(vga);
		unsigned int first = line < split ? start + y * pitch : (line - split) / vga_cell_lines(vga) * pitch;

		for (unsigned int x = 0; x < screen->columns; x++) {
			unsigned int at = (first + x) % cells;
			uint8_t cell[2] = {' ', 0x07};

			/* What is at B8000 may be a font for the moment (vga_memory.c), and the text stays. */
			if (window <= 1)
				memory_read_physical(&machine->vcpu, windows[window].base + 2 * at, cell, sizeof(cell));
			else if (machine->vm.low_size >= HIGH_MEMORY_START)
				memcpy(cell, machine->vm.memory + windows[window].base + 2 * at, sizeof(cell));
			screen->cell[y][x] = (struct screen_cell){cell[0], cell[1]};
			if (line < split && at == vga_cursor(vga) % cells) {
				screen->has_cursor = !(vga->crtc[CRTC_CURSOR_START] & CURSOR_OFF) &&
						     (vga->crtc[CRTC_CURSOR_START] & 0x1f) <=
							     (vga->crtc[CRTC_CURSOR_END] & 0x1f);
				screen->column = x;
				screen->row = y;
			}
		}
	}
}

static bool is_blank(uint8_t character)
{
	return code_page_unicode(character) == ' ';
}

char *screen_text(const struct screen *screen, size_t *len)
{
	char *text = malloc(screen->rows * (screen->columns * (CODE_PAGE_BYTES - 1) + 1) + 80), *to = text, *end = text;

	if (!text)
		return NULL;
	if (screen->is_graphics)
		end += sprintf(text, "graphics, %u x %u pixels\n", screen->width, screen->height);
	for (unsigned int y = 0; y < screen->rows; y++) {
		unsigned int columns = screen->columns;

		while (columns && is_blank(screen->cell[y][columns - 1].character))
			columns--;
		for (unsigned int x = 0; x < columns; x++)
			to += code_page_utf8(screen->cell[y][x].character, to);
		*to++ = '\n';
		if (columns)
			end = to;
	}
	*end = 0;
	*len = (size_t)(end - text);
	return text;
}
