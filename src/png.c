#define _GNU_SOURCE
#include "png.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of deflate (RFC 1951), with the codes that are fixed. */
#define MATCH_MIN 3
#define MATCH_MAX 258
#define DISTANCE_MAX 32768
#define FIXED_CODES 1
#define END_OF_BLOCK 256
#define LENGTH_CODES 257 /* the first symbol of a length */

#define HASH_BITS 13

struct buffer {
	uint8_t *data;
	size_t len, capacity;
	uint32_t bits; /* not yet whole bytes */
	unsigned int bit_count;
	bool failed; /* no memory */
};

static void append(struct buffer *buffer, const void *data, size_t len)
{
	if (buffer->capacity - buffer->len < len) {
		size_t capacity = 2 * buffer->capacity + len;
		uint8_t *larger = realloc(buffer->data, capacity);

		if (!larger) {
			buffer->failed = true;
			return;
		}
		buffer->data = larger;
		buffer->capacity = capacity;
	}
	memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
}

static void append_byte(struct buffer *buffer, uint8_t byte)
{
	append(buffer, &byte, 1);
}

static void append_number(struct buffer *buffer, uint32_t value)
{
	uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

	append(buffer, bytes, sizeof(bytes));
}

/* The lowest bit first, as deflate has its numbers. */
static void append_bits(struct buffer *buffer, uint32_t value, unsigned int count)
{
	buffer->bits |= value << buffer->bit_count;
	buffer->bit_count += count;
	for (; buffer->bit_count >= 8; buffer->bit_count -= 8, buffer->bits >>= 8)
		append_byte(buffer, (uint8_t)buffer->bits);
}

/* The highest bit first, as it has its codes. */
static void append_code(struct buffer *buffer, uint32_t code, unsigned int count)
{
	while (count-- > 0)
		append_bits(buffer, code >> count & 1, 1);
}

/* RFC 1951, 3.2.6. */
static void append_symbol(struct buffer *buffer, unsigned int symbol)
{
	static const struct {
		unsigned int first, code, count;
	} ranges[] = {{280, 0xc0, 8}, {256, 0, 7}, {144, 0x190, 9}, {0, 0x30, 8}};
	int i = 0;

	while (symbol < ranges[i].first)
		i++;
	append_code(buffer, ranges[i].code + symbol - ranges[i].first, ranges[i].count);
}

/*
 * RFC 1951, 3.2.5: lengths from 3 on and distances from 1 on fall into ranges that double with each `group`
 * ranges; what is above a range's first value follows in extra bits.
 */
static void find_range(unsigned int above, unsigned int group, unsigned int *range, unsigned int *extra)
{
	unsigned int bits = 0;

	while (above >> bits >= 2 * group)
		bits++;
	*range = bits * group + (above >> bits);
	*extra = bits;
}

static void append_match(struct buffer *buffer, unsigned int len, unsigned int distance)
{
	unsigned int range, extra;

	if (len == MATCH_MAX) {
		append_symbol(buffer, 285);
	} else {
		find_range(len - MATCH_MIN, 4, &range, &extra);
		append_symbol(buffer, LENGTH_CODES + range);
		append_bits(buffer, (len - MATCH_MIN) & ((1u << extra) - 1), extra);
	}
	find_range(distance - 1, 2, &range, &extra);
	append_code(buffer, range, 5);
	append_bits(buffer, (distance - 1) & ((1u << extra) - 1), extra);
}

static unsigned int hash(const uint8_t *data)
{
	return (data[0] * 0x9e37u + data[1] * 0x79b9u + data[2] * 0x3c6fu) >> 5 & ((1u << HASH_BITS) - 1);
}

