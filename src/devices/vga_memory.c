#include "devices/vga_memory.h"

#include <string.h>

#include "machine.h"

#define MAP_SHIFT 2 /* in GRAPHICS_MISC */
#define WINDOW_SIZE 0x20000u /* from VGA_MEMORY on: all that a VGA's memory may be in */
#define CHAIN_4 0x08	  /* in SEQUENCER_MEMORY */
#define NOT_ODD_EVEN 0x04
#define READ_COMPARES 0x08 /* in GRAPHICS_MODE */
#define READ_ODD_EVEN 0x10

enum { ROTATED, LATCHES, COLOUR, MASKED }; /* write modes */

/* Where each setting of GRAPHICS_MISC has the memory, from VGA_MEMORY on. */
static const struct map {
	uint32_t start, size;
} maps[] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};

static const struct map *current_map(const struct vga *vga)
{
	return &maps[vga->graphics[GRAPHICS_MISC] >> MAP_SHIFT & 3];
}

static bool is_at_a0000(const struct vga *vga)
{
	return !current_map(vga)->start;
}

static uint8_t fill(bool set)
{
	return set ? 0xff : 0;
}

static uint8_t rotate(const struct vga *vga, uint8_t value)
{
	unsigned int count = vga->graphics[GRAPHICS_ROTATE] & 7;

	return (uint8_t)(value >> count | value << (8 - count));
}

/* With the latches, then where the mask has bits. */
static uint8_t combine(const struct vga *vga, unsigned int plane, uint8_t value, uint8_t mask)
{
	uint8_t latch = vga->latch[plane];

	switch (vga->graphics[GRAPHICS_ROTATE] >> 3 & 3) {
	case 1: value &= latch; break;
	case 2: value |= latch; break;
	case 3: value ^= latch; break;
	}
	return (uint8_t)((value & mask) | (latch & ~mask));
}

static uint8_t written(const struct vga *vga, unsigned int plane, uint8_t value)
{
	uint8_t mask = vga->graphics[GRAPHICS_BIT_MASK];
	uint8_t colour = fill(vga->graphics[GRAPHICS_SET_RESET] >> plane & 1);

	switch (vga->graphics[GRAPHICS_MODE] & 3) {
	case LATCHES:
		return vga->latch[plane];
	case COLOUR:
		return combine(vga, plane, fill(value >> plane & 1), mask);
	case MASKED:
		return combine(vga, plane, colour, mask & rotate(vga, value));
	default:
		value = rotate(vga, value);
		if (vga->graphics[GRAPHICS_ENABLE_SET_RESET] >> plane & 1)
			value = colour;
		return combine(vga, plane, value, mask);
	}
}

/* Even addresses are in planes 0 and 2 then, odd ones in 1 and 3. */
static bool is_odd_even(const struct vga *vga)
{
	return !(vga->sequencer[SEQUENCER_MEMORY] & NOT_ODD_EVEN);
}

void vga_memory_write(struct vga *vga, uint32_t offset, uint8_t value)
{
	unsigned int planes = vga->sequencer[SEQUENCER_MAP_MASK];

	offset %= VGA_PLANE_SIZE;
	if (is_odd_even(vga)) {
		planes &= offset & 1 ? 0xau : 0x5u;
		offset &= ~1u;
	}
	vga->planes_used = true;
	for (unsigned int plane = 0; plane < VGA_PLANES; plane++) {
		if (planes >> plane & 1)
			vga->plane[plane][offset] = written(vga, plane, value);
	}
}

/* The dots whose colour is the one that is looked for, in the planes that matter. */
static uint8_t compare(const struct vga *vga, uint32_t offset)
{
	uint8_t same = 0xff;

	for (unsigned int plane = 0; plane < VGA_PLANES; plane++) {
		if (vga->graphics[GRAPHICS_DONT_CARE] >> plane & 1)
			same &= (uint8_t)~(vga->plane[plane][offset] ^
					   fill(vga->graphics[GRAPHICS_COMPARE] >> plane & 1));
	}
	return same;
}

