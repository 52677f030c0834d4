/*
 * Hexadecimal and binary data (gdbstub/hex.c, gdbstub/binary.c), and qCRC's sums (gdbstub/scan.c), against the simplest code that does the
 * same: for every length and every alignment, in place where that is allowed, and no byte beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tap.h"

enum { LENGTH_MAX = 100, SHIFTS = 17, GUARD = 32, ROOM = 4 * LENGTH_MAX + SHIFTS + 2 * GUARD };

static uint32_t state = 1;

/* The same every time. */
static uint8_t any_byte(void)
{
	state = state * 1103515245 + 12345;
	return (uint8_t)(state >> 16);
}

/* As data are that have much to be escaped. */
static char special_byte(void)
{
	static const char specials[] = "#$*}]\x03\x04\x0a";
	uint8_t byte = any_byte();

	return byte & 0x80 ? specials[byte & 7] : (char)any_byte();
}

static void simple_encode(char *to, const uint8_t *from, size_t len)
{
	char pair[3];

	for (size_t i = 0; i < len; i++) {
		snprintf(pair, sizeof(pair), "%02x", from[i]);
		memcpy(to + 2 * i, pair, 2);
	}
}

static bool untouched(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0xee)
			return false;
	}
	return true;
}

static void test_encode(void)
{
	uint8_t data[LENGTH_MAX + SHIFTS], out[ROOM];
	char wanted[2 * LENGTH_MAX];
	bool good = true, in_place = true;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = any_byte();
	for (size_t len = 0; len <= LENGTH_MAX; len++) {
		for (size_t shift = 0; shift < SHIFTS; shift++) {
			uint8_t *to = out + GUARD + shift;

			simple_encode(wanted, data + shift, len);
			memset(out, 0xee, sizeof(out));
			hex_encode((char *)to, data + shift, len);
			good = good && !memcmp(to, wanted, 2 * len) && untouched(out, GUARD + shift) &&
			       untouched(to + 2 * len, sizeof(out) - GUARD - shift - 2 * len);
			memset(out, 0xee, sizeof(out));
			memcpy(to + len, data + shift, len);
			hex_encode((char *)to, to + len, len);
			in_place = in_place && !memcmp(to, wanted, 2 * len) &&
				   untouched(to + 2 * len, sizeof(out) - GUARD - shift - 2 * len);
		}
	}
	result(good, "digits of every length");
	result(in_place, "of bytes at the end of their room");
}

static void test_decode(void)
{
	uint8_t data[LENGTH_MAX], out[ROOM];
	char digits[2 * LENGTH_MAX + SHIFTS];
	bool good = true, in_place = true, refused = true, taken = true;

	for (size_t len = 0; len <= LENGTH_MAX; len++) {
		for (size_t shift = 0; shift < SHIFTS; shift++) {
			for (size_t i = 0; i < len; i++)
				data[i] = any_byte();
			simple_encode(digits + shift, data, len);
			for (size_t i = 0; i < 2 * len; i++) {
				if (any_byte() & 1 && digits[shift + i] >= 'a')
					digits[shift + i] = (char)(digits[shift + i] - 'a' + 'A');
			}
			memset(out, 0xee, sizeof(out));
			good = good && hex_decode(out + GUARD + shift, digits + shift, len) &&
			       !memcmp(out + GUARD + shift, data, len) && untouched(out, GUARD + shift) &&
			       untouched(out + GUARD + shift + len, sizeof(out) - GUARD - shift - len);
			in_place = in_place && hex_decode((uint8_t *)digits + shift, digits + shift, len) &&
				   !memcmp(digits + shift, data, len);
		}
	}
	result(good, "bytes of digits of either case, every length");
	result(in_place, "in the digits' own place");
	/* Each of the 256 characters in each place of a long one and a short one. */
	for (size_t len = 20; len; len = len == 20 ? 3 : 0) {
		for (size_t at = 0; at < 2 * len; at++) {
			for (int c = 0; c < 256; c++) {
				memset(digits, '5', 2 * len);
				digits[at] = (char)c;
				if (strchr("0123456789abcdefABCDEF", c) && c)
					taken = taken && hex_decode(out, digits, len) &&
						hex_value((char)c) == (at & 1 ? out[at / 2] & 15 : out[at / 2] >> 4);
				else
					refused = refused && !hex_decode(out, digits, len);
			}
		}
	}
	result(taken, "the 22 digits, wherever they are");
	result(refused, "what is none is found, wherever it is");
}

