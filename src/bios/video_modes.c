/* The modes of a VGA: its registers as IBM's BIOS sets them. */
#include <string.h>

#include "bios/bios.h"
#include "bios/rom.h"
#include "bios/video.h"
#include "machine.h"
#include "memory.h"

#define TEXT_BASE 0xb8000u
#define MONO_BASE 0xb0000u
#define GRAPHICS_BASE 0xa0000u
#define WINDOW 0x8000u /* bytes at TEXT_BASE and MONO_BASE */

#define CRTC_PORT_COLOUR 0x3d4
#define CRTC_PORT_MONO 0x3b4
#define SHAPE_DEFAULT 0x0607

/* A font of text modes is 8 KiB in plane 2, 32 bytes a character. */
#define FONT_SLOT 32

typedef const uint8_t crtc_registers[CRTC_REGISTERS];

static crtc_registers crtc_text40 = {0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0,
				     0, 0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static crtc_registers crtc_text80 = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0,
				     0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static crtc_registers crtc_cga320 = {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0, 0, 0, 0, 0,
				     0, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff};
static crtc_registers crtc_cga640 = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0, 0, 0, 0, 0,
				     0, 0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff};
static crtc_registers crtc_320x200 = {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0, 0, 0, 0, 0,
				      0, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff};
static crtc_registers crtc_640x200 = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0, 0, 0, 0, 0,
				      0, 0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xe3, 0xff};
static crtc_registers crtc_640x350 = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x40, 0, 0, 0, 0, 0,
				      0, 0x83, 0x85, 0x5d, 0x28, 0x0f, 0x63, 0xba, 0xe3, 0xff};
static crtc_registers crtc_640x480 = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0, 0, 0, 0, 0,
				      0, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff};
static crtc_registers crtc_linear = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0, 0, 0, 0, 0,
				     0, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff};

/* The vertical part of text modes with 350 lines; those with 400 and 200 are in the table. */
static const struct {
	uint8_t index, value;
} crtc_350[] = {{0x06, 0xbf}, {0x07, 0x1f}, {0x10, 0x83}, {0x11, 0x85}, {0x12, 0x5d}, {0x15, 0x63}, {0x16, 0xba}};

typedef const uint8_t palette[16];

static palette ega16 = {0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f};
static palette cga16 = {0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17};
static palette cga4 = {0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17};
static palette cga2 = {0,    0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17,
		       0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17};
static palette white = {0,    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
			0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f};
static palette mono_text = {0, 8, 8, 8, 8, 8, 8, 8, 0x10, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18};
static palette mono_graphics = {0, 8, 0, 0, 0x18, 0x18, 0, 0, 0, 8, 0, 0, 0, 0x18, 0, 0};
static palette first16 = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

enum dac { DAC_EGA, DAC_CGA, DAC_MONO, DAC_256 };

/* What of a mode nobody else needs to know. */
struct mode {
	struct video_mode public;
	uint8_t misc, clocking, map_mask, memory; /* sequencer register 0 is always 3, and 3 is 0 */
	const uint8_t *crtc;
	uint8_t graphics_mode, graphics_misc, dont_care;
	const uint8_t *palette;
	uint8_t attribute_mode, planes;
	enum dac dac;
	uint8_t cga_mode; /* what the CGA had in port 3D8 */
};

#define TEXT(number, columns, base, page_size) \
	{number, VIDEO_TEXT, columns, 25, 16, 0, 0, base, page_size, 8}
#define CGA(number, columns, bits) \
	{number, VIDEO_CGA, columns, 25, 8, 200, bits, TEXT_BASE, 0x4000, 1}
#define PLANAR(number, columns, rows, cell, height, bits, page_size, pages) \
	{number, VIDEO_PLANAR, columns, rows, cell, height, bits, GRAPHICS_BASE, page_size, pages}

