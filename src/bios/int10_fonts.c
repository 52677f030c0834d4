/* INT 10h AH=11h, 12h, 1Ah and 1Bh: fonts, options, and what the screen is. */
#include <string.h>

#include "bios/int10.h"
#include "bios/rom.h"
#include "bios/video.h"
#include "machine.h"
#include "memory.h"

#define LOAD_OWN 0x00
#define LOAD_8X14 0x01
#define LOAD_8X8 0x02
#define SELECT_BLOCKS 0x03
#define LOAD_8X16 0x04
#define LOAD_AND_FIT 0x10 /* added to these: and the cells become as high as the characters */
#define GRAPHICS_HIGH 0x20
#define GRAPHICS_OWN 0x21
#define GRAPHICS_8X14 0x22
#define GRAPHICS_8X8 0x23
#define GRAPHICS_8X16 0x24
#define GET_FONT 0x30

#define FONT_HEIGHT_MAX 32

#define DISPLAY_VGA_COLOUR 0x08
#define STATE_BYTES 64

static enum bios_result load(struct bios_call *call)
{
	struct machine *machine = call->machine;
	unsigned int function = call->a.l % LOAD_AND_FIT, height = call->b.h;

	if (function == LOAD_OWN) {
		if (!height || height > FONT_HEIGHT_MAX)
			return BIOS_DONE;
		video_load_font(machine, call->b.l, call->d.x, call->c.x, height, (uint32_t)call->es_base + call->bp.x);
	} else {
		height = function == LOAD_8X14 ? 14 : function == LOAD_8X8 ? 8 : 16;
		video_load_font(machine, call->b.l, 0, 256, height, ROM_BASE + video_rom_font(height));
	}
	if (call->a.l >= LOAD_AND_FIT && video_mode(machine)->kind == VIDEO_TEXT)
		video_set_height(machine, height);
	return BIOS_DONE;
}

/* BL: 1, 2 and 3 are these rows; 0: DL are. */
static void set_graphics_font(struct bios_call *call, uint16_t segment, uint16_t offset, unsigned int height)
{
	static const uint8_t rows[] = {0, 14, 25, 43};
	unsigned int n = call->b.l < sizeof(rows) && call->b.l ? rows[call->b.l] : call->d.l;

	if (!height || height > FONT_HEIGHT_MAX || !n)
		return;
	video_point(call->machine, VECTOR_FONT, segment, offset);
	bios_set_word(call->machine, VIDEO_CELL_HEIGHT, (uint16_t)height);
	*bios_byte(call->machine, VIDEO_LAST_ROW) = (uint8_t)(n - 1);
}

static void get_vector(struct bios_call *call, unsigned int vector)
{
	uint16_t pointer[2] = {0};

	memory_read_physical(&call->machine->vcpu, vector * sizeof(pointer), pointer, sizeof(pointer));
	call->bp.x = pointer[0];
	call->es = pointer[1];
}

static enum bios_result get_font(struct bios_call *call)
{
	/* By BH; 5 and 7 are of characters 9 columns wide, which are the others with a blank one. */
	static const uint8_t heights[] = {0, 0, 14, 8, 8, 14, 16, 16};
	uint8_t which = call->b.h;

	if (which >= sizeof(heights))
		return BIOS_UNKNOWN;
	if (which < 2) {
		get_vector(call, which ? VECTOR_FONT : VECTOR_FONT_HIGH);
	} else {
		call->es = ROM_SEGMENT;
		call->bp.x = (uint16_t)(video_rom_font(heights[which]) + (which == 4 ? 128 * 8 : 0));
	}
	call->c.x = bios_word(call->machine, VIDEO_CELL_HEIGHT);
	call->d.l = *bios_byte(call->machine, VIDEO_LAST_ROW);
	return BIOS_DONE;
}

enum bios_result int10_fonts(struct bios_call *call)
{
	unsigned int height;

	switch (call->a.l) {
	case LOAD_OWN:
	case LOAD_8X14:
	case LOAD_8X8:
	case LOAD_8X16:
	case LOAD_AND_FIT + LOAD_OWN:
	case LOAD_AND_FIT + LOAD_8X14:
	case LOAD_AND_FIT + LOAD_8X8:
	case LOAD_AND_FIT + LOAD_8X16:
		return load(call);
	case SELECT_BLOCKS:
		call->machine->vga.sequencer[SEQUENCER_FONT] = call->b.l & 0x3f;
		return BIOS_DONE;
	case GRAPHICS_HIGH:
		video_point(call->machine, VECTOR_FONT_HIGH, call->es, call->bp.x);
		return BIOS_DONE;
	case GRAPHICS_OWN:
		set_graphics_font(call, call->es, call->bp.x, call->c.x);
		return BIOS_DONE;
	case GRAPHICS_8X14:
	case GRAPHICS_8X8:
	case GRAPHICS_8X16:
		height = call->a.l == GRAPHICS_8X14 ? 14 : call->a.l == GRAPHICS_8X8 ? 8 : 16;
		set_graphics_font(call, ROM_SEGMENT, video_rom_font(height), height);
		return BIOS_DONE;
	case GET_FONT:
		return get_font(call);
	default:
		return BIOS_UNKNOWN;
	}
}