/* Takes the longer one of what began with the same three bytes last, and of what stands a row above. */
static void deflate(struct buffer *out, const uint8_t *data, size_t len, size_t row)
{
	size_t last[1u << HASH_BITS];
	size_t at = 0;

	memset(last, 0xff, sizeof(last));
	append_bits(out, 1, 1); /* the last block */
	append_bits(out, FIXED_CODES, 2);
	while (at < len && !out->failed) {
		size_t left = len - at < MATCH_MAX ? len - at : MATCH_MAX, best = 0, best_from = 0;
		size_t from[2] = {at >= row ? at - row : SIZE_MAX, SIZE_MAX};

		if (left >= MATCH_MIN)
			from[1] = last[hash(data + at)];
		for (int i = 0; i < 2; i++) {
			size_t same = 0;

			if (from[i] >= at || at - from[i] > DISTANCE_MAX)
				continue;
			while (same < left && data[from[i] + same] == data[at + same])
				same++;
			if (same > best) {
				best = same;
				best_from = from[i];
			}
		}
		if (best >= MATCH_MIN) {
			append_match(out, (unsigned int)best, (unsigned int)(at - best_from));
		} else {
			append_symbol(out, data[at]);
			best = 1;
		}
		for (; best > 0; best--, at++) {
			if (at + MATCH_MIN <= len)
				last[hash(data + at)] = at;
		}
	}
	append_symbol(out, END_OF_BLOCK);
	append_bits(out, 0, (8 - out->bit_count) % 8);
}

/* RFC 1950. */
static uint32_t adler32(const uint8_t *data, size_t len)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < len; i++) {
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static uint32_t crc32(const uint8_t *data, size_t len)
{
	static uint32_t table[256];
	uint32_t crc = 0xffffffff;

	for (uint32_t i = table[255] ? 256 : 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] & 1 ? 0xedb88320u ^ table[i] >> 1 : table[i] >> 1;
	}
	for (size_t i = 0; i < len; i++)
		crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static void append_chunk(struct buffer *png, const char *type, const struct buffer *content)
{
	size_t start;

	append_number(png, (uint32_t)content->len);
	start = png->len;
	append(png, type, 4);
	if (content->len)
		append(png, content->data, content->len);
	if (!png->failed)
		append_number(png, crc32(png->data + start, png->len - start));
	png->failed |= content->failed;
}

static void make(struct buffer *png, const struct picture *picture)
{
	static const uint8_t format[] = {8, 3, 0, 0, 0}; /* bits, with a palette, deflate, filters, not interlaced */
	const size_t row = picture->width + 1, len = row * picture->height;
	struct buffer header = {0}, palette = {0}, content = {0}, end = {0};
	uint8_t *data = calloc(len, 1); /* each row has a 0 before it: not filtered */

	append(png, "\x89PNG\r\n\x1a\n", 8);
	append_number(&header, picture->width);
	append_number(&header, picture->height);
	append(&header, format, sizeof(format));
	append_chunk(png, "IHDR", &header);
	append(&palette, picture->palette, 3 * picture->colours);
	append_chunk(png, "PLTE", &palette);
	content.failed = !data;
	if (data) {
		for (size_t y = 0; y < picture->height; y++)
			memcpy(data + y * row + 1, picture->pixels + y * picture->width, picture->width);
		append(&content, "\x78\x01", 2); /* RFC 1950: deflate, a window of 32 KiB */
		deflate(&content, data, len, row);
		append_number(&content, adler32(data, len));
	}
	append_chunk(png, "IDAT", &content);
	append_chunk(png, "IEND", &end);
	free(header.data);
	free(palette.data);
	free(content.data);
	free(data);
}

/* 0, or an errno. */
static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno != EINTR)
			return errno;
		if (done > 0) {
			data += done;
			len -= (size_t)done;
		}
	}
	return 0;
}

int png_write(int fd, const char *path, const struct picture *picture, char *why, size_t size)
{
	struct buffer png = {0};
	int error = fd < 0 ? -fd : 0;

	if (!error) {
		make(&png, picture);
		error = png.failed ? ENOMEM : write_all(fd, png.data, png.len);
		free(png.data);
		if (error && ftruncate(fd, 0)) {
			/* a device, which has no size */
		}
		if (close(fd) && !error)
			error = errno;
	}
	if (error)
		snprintf(why, size, "cannot write %s: %s", path, strerror(error));
	return -error;
}
