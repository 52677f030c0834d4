/* Hexadecimal, the encoding of nearly all of the protocol. */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "internal.h"

const char hex_digits[16] = "0123456789abcdef";

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

#ifdef __SSE2__
/* SSE2 has no table look-ups: a digit is found by comparing. */
static __m128i digits_of(__m128i nibbles)
{
	__m128i is_letter = _mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9));
	__m128i digits = _mm_add_epi8(nibbles, _mm_set1_epi8('0'));

	return _mm_add_epi8(digits, _mm_and_si128(is_letter, _mm_set1_epi8('a' - 10 - '0')));
}

static __m128i at_most(__m128i bytes, char limit)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(limit)), bytes);
}

/* Eight bytes, each in the low half of a word. False if a character is not a digit. */
static bool bytes_of(__m128i digits, __m128i *bytes)
{
	__m128i decimal = _mm_sub_epi8(digits, _mm_set1_epi8('0'));
	__m128i letter = _mm_sub_epi8(_mm_or_si128(digits, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	__m128i is_decimal = at_most(decimal, 9), is_letter = at_most(letter, 5), nibbles;

	letter = _mm_add_epi8(letter, _mm_set1_epi8(10));
	nibbles = _mm_or_si128(_mm_and_si128(decimal, is_decimal), _mm_and_si128(letter, is_letter));
	/* The first digit of two is the high one. */
	*bytes = _mm_and_si128(_mm_or_si128(_mm_slli_epi16(nibbles, 4), _mm_srli_epi16(nibbles, 8)),
			       _mm_set1_epi16(0xff));
	return _mm_movemask_epi8(_mm_or_si128(is_decimal, is_letter)) == 0xffff;
}
#endif

void hex_encode(char *to, const uint8_t *from, size_t len)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; len - i >= 16; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(from + i));
		__m128i low = _mm_and_si128(bytes, _mm_set1_epi8(15));
		__m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));

		_mm_storeu_si128((__m128i *)(to + 2 * i), digits_of(_mm_unpacklo_epi8(high, low)));
		_mm_storeu_si128((__m128i *)(to + 2 * i + 16), digits_of(_mm_unpackhi_epi8(high, low)));
	}
#endif
	for (; i < len; i++) {
		uint8_t byte = from[i]; /* before its place may be written to */

		to[2 * i] = hex_digits[byte >> 4];
		to[2 * i + 1] = hex_digits[byte & 15];
	}
}

bool hex_decode(uint8_t *to, const char *from, size_t len)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; len - i >= 16; i += 16) {
		__m128i first, second;

		if (!bytes_of(_mm_loadu_si128((const __m128i *)(from + 2 * i)), &first) ||
		    !bytes_of(_mm_loadu_si128((const __m128i *)(from + 2 * i + 16)), &second))
			return false;
		_mm_storeu_si128((__m128i *)(to + i), _mm_packus_epi16(first, second));
	}
#endif
	for (; i < len; i++) {
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
