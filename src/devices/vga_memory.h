/*
 * The VGA's memory at A0000 where it is four planes: in the modes with 16 colours, in those of 256 whose planes the
 * guest has unchained, and while a font is loaded. The memory slot is away then, so that each access comes here.
 */
#ifndef VGA_MEMORY_H
#define VGA_MEMORY_H

#include "devices/vga.h"

#define VGA_MEMORY 0xa0000u

/* As the processor does it; `offset` is from VGA_MEMORY on, and modulo VGA_PLANE_SIZE. */
uint8_t vga_memory_read(struct vga *vga, uint32_t offset);
void vga_memory_write(struct vga *vga, uint32_t offset, uint8_t value);
/* What a read would give; it leaves the latches alone. */
uint8_t vga_memory_peek(const struct vga *vga, uint32_t offset);

#endif
