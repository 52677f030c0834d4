/* Hexadecimal, the encoding of nearly all of the protocol. */
#include <string.h>

#include "internal.h"

const char hex_digits[16] = "0123456789abcdef";

/* The two digits of every byte, so that encoding is a load and a store for each. */
#define HEX_ROW(h)                                                                              \
	{h, '0'}, {h, '1'}, {h, '2'}, {h, '3'}, {h, '4'}, {h, '5'}, {h, '6'}, {h, '7'}, {h, '8'}, \
		{h, '9'}, {h, 'a'}, {h, 'b'}, {h, 'c'}, {h, 'd'}, {h, 'e'}, {h, 'f'}

static const char hex_pairs[256][2] = {
	HEX_ROW('0'), HEX_ROW('1'), HEX_ROW('2'), HEX_ROW('3'), HEX_ROW('4'), HEX_ROW('5'),
	HEX_ROW('6'), HEX_ROW('7'), HEX_ROW('8'), HEX_ROW('9'), HEX_ROW('a'), HEX_ROW('b'),
	HEX_ROW('c'), HEX_ROW('d'), HEX_ROW('e'), HEX_ROW('f'),
};

int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void hex_encode(char *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = from[i]; /* before its place may be written to */

		memcpy(to + 2 * i, hex_pairs[byte], 2);
	}
}

bool hex_decode(uint8_t *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(from[2 * i]), low = hex_value(from[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool hex_number(const char **p, uint64_t *value)
{
	const char *start = *p;
	int digit;

	*value = 0;
	while ((digit = hex_value(**p)) >= 0) {
		if (*value >> 60)
			return false;
		*value = *value << 4 | (uint64_t)digit;
		++*p;
	}
	return *p > start;
}
