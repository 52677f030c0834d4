#include "devices/vga.h"

#include <string.h>

#include "devices/devices.h"
#include "machine.h"

/* A line takes this long, at 31.5 kHz; of it the picture the first part. */
#define LINE_TIME 31778ull
#define LINE_SHOWN 25422ull

/* The first of the two lines of vertical retrace is this far behind the picture. */
#define RETRACE_DELAY 12
#define RETRACE_LINES 2

#define STATUS_BLANK 0x01   /* no picture now */
#define STATUS_RETRACE 0x08 /* vertical retrace */

/*
 * Guests wait for a retrace by reading the status over and over. The first reads are near enough to each other to
 * see a line's end; after them time goes on faster, but no farther than to the next edge of a vertical retrace.
 */
#define POLL_STEP (4 * CLOCK_MICROSECOND)
#define POLLS_NEAR 10
#define POLLS_DOUBLED 10

#define PROTECT 0x80 /* of CRTC_RETRACE_END */
#define OVERFLOW_COMPARE 0x10

void vga_reset(struct machine *machine)
{
	struct vga *vga = &machine->vga;

	if (vga->planes_used)
		memset(vga->plane, 0, sizeof(vga->plane));
	memset(vga, 0, offsetof(struct vga, plane));
	vga->misc = VGA_MISC_COLOUR;
	vga->dac_mask = 0xff;
}

void vga_make_grey(uint8_t colour[3])
{
	unsigned int grey = (77u * colour[0] + 151u * colour[1] + 28u * colour[2] + 128u) >> 8;

	memset(colour, (int)grey, 3);
}

unsigned int vga_start(const struct vga *vga)
{
	return (unsigned int)vga->crtc[CRTC_START_HIGH] << 8 | vga->crtc[CRTC_START_LOW];
}

unsigned int vga_cursor(const struct vga *vga)
{
	return (unsigned int)vga->crtc[CRTC_CURSOR_HIGH] << 8 | vga->crtc[CRTC_CURSOR_LOW];
}

void vga_set_start(struct vga *vga, unsigned int start)
{
	vga->crtc[CRTC_START_HIGH] = (uint8_t)(start >> 8);
	vga->crtc[CRTC_START_LOW] = (uint8_t)start;
}

void vga_set_cursor(struct vga *vga, unsigned int cell)
{
	vga->crtc[CRTC_CURSOR_HIGH] = (uint8_t)(cell >> 8);
	vga->crtc[CRTC_CURSOR_LOW] = (uint8_t)cell;
}

unsigned int vga_lines(const struct vga *vga)
{
	uint8_t overflow = vga->crtc[CRTC_OVERFLOW];

	return (vga->crtc[CRTC_DISPLAY_END] | (overflow & 0x02u) << 7 | (overflow & 0x40u) << 3) + 1;
}

void vga_set_lines(struct vga *vga, unsigned int lines)
{
	unsigned int end = lines - 1;

	vga->crtc[CRTC_DISPLAY_END] = (uint8_t)end;
	vga->crtc[CRTC_OVERFLOW] &= (uint8_t)~0x42u;
	vga->crtc[CRTC_OVERFLOW] |= (uint8_t)((end >> 7 & 0x02) | (end >> 3 & 0x40));
}

unsigned int vga_cell_lines(const struct vga *vga)
{
	return ((vga->crtc[CRTC_CELL_HEIGHT] & 0x1f) + 1u) * (vga->crtc[CRTC_CELL_HEIGHT] & 0x80 ? 2 : 1);
}

unsigned int vga_split_line(const struct vga *vga)
{
	return (vga->crtc[CRTC_COMPARE] | (vga->crtc[CRTC_OVERFLOW] & 0x10u) << 4 |
		(vga->crtc[CRTC_CELL_HEIGHT] & 0x40u) << 3) + 1u;
}

uint8_t vga_colour(const struct vga *vga, unsigned int index)
{
	uint8_t select = vga->attribute[ATTRIBUTE_SELECT];
	unsigned int colour = vga->attribute[index] & 0x3f;

	if (vga->attribute[ATTRIBUTE_MODE] & 0x80)
		colour = (colour & 0x0f) | (select & 3u) << 4;
	return (uint8_t)((colour | (select & 0x0cu) << 4) & vga->dac_mask);
}

