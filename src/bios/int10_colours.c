/* INT 10h AH=0Bh and AH=10h: the palette and the DAC. */
#include <string.h>

#include "bios/int10.h"
#include "bios/video.h"
#include "machine.h"
#include "memory.h"

#define PALETTE_BYTES 17 /* the 16 colours and that of the border */

enum bios_result int10_cga_colours(struct bios_call *call)
{
	struct machine *machine = call->machine;
	struct vga *vga = &machine->vga;
	uint8_t *value = bios_byte(machine, VIDEO_CGA_COLOURS);

	if (call->b.h == 0) {
		*value = (uint8_t)((*value & ~0x1f) | (call->b.l & 0x1f));
		vga->attribute[ATTRIBUTE_OVERSCAN] = (uint8_t)((call->b.l & 7) | (call->b.l & 8) << 1);
	} else if (call->b.h == 1) {
		*value = (uint8_t)((*value & ~0x20) | (call->b.l & 1) << 5);
	} else {
		return BIOS_UNKNOWN;
	}
	vga_cga_colours(vga, *value);
	return BIOS_DONE;
}

static void set_palette(struct vga *vga, unsigned int index, uint8_t colour)
{
	if (index < ATTRIBUTE_REGISTERS)
		vga->attribute[index] = index < ATTRIBUTE_MODE ? colour & 0x3f : colour;
}

static enum bios_result set_one(struct bios_call *call)
{
	set_palette(&call->machine->vga, call->b.l, call->b.h);
	return BIOS_DONE;
}

static enum bios_result set_border(struct bios_call *call)
{
	set_palette(&call->machine->vga, ATTRIBUTE_OVERSCAN, call->b.h);
	return BIOS_DONE;
}

static uint64_t table_at(const struct bios_call *call, unsigned int offset)
{
	return call->es_base + (uint16_t)(call->d.x + offset);
}

static enum bios_result set_all(struct bios_call *call)
{
	for (unsigned int i = 0; i < PALETTE_BYTES; i++) {
		uint8_t colour = 0;

		memory_read(&call->machine->vcpu, table_at(call, i), &colour, 1);
		set_palette(&call->machine->vga, i < 16 ? i : ATTRIBUTE_OVERSCAN, colour);
	}
	return BIOS_DONE;
}

static enum bios_result get_all(struct bios_call *call)
{
	struct vga *vga = &call->machine->vga;

	for (unsigned int i = 0; i < PALETTE_BYTES; i++)
		memory_write(&call->machine->vcpu, table_at(call, i),
			     &vga->attribute[i < 16 ? i : ATTRIBUTE_OVERSCAN], 1);
	return BIOS_DONE;
}

static enum bios_result set_blinking(struct bios_call *call)
{
	uint8_t *mode = &call->machine->vga.attribute[ATTRIBUTE_MODE];
	uint8_t *cga_mode = bios_byte(call->machine, VIDEO_CGA_MODE);

	*mode = (uint8_t)((*mode & ~VGA_BLINK) | (call->b.l & 1 ? VGA_BLINK : 0));
	*cga_mode = (uint8_t)((*cga_mode & ~0x20) | (call->b.l & 1) << 5);
	return BIOS_DONE;
}

static enum bios_result get_one(struct bios_call *call)
{
	call->b.h = call->b.l < ATTRIBUTE_REGISTERS ? call->machine->vga.attribute[call->b.l] : 0;
	return BIOS_DONE;
}

static enum bios_result get_border(struct bios_call *call)
{
	call->b.h = call->machine->vga.attribute[ATTRIBUTE_OVERSCAN];
	return BIOS_DONE;
}

static enum bios_result set_dac(struct bios_call *call)
{
	uint8_t *colour = call->machine->vga.dac[call->b.l];

	colour[0] = call->d.h & 0x3f;
	colour[1] = call->c.h & 0x3f;
	colour[2] = call->c.l & 0x3f;
	return BIOS_DONE;
}

static enum bios_result get_dac(struct bios_call *call)
{
	const uint8_t *colour = call->machine->vga.dac[call->b.l];

	call->d.h = colour[0];
	call->c.h = colour[1];
	call->c.l = colour[2];
	return BIOS_DONE;
}

/* Of a table in the guest's memory, three bytes a colour. */
static enum bios_result copy_dac(struct bios_call *call)
{
	uint8_t *dac = call->machine->vga.dac[0];

	for (unsigned int i = 0; i < 3u * call->c.x && call->b.l * 3u + i < 3 * VGA_COLOURS; i++) {
		uint8_t *part = &dac[call->b.l * 3u + i];

		if (call->a.l == 0x17)
			memory_write(&call->machine->vcpu, table_at(call, i), part, 1);
		else if (memory_read(&call->machine->vcpu, table_at(call, i), part, 1) == 1)
			*part &= 0x3f;
	}
	return BIOS_DONE;
}

/* Bit 7 of the attribute mode: colours are in 16 groups of 16, else in 4 of 64. */
static enum bios_result select_group(struct bios_call *call)
{
	uint8_t *mode = &call->machine->vga.attribute[ATTRIBUTE_MODE];
	uint8_t *select = &call->machine->vga.attribute[ATTRIBUTE_SELECT];

	if (call->b.l == 0)
		*mode = (uint8_t)((*mode & 0x7f) | call->b.h << 7);
	else
		*select = *mode & 0x80 ? call->b.h & 0x0f : (uint8_t)((call->b.h & 3) << 2);
	return BIOS_DONE;
}

static enum bios_result get_group(struct bios_call *call)
{
	const struct vga *vga = &call->machine->vga;

	call->b.l = vga->attribute[ATTRIBUTE_MODE] >> 7;
	call->b.h = vga->attribute[ATTRIBUTE_SELECT];
	if (!call->b.l)
		call->b.h >>= 2;
	return BIOS_DONE;
}

static enum bios_result set_mask(struct bios_call *call)
{
	call->machine->vga.dac_mask = call->b.l;
	return BIOS_DONE;
}

static enum bios_result get_mask(struct bios_call *call)
{
	call->b.l = call->machine->vga.dac_mask;
	return BIOS_DONE;
}

static enum bios_result make_grey(struct bios_call *call)
{
	struct vga *vga = &call->machine->vga;

	for (unsigned int i = call->b.l; i < VGA_COLOURS && i < call->b.l + (unsigned int)call->c.x; i++)
		vga_make_grey(vga->dac[i]);
	return BIOS_DONE;
}

/* By AL. */
enum bios_result int10_colours(struct bios_call *call)
{
	static enum bios_result (*const functions[])(struct bios_call *call) = {
		[0x00] = set_one,  [0x01] = set_border, [0x02] = set_all,  [0x03] = set_blinking,
		[0x07] = get_one,  [0x08] = get_border, [0x09] = get_all,  [0x10] = set_dac,
		[0x12] = copy_dac, [0x13] = select_group, [0x15] = get_dac, [0x17] = copy_dac,
		[0x18] = set_mask, [0x19] = get_mask,	[0x1a] = get_group, [0x1b] = make_grey,
	};

	if (call->a.l >= sizeof(functions) / sizeof(*functions) || !functions[call->a.l])
		return BIOS_UNKNOWN;
	return functions[call->a.l](call);
}