static const struct mode modes[] = {
	{TEXT(0x00, 40, TEXT_BASE, 0x0800), 0x67, 0x08, 0x03, 0x02, crtc_text40, 0x10, 0x0e, 0x00, ega16, 0x0c, 0x0f,
	 DAC_EGA, 0x2c},
	{TEXT(0x01, 40, TEXT_BASE, 0x0800), 0x67, 0x08, 0x03, 0x02, crtc_text40, 0x10, 0x0e, 0x00, ega16, 0x0c, 0x0f,
	 DAC_EGA, 0x28},
	{TEXT(0x02, 80, TEXT_BASE, 0x1000), 0x67, 0x00, 0x03, 0x02, crtc_text80, 0x10, 0x0e, 0x00, ega16, 0x0c, 0x0f,
	 DAC_EGA, 0x2d},
	{TEXT(0x03, 80, TEXT_BASE, 0x1000), 0x67, 0x00, 0x03, 0x02, crtc_text80, 0x10, 0x0e, 0x00, ega16, 0x0c, 0x0f,
	 DAC_EGA, 0x29},
	{CGA(0x04, 40, 2), 0x63, 0x09, 0x03, 0x02, crtc_cga320, 0x30, 0x0f, 0x0f, cga4, 0x01, 0x03, DAC_CGA, 0x2a},
	{CGA(0x05, 40, 2), 0x63, 0x09, 0x03, 0x02, crtc_cga320, 0x30, 0x0f, 0x0f, cga4, 0x01, 0x03, DAC_CGA, 0x2e},
	{CGA(0x06, 80, 1), 0x63, 0x01, 0x01, 0x06, crtc_cga640, 0x00, 0x0d, 0x0f, cga2, 0x01, 0x01, DAC_CGA, 0x1e},
	{TEXT(0x07, 80, MONO_BASE, 0x1000), 0x66, 0x00, 0x03, 0x02, crtc_text80, 0x10, 0x0a, 0x00, mono_text, 0x0e, 0x0f,
	 DAC_MONO, 0x29},
	{PLANAR(0x0d, 40, 25, 8, 200, 4, 0x2000, 8), 0x63, 0x09, 0x0f, 0x06, crtc_320x200, 0x00, 0x05, 0x0f, cga16, 0x01,
	 0x0f, DAC_CGA, 0x29},
	{PLANAR(0x0e, 80, 25, 8, 200, 4, 0x4000, 4), 0x63, 0x01, 0x0f, 0x06, crtc_640x200, 0x00, 0x05, 0x0f, cga16, 0x01,
	 0x0f, DAC_CGA, 0x29},
	{PLANAR(0x0f, 80, 25, 14, 350, 4, 0x8000, 2), 0xa2, 0x01, 0x0f, 0x06, crtc_640x350, 0x00, 0x05, 0x00,
	 mono_graphics, 0x0b, 0x05, DAC_MONO, 0x29},
	{PLANAR(0x10, 80, 25, 14, 350, 4, 0x8000, 2), 0xa3, 0x01, 0x0f, 0x06, crtc_640x350, 0x00, 0x05, 0x0f, ega16, 0x01,
	 0x0f, DAC_EGA, 0x29},
	{PLANAR(0x11, 80, 30, 16, 480, 1, 0xa000, 1), 0xe3, 0x01, 0x0f, 0x06, crtc_640x480, 0x00, 0x05, 0x01, white, 0x01,
	 0x0f, DAC_EGA, 0x29},
	{PLANAR(0x12, 80, 30, 16, 480, 4, 0xa000, 1), 0xe3, 0x01, 0x0f, 0x06, crtc_640x480, 0x00, 0x05, 0x0f, ega16, 0x01,
	 0x0f, DAC_EGA, 0x29},
	{{0x13, VIDEO_LINEAR, 40, 25, 8, 200, 8, GRAPHICS_BASE, 0xfa00, 1}, 0x63, 0x01, 0x0f, 0x0e, crtc_linear, 0x40,
	 0x05, 0x0f, first16, 0x41, 0x0f, DAC_256, 0x29},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct mode *find(uint8_t number)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		if (modes[i].public.number == number)
			return &modes[i];
	}
	return NULL;
}

const struct video_mode *video_mode(const struct machine *machine)
{
	const struct mode *mode = find(*bios_byte(machine, VIDEO_MODE));

	return &(mode ? mode : find(0x03))->public;
}

static void set_colour(uint8_t colour[3], unsigned int red, unsigned int green, unsigned int blue)
{
	colour[0] = (uint8_t)red;
	colour[1] = (uint8_t)green;
	colour[2] = (uint8_t)blue;
}

