/* INT 10h: the screen. */
#include "bios/int10.h"

#include "bios/video.h"
#include "machine.h"
#include "memory.h"

#define STRING_MOVE 0x01       /* of AH=13h: the cursor goes to the end */
#define STRING_ATTRIBUTES 0x02 /* an attribute behind each character */

static enum bios_result set_mode(struct bios_call *call)
{
	uint8_t mode = call->a.l & (uint8_t)~VIDEO_KEEP;

	if (!video_set_mode(call->machine, call->a.l))
		return BIOS_UNKNOWN;
	/* Not IBM's, but many BIOSes' and therefore some programs'. */
	call->a.l = mode > 7 ? 0x20 : mode == 6 ? 0x3f : 0x30;
	return BIOS_DONE;
}

static enum bios_result set_shape(struct bios_call *call)
{
	video_set_shape(call->machine, call->c.h, call->c.l);
	return BIOS_DONE;
}

static enum bios_result set_cursor(struct bios_call *call)
{
	video_set_cursor(call->machine, call->b.h, call->d.l, call->d.h);
	return BIOS_DONE;
}

static enum bios_result get_cursor(struct bios_call *call)
{
	call->c.x = bios_word(call->machine, VIDEO_SHAPE);
	call->d.x = bios_word(call->machine, VIDEO_CURSORS + 2 * (call->b.h % VIDEO_PAGES));
	return BIOS_DONE;
}

static enum bios_result read_light_pen(struct bios_call *call)
{
	call->a.h = 0; /* none */
	return BIOS_DONE;
}

static enum bios_result set_page(struct bios_call *call)
{
	video_set_page(call->machine, call->a.l);
	return BIOS_DONE;
}

static enum bios_result scroll(struct bios_call *call)
{
	video_scroll(call->machine, call->a.h == 0x06, call->a.l, call->b.h, call->c.l, call->c.h, call->d.l,
		     call->d.h);
	return BIOS_DONE;
}

static enum bios_result read_character(struct bios_call *call)
{
	call->a.x = video_read(call->machine, call->b.h);
	return BIOS_DONE;
}

/* With 256 colours there is one page, and BH is the background. */
static enum bios_result write_characters(struct bios_call *call)
{
	bool linear = video_mode(call->machine)->kind == VIDEO_LINEAR;

	video_write(call->machine, linear ? 0 : call->b.h, call->a.l, call->b.l, call->a.h == 0x09, call->c.x,
		    linear ? call->b.h : 0);
	return BIOS_DONE;
}

static enum bios_result write_pixel(struct bios_call *call)
{
	video_set_pixel(call->machine, call->b.h, call->c.x, call->d.x, call->a.l);
	return BIOS_DONE;
}

static enum bios_result read_pixel(struct bios_call *call)
{
	call->a.l = video_pixel(call->machine, call->b.h, call->c.x, call->d.x);
	return BIOS_DONE;
}

/* On the page that is shown: BIOSes do not look at BH, and many programs do not set it. */
static enum bios_result teletype(struct bios_call *call)
{
	video_teletype(call->machine, *bios_byte(call->machine, VIDEO_PAGE), call->a.l, call->b.l, false);
	return BIOS_DONE;
}

static enum bios_result get_mode(struct bios_call *call)
{
	struct machine *machine = call->machine;

	call->a.l = *bios_byte(machine, VIDEO_MODE) | (*bios_byte(machine, VIDEO_OPTIONS) & VIDEO_KEEP);
	call->a.h = (uint8_t)bios_word(machine, VIDEO_COLUMNS);
	call->b.h = *bios_byte(machine, VIDEO_PAGE);
	return BIOS_DONE;
}

static enum bios_result write_string(struct bios_call *call)
{
	struct machine *machine = call->machine;
	unsigned int page = call->b.h % VIDEO_PAGES, step = call->a.l & STRING_ATTRIBUTES ? 2 : 1;
	const uint8_t *cursor = bios_byte(machine, VIDEO_CURSORS + 2 * page);
	const uint8_t before[2] = {cursor[0], cursor[1]};
	uint16_t at = call->bp.x;

	/* Row 255: from the cursor on. */
	if (call->d.h != 0xff)
		video_set_cursor(machine, page, call->d.l, call->d.h);
	for (unsigned int i = 0; i < call->c.x; i++, at = (uint16_t)(at + step)) {
		uint8_t character = 0, attribute = call->b.l;

		memory_read(&machine->vcpu, call->es_base + at, &character, 1);
		if (step == 2)
			memory_read(&machine->vcpu, call->es_base + (uint16_t)(at + 1), &attribute, 1);
		video_teletype(machine, page, character, attribute, true);
	}
	if (!(call->a.l & STRING_MOVE))
		video_set_cursor(machine, page, before[0], before[1]);
	return BIOS_DONE;
}

/* Programs ask whether somebody is there by functions that a VGA does not have, and look at what comes back. */
static enum bios_result ignore(struct bios_call *call)
{
	(void)call;
	return BIOS_DONE;
}

const struct bios_service int10_services[] = {
	{0x00, "set video mode", set_mode},
	{0x01, "set cursor shape", set_shape},
	{0x02, "set cursor position", set_cursor},
	{0x03, "get cursor position", get_cursor},
	{0x04, "read light pen", read_light_pen},
	{0x05, "select page", set_page},
	{0x06, "scroll up", scroll},
	{0x07, "scroll down", scroll},
	{0x08, "read character", read_character},
	{0x09, "write characters and attribute", write_characters},
	{0x0a, "write characters", write_characters},
	{0x0b, "set CGA colours", int10_cga_colours},
	{0x0c, "write pixel", write_pixel},
	{0x0d, "read pixel", read_pixel},
	{0x0e, "write character", teletype},
	{0x0f, "get video mode", get_mode},
	{0x10, "colours", int10_colours},
	{0x11, "fonts", int10_fonts},
	{0x12, "video options", int10_options},
	{0x13, "write string", write_string},
	{0x1a, "display combination", int10_combination},
	{0x1b, "video state", int10_state},
	{0x1c, "save video state", ignore},
	{0x4f, "VESA", ignore},
	{0x6f, "Video7", ignore},
	{0xbf, "Compaq", ignore},
	{0xcc, "UltraVision", ignore},
	{0xef, "Hercules", ignore},
	{0xf0, "EGA registers of a mouse", ignore},
	{0xfa, "EGA registers of a mouse", ignore},
	{0xfe, "get shadow buffer", ignore},
	{0xff, "update shadow buffer", ignore},
	{0},
};