/* Bit 5: the palette with blue in it; bit 4: bright; bits 3-0: the background, or the colour of 640x200. */
void vga_cga_colours(struct vga *vga, uint8_t value)
{
	uint8_t bright = value & 0x10, blue = value >> 5 & 1;

	vga->cga_colours = value;
	if (!vga_is_graphics(vga))
		return;
	if (vga->graphics[GRAPHICS_MODE] & 0x20) {
		for (uint8_t i = 1; i < 4; i++)
			vga->attribute[i] = (uint8_t)(2 * i | blue | bright);
		vga->attribute[0] = (uint8_t)((value & 7) | (value & 8) << 1);
	}
}

static uint64_t frame_lines(const struct vga *vga, unsigned int *shown)
{
	bool high = (vga->misc & 0xc0) == 0xc0; /* 480 lines, 60 times a second; else 70 times */

	*shown = high ? 480 : 400;
	return high ? 525 : 449;
}

/* The status at a time, and how long it is to the next edge of a vertical retrace. */
static uint8_t status_at(const struct vga *vga, uint64_t now, uint64_t *edge)
{
	unsigned int shown;
	uint64_t lines = frame_lines(vga, &shown), frame = lines * LINE_TIME, at = now % frame;
	uint64_t begin = (shown + RETRACE_DELAY) * LINE_TIME, end = begin + RETRACE_LINES * LINE_TIME;
	uint8_t status = 0;

	if (at / LINE_TIME >= shown || at % LINE_TIME >= LINE_SHOWN)
		status |= STATUS_BLANK;
	if (at >= begin && at < end)
		status |= STATUS_RETRACE;
	*edge = at < begin ? begin - at : at < end ? end - at : frame + begin - at;
	return status;
}

static uint8_t poll_status(struct machine *machine)
{
	struct vga *vga = &machine->vga;
	uint64_t edge, step = POLL_STEP;
	uint8_t status = status_at(vga, machine->clock.now, &edge);

	if (machine->clock.now - vga->polled_at > CLOCK_PORT_ACCESS || (status ^ vga->status) & STATUS_RETRACE)
		vga->polls = 0;
	if (vga->polls > POLLS_NEAR) {
		unsigned int doubled = vga->polls - POLLS_NEAR;

		step <<= doubled < POLLS_DOUBLED ? doubled : POLLS_DOUBLED;
	}
	clock_advance(machine, step < edge ? step : edge);
	vga->polls++;
	vga->polled_at = machine->clock.now;
	vga->status = status;
	return status;
}

static void write_attribute(struct vga *vga, uint8_t value)
{
	uint8_t index = vga->attribute_index & 0x1f;

	vga->attribute_data = !vga->attribute_data;
	if (vga->attribute_data)
		vga->attribute_index = value & 0x3f;
	else if (index < ATTRIBUTE_REGISTERS)
		vga->attribute[index] = index < ATTRIBUTE_MODE ? value & 0x3f : value;
}

static void write_crtc(struct vga *vga, uint8_t value)
{
	uint8_t index = vga->crtc_index;

	if (index >= CRTC_REGISTERS)
		return;
	if (index <= CRTC_OVERFLOW && vga->crtc[CRTC_RETRACE_END] & PROTECT) {
		if (index != CRTC_OVERFLOW)
			return;
		value = (uint8_t)((vga->crtc[index] & ~OVERFLOW_COMPARE) | (value & OVERFLOW_COMPARE));
	}
	vga->crtc[index] = value;
}

static void write_sequencer(struct machine *machine, uint8_t value)
{
	struct vga *vga = &machine->vga;

	if (vga->sequencer_index >= SEQUENCER_REGISTERS)
		return;
	vga->sequencer[vga->sequencer_index] = value;
	if (vga->sequencer_index == SEQUENCER_MAP_MASK || vga->sequencer_index == SEQUENCER_MEMORY)
		vga_mode_changed(machine);
}

static void write_graphics(struct machine *machine, uint8_t value)
{
	struct vga *vga = &machine->vga;

	if (vga->graphics_index >= GRAPHICS_REGISTERS)
		return;
	vga->graphics[vga->graphics_index] = value;
	if (vga->graphics_index >= GRAPHICS_READ_MAP && vga->graphics_index <= GRAPHICS_MISC)
		vga_mode_changed(machine);
}