/* The CGA's 16: intensity adds a third to each part, and dark yellow is brown. */
static void set_cga_colour(uint8_t to[3], unsigned int colour)
{
	unsigned int light = colour & 8 ? 0x15 : 0, on = 0x2a;

	set_colour(to, (colour & 4 ? on : 0) + light, (colour == 6 ? 0x15 : colour & 2 ? on : 0) + light,
		   (colour & 1 ? on : 0) + light);
}

/* 24 hues, which begin with blue and go by red and green to it again, in three saturations and brightnesses. */
static void set_hues(uint8_t (*to)[3])
{
	static const uint8_t levels[9][5] = {
		{0x00, 0x10, 0x1f, 0x2f, 0x3f}, {0x1f, 0x27, 0x2f, 0x37, 0x3f}, {0x2d, 0x31, 0x36, 0x3a, 0x3f},
		{0x00, 0x07, 0x0e, 0x15, 0x1c}, {0x0e, 0x11, 0x15, 0x18, 0x1c}, {0x14, 0x16, 0x18, 0x1a, 0x1c},
		{0x00, 0x04, 0x08, 0x0c, 0x10}, {0x08, 0x0a, 0x0c, 0x0e, 0x10}, {0x0b, 0x0c, 0x0d, 0x0f, 0x10},
	};
	/* Of red; blue is 8 hues later, green 8 earlier. */
	static const uint8_t wave[24] = {0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0};

	for (unsigned int i = 0; i < 9; i++) {
		for (unsigned int hue = 0; hue < 24; hue++)
			set_colour(*to++, levels[i][wave[hue]], levels[i][wave[(hue + 16) % 24]],
				   levels[i][wave[(hue + 8) % 24]]);
	}
}

static void set_dac(struct vga *vga, enum dac dac)
{
	static const uint8_t greys[16] = {0x00, 0x05, 0x08, 0x0b, 0x0e, 0x11, 0x14, 0x18,
					  0x1c, 0x20, 0x24, 0x28, 0x2d, 0x32, 0x38, 0x3f};
	unsigned int i;

	for (i = 0; i < 64; i++) {
		switch (dac) {
		case DAC_EGA: /* two bits each: rgbRGB */
			set_colour(vga->dac[i], (i >> 2 & 1) * 0x2a + (i >> 5 & 1) * 0x15,
				   (i >> 1 & 1) * 0x2a + (i >> 4 & 1) * 0x15, (i & 1) * 0x2a + (i >> 3 & 1) * 0x15);
			break;
		case DAC_MONO:
			set_colour(vga->dac[i], i & 8 ? (i & 16 ? 0x3f : 0x2a) : 0,
				   i & 8 ? (i & 16 ? 0x3f : 0x2a) : 0, i & 8 ? (i & 16 ? 0x3f : 0x2a) : 0);
			break;
		default:
			set_cga_colour(vga->dac[i], (i & 7) | (i & 0x10) >> 1);
			break;
		}
	}
	if (dac != DAC_256)
		return;
	for (i = 0; i < 16; i++) {
		set_cga_colour(vga->dac[i], i);
		set_colour(vga->dac[16 + i], greys[i], greys[i], greys[i]);
	}
	set_hues(vga->dac + 32);
	memset(vga->dac + 248, 0, 8 * sizeof(*vga->dac));
}

static void set_registers(struct machine *machine, const struct mode *mode, uint8_t flags)
{
	struct vga *vga = &machine->vga;

	vga->misc = mode->misc;
	vga->enable = 1;
	vga->dac_mask = 0xff;
	memcpy(vga->crtc, mode->crtc, sizeof(vga->crtc));
	vga->sequencer[0] = 0x03;
	vga->sequencer[SEQUENCER_CLOCKING] = mode->clocking;
	vga->sequencer[SEQUENCER_MAP_MASK] = mode->map_mask;
	vga->sequencer[SEQUENCER_FONT] = 0;
	vga->sequencer[SEQUENCER_MEMORY] = mode->memory;
	memset(vga->graphics, 0, sizeof(vga->graphics));
	vga->graphics[GRAPHICS_MODE] = mode->graphics_mode;
	vga->graphics[GRAPHICS_MISC] = mode->graphics_misc;
	vga->graphics[GRAPHICS_DONT_CARE] = mode->dont_care;
	vga->graphics[GRAPHICS_BIT_MASK] = 0xff;
	vga->attribute_index = 0x20;
	vga->attribute_data = false;
	memset(vga->attribute, 0, sizeof(vga->attribute));
	vga->attribute[ATTRIBUTE_MODE] = mode->attribute_mode;
	vga->attribute[ATTRIBUTE_PLANES] = mode->planes;
	vga->attribute[ATTRIBUTE_PAN] = mode->public.kind == VIDEO_TEXT && !(mode->clocking & 1) ? 0x08 : 0;
	memcpy(vga->attribute, mode->palette, 16);
	if (!(flags & VIDEO_KEEP_PALETTE)) {
		set_dac(vga, mode->dac);
		for (unsigned int i = 0; i < VGA_COLOURS && flags & VIDEO_GREY; i++)
			vga_make_grey(vga->dac[i]);
	}
}