static void test_sum(void)
{
	char data[LENGTH_MAX + SHIFTS];
	static char large[0x20000];
	unsigned int sum;
	bool good = true;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)any_byte();
	for (size_t len = 0; len <= LENGTH_MAX; len++) {
		for (size_t shift = 0; shift < SHIFTS; shift++) {
			sum = 0;
			for (size_t i = 0; i < len; i++)
				sum += (unsigned char)data[shift + i];
			good = good && binary_sum(data + shift, len) == (sum & 0xff);
		}
	}
	result(good, "checksums of every length");
	memset(large, 0xff, sizeof(large));
	result(binary_sum(large, sizeof(large) - 3) == ((0xff * (sizeof(large) - 3)) & 0xff),
	       "of more than a packet");
}

static size_t simple_escape(char *to, size_t room, const char *from, size_t len, size_t *taken)
{
	size_t at = 0;

	for (*taken = 0; *taken < len; ++*taken) {
		bool special = memchr("#$*}", from[*taken], 4) != NULL;

		if (at + special >= room)
			break;
		if (special)
			to[at++] = '}';
		to[at++] = special ? (char)(from[*taken] ^ 0x20) : from[*taken];
	}
	return at;
}

static void test_escape(void)
{
	char data[LENGTH_MAX], wanted[2 * LENGTH_MAX];
	uint8_t out[ROOM];
	bool good = true, whole = true, bounded = true, back = true;
	size_t taken, len_wanted, taken_wanted;

	for (size_t len = 0; len <= LENGTH_MAX; len++) {
		for (size_t room = 0; room <= 2 * len; room++) {
			char *to = (char *)out + GUARD;
			size_t used;

			/* Every other one has hardly anything to be escaped. */
			for (size_t i = 0; i < len; i++)
				data[i] = room & 1 || i % 37 == 5 ? special_byte() : (char)('a' + i % 26);
			len_wanted = simple_escape(wanted, room, data, len, &taken_wanted);
			memset(out, 0xee, sizeof(out));
			used = binary_escape(to, room, data, len, &taken);
			good = good && used == len_wanted && taken == taken_wanted && !memcmp(to, wanted, used);
			bounded = bounded && untouched(out, GUARD) &&
				  untouched(out + GUARD + room, sizeof(out) - GUARD - room);
			back = back && binary_unescape(to, used) == taken && !memcmp(to, data, taken);
			whole = whole && (room < 2 * len || taken == len);
		}
	}
	result(good, "escapes, as many as there is room for");
	result(bounded, "and nothing behind it");
	result(whole, "all of them, if there is room for the worst");
	result(back, "undone, they are what they were");
}

/* A bit at a time, as the definition has it. */
static uint32_t simple_crc(const uint8_t *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < 8 * len; i++) {
		uint32_t bit = (uint32_t)bytes[i / 8] >> (7 - i % 8) & 1;

		crc = crc << 1 ^ ((crc >> 31) ^ bit ? 0x04c11db7 : 0);
	}
	return crc;
}

static void test_crc(void)
{
	uint8_t data[LENGTH_MAX + SHIFTS];
	bool good = true, pieces = true;

	result(scan_crc(0xffffffff, (const uint8_t *)"123456789", 9) == 0x0376e6e7,
	       "the CRC that is called CRC-32/MPEG-2");
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = any_byte();
	for (size_t len = 0; len <= LENGTH_MAX; len++) {
		for (size_t shift = 0; shift < SHIFTS; shift++) {
			size_t cut = len * shift / SHIFTS;
			uint32_t crc = scan_crc(0xffffffff, data + shift, cut);

			good = good && scan_crc(0xffffffff, data + shift, len) == simple_crc(data + shift, len);
			pieces = pieces &&
				 scan_crc(crc, data + shift + cut, len - cut) == simple_crc(data + shift, len);
		}
	}
	result(good, "of every length");
	result(pieces, "in two pieces");
}

int main(void)
{
	test_crc();
	test_encode();
	test_decode();
	test_sum();
	test_escape();
	return finish();
}
