/*
 * The registers of a VGA. The memory at A0000 to BFFFF is plain RAM in text modes, in those of the CGA and in
 * 320x200 with 256 colours; in all others what the guest writes to A0000 goes to four planes.
 */
#ifndef VGA_H
#define VGA_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define VGA_PLANES 4
#define VGA_PLANE_SIZE 0x10000u
#define VGA_COLOURS 256

/* The CRT controller's registers. */
enum {
	CRTC_OVERFLOW = 0x07,	  /* further bits of other registers */
	CRTC_DISPLAY_END_H = 0x01, /* characters in a line - 1 */
	CRTC_CELL_HEIGHT = 0x09,  /* - 1, in bits 4-0; bit 7: each line is shown twice */
	CRTC_CURSOR_START = 0x0a, /* the cursor's first line; bit 5: it is off */
	CRTC_CURSOR_END = 0x0b,
	CRTC_START_HIGH = 0x0c,	  /* the first cell, or in graphics modes byte, that is shown */
	CRTC_START_LOW = 0x0d,
	CRTC_CURSOR_HIGH = 0x0e,  /* the cell with the cursor, from the beginning of the memory */
	CRTC_CURSOR_LOW = 0x0f,
	CRTC_RETRACE_END = 0x11,  /* bit 7: registers 0 to 7 are protected */
	CRTC_DISPLAY_END = 0x12,  /* lines - 1; bits 8 and 9 are bits 1 and 6 of the overflow register */
	CRTC_PITCH = 0x13,	  /* half of the cells, or bytes, from a line to the next */
	CRTC_UNDERLINE = 0x14,	  /* of a cell's lines, in bits 4-0 */
	CRTC_MODE = 0x17,	  /* bit 0: memory is not divided into even and odd lines, as the CGA's is */
	CRTC_COMPARE = 0x18,	  /* from this line on the memory is shown from its beginning; bits 8 and 9 elsewhere */
	CRTC_REGISTERS
};

enum {
	SEQUENCER_CLOCKING = 0x01, /* bit 0: characters have 8 columns, else 9; bit 5: the screen is off */
	SEQUENCER_MAP_MASK = 0x02,
	SEQUENCER_FONT = 0x03,
	SEQUENCER_MEMORY = 0x04, /* bit 3: chain-4; bit 2: no odd/even */
	SEQUENCER_REGISTERS
};

enum {
	GRAPHICS_SET_RESET,
	GRAPHICS_ENABLE_SET_RESET,
	GRAPHICS_COMPARE,
	GRAPHICS_ROTATE,
	GRAPHICS_READ_MAP,
	GRAPHICS_MODE,	     /* bit 6: 256 colours; bit 5: 4 colours as the CGA has them */
	GRAPHICS_MISC,	     /* bit 0: graphics; bits 3-2: A0000 128K, A0000 64K, B0000 32K, B8000 32K */
	GRAPHICS_DONT_CARE,
	GRAPHICS_BIT_MASK,
	GRAPHICS_REGISTERS
};

/* Registers 0 to 15 are the palette: colours of the DAC. */
enum {
	ATTRIBUTE_MODE = 0x10, /* bit 3: attributes have a blinking bit, and no bright background */
	ATTRIBUTE_OVERSCAN,
	ATTRIBUTE_PLANES,
	ATTRIBUTE_PAN,
	ATTRIBUTE_SELECT,
	ATTRIBUTE_REGISTERS
};

#define VGA_BLINK 0x08		/* of ATTRIBUTE_MODE */
#define VGA_GRAPHICS 0x01	/* of GRAPHICS_MISC */
#define VGA_MISC_COLOUR 0x01	/* of vga.misc: the ports are 3Dx, not 3Bx */

struct vga {
	uint8_t misc, feature, enable;
	uint8_t crtc_index, crtc[CRTC_REGISTERS];
	uint8_t sequencer_index, sequencer[SEQUENCER_REGISTERS];
	uint8_t graphics_index, graphics[GRAPHICS_REGISTERS];
	uint8_t attribute_index; /* bit 5: the picture is shown */
	bool attribute_data;	 /* the next write to 3C0 is data */
	uint8_t attribute[ATTRIBUTE_REGISTERS];
	uint8_t dac_mask, dac_state; /* 0: the DAC is written, 3: it is read */
	uint8_t dac_read, dac_write; /* the next colours */
	uint8_t dac_part, dac_parts[3]; /* of a colour that is being written, or how many were read */
	uint8_t dac[VGA_COLOURS][3];	/* red, green, blue; 0 to 63 */
	uint8_t cga_mode, cga_colours;	/* 3D8, 3D9 */
	/* Reads of the status register without anything else between them. */
	uint64_t polled_at;
	unsigned int polls;
	uint8_t status;
	bool chained;	  /* the memory at A0000 is the planes', in one piece */
	uint8_t latch[VGA_PLANES]; /* what the processor has read last */
	bool planes_used;
	uint8_t plane[VGA_PLANES][VGA_PLANE_SIZE]; /* plane 2 has the fonts of text modes */
};

/* As power-on leaves it: nothing is set; a BIOS sets a mode. */
void vga_reset(struct machine *machine);
/* vga_memory.c: registers that decide how A0000 is used have changed. */
void vga_mode_changed(struct machine *machine);
/* The palette of the CGA's graphics modes, as port 3D9 and INT 10h AH=0Bh choose it. */
void vga_cga_colours(struct vga *vga, uint8_t value);

/* What a monochrome screen would show of a colour. */
void vga_make_grey(uint8_t colour[3]);

/* From the CRT controller: of a text mode cells, else bytes; where the picture, and where the cursor is. */
unsigned int vga_start(const struct vga *vga);
unsigned int vga_cursor(const struct vga *vga);
void vga_set_start(struct vga *vga, unsigned int start);
void vga_set_cursor(struct vga *vga, unsigned int cell);
/* The lines of the picture, counting doubled ones twice. */
unsigned int vga_lines(const struct vga *vga);
void vga_set_lines(struct vga *vga, unsigned int lines);
/* Those of a row of cells, or of a line of a picture. */
unsigned int vga_cell_lines(const struct vga *vga);
/* The line from which on the memory is shown from its beginning. */
unsigned int vga_split_line(const struct vga *vga);
/* The DAC's colour of a palette register, 0 to 15. */
uint8_t vga_colour(const struct vga *vga, unsigned int index);
static inline bool vga_is_graphics(const struct vga *vga)
{
	return vga->graphics[GRAPHICS_MISC] & VGA_GRAPHICS;
}

#endif
