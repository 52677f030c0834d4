/* The bytes of an input, taken from its beginning; behind its end there are zeros. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
	const uint8_t *data;
	size_t left;
};

/* A number of 1 to 8 bytes, the lowest first. */
static inline uint64_t take(struct input *input, unsigned int size)
{
	uint64_t value = 0;
	size_t len = size < input->left ? size : input->left;

	if (len)
		memcpy(&value, input->data, len);
	input->data += len;
	input->left -= len;
	return value;
}

static inline uint8_t take_byte(struct input *input)
{
	return (uint8_t)take(input, 1);
}

/* At most `size` bytes, and not more than are left; how many in *len. */
static inline const uint8_t *take_bytes(struct input *input, size_t size, size_t *len)
{
	const uint8_t *bytes = input->data;

	*len = size < input->left ? size : input->left;
	input->data += *len;
	input->left -= *len;
	return bytes;
}

#endif
