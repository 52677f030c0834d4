/*
 * The PNG writer: its pictures are read back by an inflater of the test's own, and errors are told. What other
 * programs make of them is seen by tests/cli/screenshot.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "png.h"
#include "tap.h"

static char directory[] = "/tmp/test_png-XXXXXX";
static uint8_t file[4 << 20];
static size_t file_size;

static uint32_t number(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

/* Bit by bit, as the standard's text has it, without a table. */
static uint32_t crc(const uint8_t *data, size_t len)
{
	uint32_t value = 0xffffffff;

	for (size_t i = 0; i < 8 * len; i++) {
		value ^= data[i / 8] >> i % 8 & 1;
		value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
	}
	return ~value;
}

struct bits {
	const uint8_t *data;
	size_t at, end;
};

static unsigned int take(struct bits *bits, unsigned int count)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < count && bits->at < bits->end; i++, bits->at++)
		value |= (bits->data[bits->at / 8] >> bits->at % 8 & 1u) << i;
	return value;
}

static unsigned int take_code(struct bits *bits, unsigned int count)
{
	unsigned int value = 0;

	while (count-- > 0)
		value = value << 1 | take(bits, 1);
	return value;
}

static unsigned int take_symbol(struct bits *bits)
{
	unsigned int code = take_code(bits, 7);

	if (code < 0x18)
		return 256 + code;
	code = code << 1 | take(bits, 1);
	if (code >= 0xc0 && code < 0xc8)
		return 280 + code - 0xc0;
	if (code < 0xc0)
		return code - 0x30;
	return 144 + (code << 1 | take(bits, 1)) - 0x190;
}

/* One block with the fixed codes. Returns how many bytes it has, or 0 if it is wrong. */
static size_t inflate(const uint8_t *data, size_t len, uint8_t *out, size_t size)
{
	static const uint16_t lengths[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,	13,  15,  17,  19,  23, 27,
					   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
	static const uint16_t distances[] = {1,	  2,   3,   4,	 5,   7,    9,	  13,	17,   25,
					     33,  49,  65,  97,	 129, 193,  257,  385,	513,  769,
					     1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
	struct bits bits = {data, 0, 8 * len};
	size_t done = 0;

	if (take(&bits, 1) != 1 || take(&bits, 2) != 1)
		return 0;
	while (bits.at < bits.end) {
		unsigned int symbol = take_symbol(&bits), count, distance;

		if (symbol == 256)
			return bits.at + 7 >= bits.end ? done : 0;
		if (symbol < 256) {
			if (done == size)
				return 0;
			out[done++] = (uint8_t)symbol;
			continue;
		}
		symbol -= 257;
		if (symbol >= sizeof(lengths) / sizeof(*lengths))
			return 0;
		count = lengths[symbol] + (symbol < 8 || symbol == 28 ? 0 : take(&bits, symbol / 4 - 1));
		symbol = take_code(&bits, 5);
		if (symbol >= sizeof(distances) / sizeof(*distances))
			return 0;
		distance = distances[symbol] + (symbol < 4 ? 0 : take(&bits, symbol / 2 - 1));
		if (distance > done || count > size - done)
			return 0;
		for (; count > 0; count--, done++)
			out[done] = out[done - distance];
	}
	return 0;
}

static const uint8_t *chunk(const uint8_t *at, const char *type, size_t *len)
{
	*len = number(at);
	if (memcmp(at + 4, type, 4) || *len > file_size || number(at + 8 + *len) != crc(at + 4, 4 + *len)) {
		comment("no good %s", type);
		return NULL;
	}
	return at + 8;
}

static bool read_back(const struct picture *picture)
{
	const size_t row = picture->width + 1, size = row * picture->height;
	uint8_t *rows = malloc(size + 1);
	const uint8_t *content;
	uint32_t a = 1, b = 0;
	bool good;
	size_t len;

	if (!rows || memcmp(file, "\x89PNG\r\n\x1a\n", 8) || !(content = chunk(file + 8, "IHDR", &len)) || len != 13 ||
	    number(content) != picture->width || number(content + 4) != picture->height ||
	    memcmp(content + 8, "\x08\x03\0\0\0", 5))
		return false;
	content = chunk(content + len + 4, "PLTE", &len);
	if (!content || len != 3 * picture->colours || memcmp(content, picture->palette, len))
		return false;
	content = chunk(content + len + 4, "IDAT", &len);
	if (!content || len < 6 || content[0] != 0x78 || (content[0] << 8 | content[1]) % 31 || content[1] & 0x20)
		return false;
	if (inflate(content + 2, len - 6, rows, size) != size)
		return false;
	for (size_t i = 0; i < size; i++) {
		a = (a + rows[i]) % 65521;
		b = (b + a) % 65521;
	}
	good = number(content + len - 4) == (b << 16 | a);
	for (size_t y = 0; y < picture->height; y++)
		good &= !rows[y * row] &&
			!memcmp(rows + y * row + 1, picture->pixels + y * picture->width, picture->width);
	content = chunk(content + len + 4, "IEND", &len);
	free(rows);
	return good && content && !len && content + 4 == file + file_size;
}

static int create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

/* Without noise a pattern with long and short repetitions, far and near. */
static void check(unsigned int width, unsigned int height, unsigned int colours, bool noise, size_t most)
{
	struct picture picture = {.width = width, .height = height, .colours = colours};
	char path[64], why[200];
	uint32_t random = 1;
	FILE *stream;

	picture.pixels = malloc(width * height);
	for (unsigned int i = 0; picture.pixels && i < width * height; i++) {
		random = random * 1103515245 + 12345;
		picture.pixels[i] =
			(uint8_t)((noise ? random >> 16 : i % width / 8 * (i / width / 16) + (i % 7777 == 0)) % colours);
	}
	for (unsigned int i = 0; i < colours; i++)
		memset(picture.palette[i], (int)i, 2);
	snprintf(path, sizeof(path), "%s/a.png", directory);
	file_size = 0;
	if (!png_write(create(path), path, &picture, why, sizeof(why)) && (stream = fopen(path, "rb"))) {
		file_size = fread(file, 1, sizeof(file), stream);
		fclose(stream);
	}
	comment("%zu bytes", file_size);
	result(file_size && file_size < most && read_back(&picture), "%u by %u, %u colours%s", width, height,
	       colours, noise ? ", noise" : "");
	unlink(path);
	free(picture.pixels);
}

static void check_error(const char *path, int error, const char *name)
{
	uint8_t pixel = 0;
	struct picture picture = {.width = 1, .height = 1, .colours = 1, .pixels = &pixel};
	char why[200] = "";
	int found = png_write(create(path), path, &picture, why, sizeof(why));

	comment("%s", why);
	result(found == -error && strstr(why, path) && strstr(why, strerror(error)), "%s", name);
}

int main(void)
{
	struct stat info;

	if (!mkdtemp(directory))
		return 1;
	check(1, 1, 1, false, 100);
	check(720, 400, 16, false, 20000);
	check(640, 480, 256, true, 640 * 480 * 5 / 4);
	check(320, 200, 2, true, 320 * 200);
	check(4096, 300, 256, false, 100000);
	check(3, 1000, 2, false, 2000);
	check_error("/dev/full", ENOSPC, "no space");
	result(!stat("/dev/full", &info), "what is not a file is not removed");
	check_error(directory, EISDIR, "a folder");
	check_error("/nowhere/a.png", ENOENT, "no such folder");
	rmdir(directory);
	return finish();
}