/* Text modes have as many lines as INT 10h AX=12xxh BL=30h has asked for, and cells that make it 25 rows. */
static unsigned int set_text_lines(struct vga *vga, uint8_t flags)
{
	if (flags & VIDEO_200_LINES) {
		vga->crtc[CRTC_CELL_HEIGHT] = 0xc7;
		vga->crtc[CRTC_CURSOR_START] = 6;
		vga->crtc[CRTC_CURSOR_END] = 7;
		return 8;
	}
	if (flags & VIDEO_400_LINES)
		return 16;
	for (size_t i = 0; i < COUNT(crtc_350); i++)
		vga->crtc[crtc_350[i].index] = crtc_350[i].value;
	vga->crtc[CRTC_CELL_HEIGHT] = 0x4d;
	vga->crtc[CRTC_CURSOR_START] = 0x0b;
	vga->crtc[CRTC_CURSOR_END] = 0x0c;
	vga->misc = (uint8_t)((vga->misc & 0x3f) | 0x80);
	return 14;
}

static void clear(struct machine *machine, const struct video_mode *mode)
{
	uint16_t blank[1024];
	uint32_t size = mode->kind == VIDEO_LINEAR ? 0x10000 : WINDOW;

	if (mode->kind == VIDEO_PLANAR) {
		memset(machine->vga.plane, 0, sizeof(machine->vga.plane));
		return;
	}
	for (size_t i = 0; i < COUNT(blank); i++)
		blank[i] = mode->kind == VIDEO_TEXT ? 0x0720 : 0;
	for (uint32_t at = 0; at < size; at += sizeof(blank))
		memory_write_physical(&machine->vcpu, mode->base + at, blank, sizeof(blank));
}

static void set_data(struct machine *machine, const struct mode *mode, unsigned int cell_height, uint8_t number)
{
	const struct video_mode *public = &mode->public;
	bool mono = !(mode->misc & VGA_MISC_COLOUR);
	uint8_t *options = bios_byte(machine, VIDEO_OPTIONS);

	*bios_byte(machine, VIDEO_MODE) = public->number;
	bios_set_word(machine, VIDEO_COLUMNS, public->columns);
	bios_set_word(machine, VIDEO_PAGE_SIZE, public->page_size);
	bios_set_word(machine, VIDEO_PAGE_START, 0);
	memset(bios_byte(machine, VIDEO_CURSORS), 0, 2 * VIDEO_PAGES);
	bios_set_word(machine, VIDEO_SHAPE, public->kind == VIDEO_TEXT ? SHAPE_DEFAULT : 0);
	*bios_byte(machine, VIDEO_PAGE) = 0;
	bios_set_word(machine, VIDEO_CRTC_PORT, mono ? CRTC_PORT_MONO : CRTC_PORT_COLOUR);
	*bios_byte(machine, VIDEO_CGA_MODE) = mode->cga_mode;
	*bios_byte(machine, VIDEO_CGA_COLOURS) = public->number == 0x06 ? 0x3f : 0x30;
	*bios_byte(machine, VIDEO_LAST_ROW) = (uint8_t)(public->rows - 1);
	bios_set_word(machine, VIDEO_CELL_HEIGHT, (uint16_t)cell_height);
	*options = (uint8_t)((*options & ~VIDEO_KEEP) | (number & VIDEO_KEEP));
	/* Bits 5-4: the screen. */
	bios_set_word(machine, VIDEO_EQUIPMENT,
		      (uint16_t)((bios_word(machine, VIDEO_EQUIPMENT) & ~0x30u) | (mono ? 0x30 : 0x20)));
}

