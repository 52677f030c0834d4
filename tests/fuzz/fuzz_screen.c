/*
 * Pictures and text of the screen, with any registers of a VGA and any memory. What is written must be a PNG file.
 * See pc.h.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pc.h"
#include "png.h"
#include "screen.h"
#include "screenshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The whole of it: signature, a length for each chunk, and the last one at the end. */
static void check_picture(int fd)
{
	static uint8_t png[1 << 20];
	ssize_t len = pread(fd, png, sizeof(png), 0), at = 8;

	if (len < 8 + 25 || memcmp(png, "\x89PNG\r\n\x1a\n", 8))
		abort();
	if (len == (ssize_t)sizeof(png))
		return;
	while (at + 12 <= len)
		at += 12 + (ssize_t)((size_t)png[at] << 24 | (size_t)png[at + 1] << 16 | (size_t)png[at + 2] << 8 |
				     png[at + 3]);
	if (at != len || memcmp(png + len - 8, "IEND", 4))
		abort();
}

/* Pieces of the registers, the planes and the memory, each with a place, a length, and bytes that are repeated. */
static void spoil(struct input *input)
{
	struct vga *vga = &pc.vga;
	uint8_t *dac = vga->dac[0];
	struct {
		uint8_t *start;
		size_t size;
	} const parts[] = {{vga->crtc, sizeof(vga->crtc)},
			   {vga->sequencer, sizeof(vga->sequencer)},
			   {vga->graphics, sizeof(vga->graphics)},
			   {vga->attribute, sizeof(vga->attribute)},
			   {&vga->attribute_index, 1},
			   {dac, sizeof(vga->dac)},
			   {*vga->plane, sizeof(vga->plane)},
			   {pc.vm.memory + 0xa0000, 0x20000}};

	while (input->left) {
		uint8_t how = take_byte(input);
		size_t part = how & 7, at = take(input, part > 5 ? 4 : 1) % parts[part].size, len;
		const uint8_t *bytes = take_bytes(input, how >> 4, &len);
		size_t left = parts[part].size - at, end = how & 8 && len ? len * 64 : len;

		for (size_t i = 0; i < end && i < left; i++)
			parts[part].start[at + i] = bytes[i % len];
	}
	for (size_t i = 0; i < VGA_COLOURS * 3; i++)
		dac[i] &= 63;
	/* Registers of which only some bits can be set. */
	vga_mode_changed(&pc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct screen screen;
	static int fd = -1;
	static char path[64];
	struct input input = {data, size}, none = {data, 0};
	char why[256] = "", *text;
	size_t len;

	if (fd < 0) {
		fd = memfd_create("picture", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	pc_start(&none);
	spoil(&input);
	screen_read(&pc, &screen);
	if (screen.columns > SCREEN_COLUMNS_MAX || screen.rows > SCREEN_ROWS_MAX)
		abort();
	text = screen_text(&screen, &len);
	if (!text)
		abort();
	free(text);
	if (screenshot_write(&pc, open(path, SCREENSHOT_FLAGS), path, why, sizeof(why)))
		abort();
	check_picture(fd);
	pc_end();
	return 0;
}