uint8_t vga_memory_peek(const struct vga *vga, uint32_t offset)
{
	unsigned int plane = vga->graphics[GRAPHICS_READ_MAP] & 3u;

	offset %= VGA_PLANE_SIZE;
	if (vga->graphics[GRAPHICS_MODE] & READ_ODD_EVEN) {
		plane = (plane & 2) | (offset & 1);
		offset &= ~1u;
	}
	if (vga->graphics[GRAPHICS_MODE] & READ_COMPARES)
		return compare(vga, offset);
	return vga->plane[plane][offset];
}

uint8_t vga_memory_read(struct vga *vga, uint32_t offset)
{
	uint32_t latched = offset % VGA_PLANE_SIZE;

	if (vga->graphics[GRAPHICS_MODE] & READ_ODD_EVEN)
		latched &= ~1u;
	for (unsigned int plane = 0; plane < VGA_PLANES; plane++)
		vga->latch[plane] = vga->plane[plane][latched];
	return vga_memory_peek(vga, offset);
}

/* Where the planes are not is the memory that other modes have there. */
static void access(void *opaque, uint64_t offset, uint8_t *data, size_t len, enum window_access how)
{
	struct machine *machine = opaque;
	struct vga *vga = &machine->vga;
	const struct map *map = current_map(vga);

	for (size_t i = 0; i < len; i++) {
		uint8_t *memory = machine->vm.memory + VGA_MEMORY + offset + i;
		uint32_t at = (uint32_t)(offset + i) - map->start;

		if (at >= map->size && how == WINDOW_WRITE)
			*memory = data[i];
		else if (at >= map->size)
			data[i] = *memory;
		else if (how == WINDOW_WRITE)
			vga_memory_write(vga, at, data[i]);
		else
			data[i] = how == WINDOW_READ ? vga_memory_read(vga, at) : vga_memory_peek(vga, at);
	}
}

/*
 * Chained, the four planes are one piece of memory, with a dot's plane in the address's lowest bits. A picture
 * lasts over the switch, as on a VGA.
 */
static void copy_chained(struct vga *vga, uint8_t *memory, bool to_planes)
{
	for (uint32_t i = 0; i < VGA_PLANE_SIZE; i++) {
		uint8_t *dot = &vga->plane[i % VGA_PLANES][i / VGA_PLANES];

		if (to_planes)
			*dot = memory[i];
		else
			memory[i] = *dot;
	}
	vga->planes_used |= to_planes;
}

/*
 * The planes are accessed one by one: at A0000, or in a text mode where the text is, by programs that put a font there.
 * The CGA's modes look like that, too, but have one plane only.
 */
static bool is_planar(const struct vga *vga)
{
	if (vga->sequencer[SEQUENCER_MEMORY] & CHAIN_4)
		return false;
	return is_at_a0000(vga) || (!is_odd_even(vga) && !vga_is_graphics(vga));
}

void vga_mode_changed(struct machine *machine)
{
	struct vga *vga = &machine->vga;
	struct vm *vm = &machine->vm;
	const struct window window = {.start = VGA_MEMORY, .size = WINDOW_SIZE, .access = access, .opaque = machine};
	bool chained = vga->sequencer[SEQUENCER_MEMORY] & CHAIN_4, planar = is_planar(vga);
	int result = 0;

	if (planar && !vm->window.size) {
		uint8_t *memory = vm_host(vm, VGA_MEMORY, NULL);

		if (vga->chained)
			copy_chained(vga, memory, true);
		result = vm_open_window(vm, &window);
	} else if (!planar && vm->window.size) {
		result = vm_close_window(vm);
		if (chained && !result)
			copy_chained(vga, vm_host(vm, VGA_MEMORY, NULL), false);
	}
	vga->chained = is_at_a0000(vga) && chained && vga_is_graphics(vga);
	if (result)
		machine_say(machine, "the VGA's memory cannot be switched to %s: %s", planar ? "planes" : "one piece",
			    strerror(-result));
}