bool video_set_mode(struct machine *machine, uint8_t number)
{
	const struct mode *mode = find(number & (uint8_t)~VIDEO_KEEP);
	uint8_t flags = *bios_byte(machine, VIDEO_FLAGS);
	unsigned int height;

	if (!mode)
		return false;
	height = mode->public.cell_height;
	set_registers(machine, mode, flags);
	if (mode->public.kind == VIDEO_TEXT)
		height = set_text_lines(&machine->vga, flags);
	/* Fonts are where graphics modes have their picture. */
	machine->vga.planes_used = true;
	vga_mode_changed(machine);
	if (!(number & VIDEO_KEEP))
		clear(machine, &mode->public);
	set_data(machine, mode, height, number);
	video_point(machine, VECTOR_FONT, ROM_SEGMENT, video_rom_font(height));
	video_point(machine, VECTOR_FONT_HIGH, ROM_SEGMENT, ROM_FONT8_UPPER);
	if (mode->public.kind == VIDEO_TEXT)
		video_load_font(machine, 0, 0, 256, height, ROM_BASE + video_rom_font(height));
	return true;
}

void video_power_on(struct machine *machine)
{
	*bios_byte(machine, VIDEO_OPTIONS) = 0x60;	/* 256 KiB; shapes of cursors are adapted */
	*bios_byte(machine, VIDEO_SWITCHES) = 0xf9;	/* a VGA with a colour screen */
	*bios_byte(machine, VIDEO_FLAGS) = 0x01 | VIDEO_400_LINES;
	*bios_byte(machine, VIDEO_COMBINATION) = 0x08;
	video_set_mode(machine, 0x03);
}

uint16_t video_rom_font(unsigned int height)
{
	return height <= 8 ? ROM_FONT8 : height <= 14 ? ROM_FONT14 : ROM_FONT16;
}

void video_load_font(struct machine *machine, unsigned int block, unsigned int first, unsigned int count,
		     unsigned int height, uint32_t from)
{
	/* Of blocks 4 to 7, which the EGA does not have, the VGA puts each behind one of the others. */
	uint8_t *font = machine->vga.plane[2] + (block & 3) * 0x4000u + (block >> 2 & 1) * 0x2000u;

	for (unsigned int i = first; i < first + count && i < 256; i++, from += height) {
		memset(font + i * FONT_SLOT, 0, FONT_SLOT);
		memory_read_physical(&machine->vcpu, from, font + i * FONT_SLOT, height <= FONT_SLOT ? height : FONT_SLOT);
	}
}

void video_set_height(struct machine *machine, unsigned int height)
{
	struct vga *vga = &machine->vga;
	unsigned int doubled = vga->crtc[CRTC_CELL_HEIGHT] & 0x80 ? 2 : 1;
	unsigned int lines = *bios_byte(machine, VIDEO_FLAGS) & (VIDEO_400_LINES | VIDEO_200_LINES) ? 400 : 350;
	unsigned int rows = lines / doubled / height;

	if (!rows || rows > 255)
		return;
	vga->crtc[CRTC_CELL_HEIGHT] = (uint8_t)((vga->crtc[CRTC_CELL_HEIGHT] & 0xe0) | (height - 1));
	vga_set_lines(vga, rows * height * doubled);
	*bios_byte(machine, VIDEO_LAST_ROW) = (uint8_t)(rows - 1);
	bios_set_word(machine, VIDEO_CELL_HEIGHT, (uint16_t)height);
	/* Of a page: the cells, and what fills it up to a multiple of 256. */
	bios_set_word(machine, VIDEO_PAGE_SIZE, (uint16_t)((rows * video_columns(machine) * 2 + 0xff) & ~0xffu));
	video_set_shape(machine, *bios_byte(machine, VIDEO_SHAPE + 1), *bios_byte(machine, VIDEO_SHAPE));
}

void video_point(struct machine *machine, unsigned int vector, uint16_t segment, uint16_t offset)
{
	const uint16_t pointer[2] = {offset, segment};

	memory_write_physical(&machine->vcpu, vector * sizeof(pointer), pointer, sizeof(pointer));
}
