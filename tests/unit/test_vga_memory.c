/* The VGA's planar memory: write modes, read modes, latches. */
#include <stdlib.h>
#include <string.h>

#include "devices/vga_memory.h"
#include "tap.h"

static struct vga vga;

/* As mode 12h has it, with the same byte in all planes at the address that is used. */
#define AT 100u

static void begin(uint8_t p0, uint8_t p1, uint8_t p2, uint8_t p3)
{
	memset(&vga, 0, sizeof(vga));
	vga.sequencer[SEQUENCER_MAP_MASK] = 0x0f;
	vga.sequencer[SEQUENCER_MEMORY] = 0x06;
	vga.graphics[GRAPHICS_DONT_CARE] = 0x0f;
	vga.graphics[GRAPHICS_BIT_MASK] = 0xff;
	vga.graphics[GRAPHICS_MISC] = 0x05;
	vga.plane[0][AT] = p0;
	vga.plane[1][AT] = p1;
	vga.plane[2][AT] = p2;
	vga.plane[3][AT] = p3;
}

static void check(const char *name, uint8_t p0, uint8_t p1, uint8_t p2, uint8_t p3)
{
	const uint8_t wanted[] = {p0, p1, p2, p3};
	bool good = true;

	for (int i = 0; i < VGA_PLANES; i++)
		good &= vga.plane[i][AT] == wanted[i];
	if (!result(good, "%s", name))
		comment("%02x %02x %02x %02x", vga.plane[0][AT], vga.plane[1][AT], vga.plane[2][AT], vga.plane[3][AT]);
}

static void check_mode_0(void)
{
	begin(1, 2, 3, 4);
	vga_memory_write(&vga, AT, 0xa5);
	check("mode 0 writes all planes", 0xa5, 0xa5, 0xa5, 0xa5);
	begin(1, 2, 3, 4);
	vga.sequencer[SEQUENCER_MAP_MASK] = 0x05;
	vga_memory_write(&vga, AT, 0xa5);
	check("the map mask chooses them", 0xa5, 2, 0xa5, 4);
	begin(1, 2, 3, 4);
	vga.graphics[GRAPHICS_ROTATE] = 3;
	vga_memory_write(&vga, AT, 0xa5);
	check("rotated right by 3", 0xb4, 0xb4, 0xb4, 0xb4);
	begin(1, 2, 3, 4);
	vga.graphics[GRAPHICS_SET_RESET] = 0x0a;
	vga.graphics[GRAPHICS_ENABLE_SET_RESET] = 0x06;
	vga_memory_write(&vga, AT, 0x33);
	check("set/reset where enabled", 0x33, 0xff, 0x00, 0x33);
	begin(0x0f, 0xf0, 0x55, 0xaa);
	vga_memory_read(&vga, AT);
	vga.graphics[GRAPHICS_BIT_MASK] = 0x3c;
	vga_memory_write(&vga, AT, 0xff);
	check("the bit mask keeps the latches", 0x3f, 0xfc, 0x7d, 0xbe);
	begin(0x0f, 0xf0, 0x55, 0xaa);
	vga_memory_read(&vga, AT);
	vga.graphics[GRAPHICS_ROTATE] = 1 << 3;
	vga_memory_write(&vga, AT, 0x3c);
	check("and", 0x0c, 0x30, 0x14, 0x28);
	vga.graphics[GRAPHICS_ROTATE] = 2 << 3;
	vga_memory_write(&vga, AT, 0x3c);
	check("or", 0x3f, 0xfc, 0x7d, 0xbe);
	vga.graphics[GRAPHICS_ROTATE] = 3 << 3;
	vga_memory_write(&vga, AT, 0x3c);
	check("exclusive or", 0x33, 0xcc, 0x69, 0x96);
	vga.graphics[GRAPHICS_ROTATE] = 0;
	vga_memory_write(&vga, AT + 65536, 0x42);
	check("addresses wrap", 0x42, 0x42, 0x42, 0x42);
}