static void set_bit(uint8_t *byte, uint8_t bit, bool on)
{
	*byte = (uint8_t)(on ? *byte | bit : *byte & ~bit);
}

/* The options that are only remembered for the next mode: AL=0 turns them on, as IBM has it, or off. */
enum bios_result int10_options(struct bios_call *call)
{
	struct machine *machine = call->machine;
	uint8_t *flags = bios_byte(machine, VIDEO_FLAGS);
	uint8_t value = call->a.l;

	switch (call->b.l) {
	case 0x10: /* the EGA's memory (256 KiB) and switches */
		call->b.h = !(machine->vga.misc & VGA_MISC_COLOUR);
		call->b.l = 3;
		call->c.h = *bios_byte(machine, VIDEO_SWITCHES) >> 4;
		call->c.l = *bios_byte(machine, VIDEO_SWITCHES) & 0x0f;
		return BIOS_DONE;
	case 0x20: /* another print-screen routine: there is none at all */
		return BIOS_DONE;
	case 0x30: /* lines of text modes: 200, 350, 400 */
		if (value > 2)
			return BIOS_DONE;
		set_bit(flags, VIDEO_200_LINES, value == 0);
		set_bit(flags, VIDEO_400_LINES, value == 2);
		break;
	case 0x31: /* modes set the palette */
		set_bit(flags, VIDEO_KEEP_PALETTE, value & 1);
		break;
	case 0x33: /* they make it grey */
		set_bit(flags, VIDEO_GREY, !(value & 1));
		break;
	case 0x34: /* shapes of cursors are adapted */
		set_bit(bios_byte(machine, VIDEO_OPTIONS), 0x01, value & 1);
		break;
	case 0x32: /* the guest reaches the registers and the memory: always */
	case 0x35: /* two displays take turns: there is one */
		break;
	case 0x36:
		set_bit(&machine->vga.sequencer[SEQUENCER_CLOCKING], 0x20, value & 1);
		break;
	default:
		return BIOS_UNKNOWN;
	}
	call->a.l = 0x12;
	return BIOS_DONE;
}

enum bios_result int10_combination(struct bios_call *call)
{
	if (call->a.l == 0)
		call->b.x = DISPLAY_VGA_COLOUR; /* and no second one */
	else if (call->a.l != 1)
		return BIOS_UNKNOWN;
	call->a.l = 0x1a;
	return BIOS_DONE;
}

/* The table of 64 bytes (RBIL, table 00040). */
enum bios_result int10_state(struct bios_call *call)
{
	struct machine *machine = call->machine;
	const struct video_mode *mode = video_mode(machine);
	unsigned int lines = vga_lines(&machine->vga);
	uint8_t table[STATE_BYTES] = {ROM_VIDEO_ABILITIES & 0xff, ROM_VIDEO_ABILITIES >> 8, ROM_SEGMENT & 0xff,
				      ROM_SEGMENT >> 8};

	if (call->b.x)
		return BIOS_UNKNOWN;
	/* The BIOS data area from the mode to the CGA's colours. */
	memcpy(table + 0x04, bios_byte(machine, VIDEO_MODE), VIDEO_CGA_COLOURS - VIDEO_MODE + 1);
	table[0x22] = (uint8_t)video_rows(machine);
	memcpy(table + 0x23, bios_byte(machine, VIDEO_CELL_HEIGHT), 2);
	table[0x25] = DISPLAY_VGA_COLOUR;
	/* 256 colours are 0 in the upper byte. */
	table[0x27] = mode->kind == VIDEO_TEXT ? 16 : (uint8_t)(1u << mode->bits);
	table[0x28] = mode->bits == 8;
	table[0x29] = mode->pages;
	table[0x2a] = lines <= 200 ? 0 : lines <= 350 ? 1 : lines <= 400 ? 2 : 3;
	table[0x2d] = 0x01; /* all modes on all displays */
	table[0x31] = 3;    /* 256 KiB */
	for (unsigned int i = 0; i < sizeof(table); i++)
		memory_write(&machine->vcpu, call->es_base + (uint16_t)(call->di.x + i), &table[i], 1);
	call->a.l = 0x1b;
	return BIOS_DONE;
}
