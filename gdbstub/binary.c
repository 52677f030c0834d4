/* Binary data, as the manual's section of that name has it, and the checksums of frames. */
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "internal.h"

#define ESCAPE '}'
#define ESCAPE_XOR 0x20

#ifdef __SSE2__
static __m128i equal(__m128i bytes, char c)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

/* Which of 16 bytes have to be escaped, a bit each. */
static unsigned int to_be_escaped(__m128i bytes)
{
	__m128i first = _mm_or_si128(equal(bytes, '#'), equal(bytes, '$'));
	__m128i second = _mm_or_si128(equal(bytes, '*'), equal(bytes, ESCAPE));

	return (unsigned int)_mm_movemask_epi8(_mm_or_si128(first, second));
}
#endif

unsigned char binary_sum(const char *bytes, size_t len)
{
	unsigned int sum = 0;
	size_t i = 0;

#ifdef __SSE2__
	__m128i sums = _mm_setzero_si128();

	for (; len - i >= 16; i += 16)
		sums = _mm_add_epi64(sums, _mm_sad_epu8(_mm_loadu_si128((const __m128i *)(bytes + i)),
							_mm_setzero_si128()));
	sum = (unsigned int)_mm_cvtsi128_si32(sums) +
	      (unsigned int)_mm_cvtsi128_si32(_mm_unpackhi_epi64(sums, sums));
#endif
	for (; i < len; i++)
		sum += (unsigned char)bytes[i];
	return (unsigned char)sum;
}

size_t binary_escape(char *to, size_t room, const char *from, size_t len, size_t *taken)
{
	const char *start = to, *first = from, *end = from + len, *limit = to + room;

	while (from < end && to < limit) {
		char c;

#ifdef __SSE2__
		if (end - from >= 16 && limit - to >= 16) {
			__m128i bytes = _mm_loadu_si128((const __m128i *)from);
			unsigned int found = to_be_escaped(bytes);
			int plain = found ? __builtin_ctz(found) : 16;

			_mm_storeu_si128((__m128i *)to, bytes);
			from += plain;
			to += plain;
			if (!found)
				continue;
		}
#endif
		c = *from;
		if (c == '#' || c == '$' || c == '*' || c == ESCAPE) {
			if (limit - to < 2)
				break;
			*to++ = ESCAPE;
			c ^= ESCAPE_XOR;
		}
		*to++ = c;
		from++;
	}
	*taken = (size_t)(from - first);
	return (size_t)(to - start);
}

size_t binary_unescape(char *body, size_t len)
{
	char *to = memchr(body, ESCAPE, len);
	const char *from = to, *end = body + len;

	if (!to)
		return len;
	while (from < end) {
#ifdef __SSE2__
		/* What is stored behind an escape must not be what is still to be read. */
		if (end - from >= 16 && from - to >= 16) {
			__m128i bytes = _mm_loadu_si128((const __m128i *)from);
			unsigned int found = (unsigned int)_mm_movemask_epi8(equal(bytes, ESCAPE));
			int plain = found ? __builtin_ctz(found) : 16;

			_mm_storeu_si128((__m128i *)to, bytes);
			from += plain;
			to += plain;
			if (!found)
				continue;
		}
#endif
		if (*from == ESCAPE && from + 1 < end)
			*to++ = (char)(*++from ^ ESCAPE_XOR);
		else
			*to++ = *from;
		from++;
	}
	return (size_t)(to - body);
}