static void check_other_modes(void)
{
	begin(0x0f, 0xf0, 0x55, 0xaa);
	vga_memory_read(&vga, AT);
	memset(vga.plane, 0, sizeof(vga.plane));
	vga.graphics[GRAPHICS_MODE] = 1;
	vga.graphics[GRAPHICS_BIT_MASK] = 0;
	vga.graphics[GRAPHICS_ROTATE] = 0x1b;
	vga_memory_write(&vga, AT, 0x77);
	check("mode 1 writes the latches", 0x0f, 0xf0, 0x55, 0xaa);
	begin(0x0f, 0xf0, 0x55, 0xaa);
	vga_memory_read(&vga, AT);
	vga.graphics[GRAPHICS_MODE] = 2;
	vga.graphics[GRAPHICS_BIT_MASK] = 0xf0;
	vga_memory_write(&vga, AT, 0x05);
	check("mode 2 writes a colour", 0xff, 0x00, 0xf5, 0x0a);
	begin(0x0f, 0xf0, 0x55, 0xaa);
	vga_memory_read(&vga, AT);
	vga.graphics[GRAPHICS_MODE] = 2;
	vga.graphics[GRAPHICS_ROTATE] = 3 << 3;
	vga_memory_write(&vga, AT, 0x09);
	check("mode 2 with exclusive or", 0xf0, 0xf0, 0x55, 0x55);
	begin(0x0f, 0xf0, 0x55, 0xaa);
	vga_memory_read(&vga, AT);
	vga.graphics[GRAPHICS_MODE] = 3;
	vga.graphics[GRAPHICS_SET_RESET] = 0x06;
	vga.graphics[GRAPHICS_ROTATE] = 4;
	vga.graphics[GRAPHICS_BIT_MASK] = 0x7e;
	vga_memory_write(&vga, AT, 0x0f);
	check("mode 3 sets a colour where both masks have bits", 0x0f, 0xf0, 0x75, 0x8a);
}

static void check_reads(void)
{
	bool good = true;

	begin(0x0f, 0xf0, 0x55, 0xaa);
	for (uint8_t i = 0; i < VGA_PLANES; i++) {
		vga.graphics[GRAPHICS_READ_MAP] = i;
		good &= vga_memory_read(&vga, AT) == vga.plane[i][AT];
	}
	result(good, "read mode 0 reads one plane");
	good = !memcmp(vga.latch, (uint8_t[]){0x0f, 0xf0, 0x55, 0xaa}, 4);
	result(good, "and fills all latches");
	good = vga_memory_peek(&vga, AT + 1) == 0 && vga.latch[0] == 0x0f;
	result(good, "a look does not");
	vga.graphics[GRAPHICS_MODE] = 0x08;
	vga.graphics[GRAPHICS_COMPARE] = 0x05; /* planes 0 and 2 set: 0x0f & 0x0f & 0x55 & 0x55 */
	result(vga_memory_read(&vga, AT) == 0x05, "read mode 1 compares colours");
	vga.graphics[GRAPHICS_DONT_CARE] = 0x01;
	result(vga_memory_read(&vga, AT) == 0x0f, "in the planes that matter");
	vga.graphics[GRAPHICS_DONT_CARE] = 0x00;
	result(vga_memory_read(&vga, AT) == 0xff, "of which there may be none");
}

static void check_odd_even(void)
{
	begin(0, 0, 0, 0);
	vga.sequencer[SEQUENCER_MEMORY] = 0x02;
	vga.graphics[GRAPHICS_MODE] = 0x10;
	vga_memory_write(&vga, AT, 0x11);
	vga_memory_write(&vga, AT + 1, 0x22);
	check("odd and even addresses go to different planes", 0x11, 0x22, 0x11, 0x22);
	result(vga_memory_read(&vga, AT) == 0x11 && vga_memory_read(&vga, AT + 1) == 0x22, "and come from them");
}

int main(void)
{
	check_mode_0();
	check_other_modes();
	check_reads();
	check_odd_even();
	return finish();
}