static void write_dac(struct vga *vga, uint8_t value)
{
	vga->dac_parts[vga->dac_part++] = value & 0x3f;
	if (vga->dac_part < 3)
		return;
	memcpy(vga->dac[vga->dac_write++], vga->dac_parts, 3);
	vga->dac_part = 0;
}

static uint8_t read_dac(struct vga *vga)
{
	uint8_t value = vga->dac[vga->dac_read][vga->dac_part++];

	if (vga->dac_part == 3) {
		vga->dac_part = 0;
		vga->dac_read++;
	}
	return value;
}

static void begin_dac(struct vga *vga, uint8_t *index, uint8_t value, uint8_t state)
{
	*index = value;
	vga->dac_part = 0;
	vga->dac_state = state;
}

static void write_register(struct machine *machine, uint16_t port, uint8_t value)
{
	struct vga *vga = &machine->vga;

	switch (port) {
	case 0x3c0: write_attribute(vga, value); break;
	case 0x3c2: vga->misc = value; break;
	case 0x3c3: vga->enable = value; break;
	case 0x3c4: vga->sequencer_index = value & 7; break;
	case 0x3c5: write_sequencer(machine, value); break;
	case 0x3c6: vga->dac_mask = value; break;
	case 0x3c7: begin_dac(vga, &vga->dac_read, value, 3); break;
	case 0x3c8: begin_dac(vga, &vga->dac_write, value, 0); break;
	case 0x3c9: write_dac(vga, value); break;
	case 0x3ce: vga->graphics_index = value & 15; break;
	case 0x3cf: write_graphics(machine, value); break;
	case 0x3d4: vga->crtc_index = value & 0x1f; break;
	case 0x3d5: write_crtc(vga, value); break;
	case 0x3d8: vga->cga_mode = value; break;
	case 0x3d9: vga_cga_colours(vga, value); break;
	case 0x3da: vga->feature = value; break;
	}
}

static uint8_t read_register(struct machine *machine, uint16_t port)
{
	struct vga *vga = &machine->vga;
	uint8_t attribute = vga->attribute_index & 0x1f;

	switch (port) {
	case 0x3c0: return vga->attribute_index;
	case 0x3c1: return attribute < ATTRIBUTE_REGISTERS ? vga->attribute[attribute] : 0;
	case 0x3c2: return 0x10; /* a colour monitor is there */
	case 0x3c3: return vga->enable;
	case 0x3c4: return vga->sequencer_index;
	case 0x3c5: return vga->sequencer_index < SEQUENCER_REGISTERS ? vga->sequencer[vga->sequencer_index] : 0;
	case 0x3c6: return vga->dac_mask;
	case 0x3c7: return vga->dac_state;
	case 0x3c8: return vga->dac_write;
	case 0x3c9: return read_dac(vga);
	case 0x3ca: return vga->feature;
	case 0x3cc: return vga->misc;
	case 0x3ce: return vga->graphics_index;
	case 0x3cf: return vga->graphics_index < GRAPHICS_REGISTERS ? vga->graphics[vga->graphics_index] : 0;
	case 0x3d4: return vga->crtc_index;
	case 0x3d5: return vga->crtc_index < CRTC_REGISTERS ? vga->crtc[vga->crtc_index] : 0;
	case 0x3da:
		vga->attribute_data = false;
		return poll_status(machine);
	default: return 0xff;
	}
}

/* The ports of the CRT controller and the status register are at 3Dx, or for a monochrome screen at 3Bx. */
void vga_access(struct machine *machine, const struct port_access *access)
{
	bool colour = machine->vga.misc & VGA_MISC_COLOUR;
	uint16_t port = access->port;

	if (port < 0x3c0 || port >= 0x3d0) {
		if (colour != (port >= 0x3d0)) {
			if (!access->write)
				*access->data = 0xff;
			return;
		}
		port = (uint16_t)(port < 0x3c0 ? port + 0x20 : port);
	}
	if (access->write)
		write_register(machine, port, *access->data);
	else
		*access->data = read_register(machine, port);
}
