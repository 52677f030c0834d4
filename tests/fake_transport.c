#include "fake_transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT 0xfe
#define REPEAT_UNIT 1024
#define END_OF_CLIENT 0xff

static uint8_t expanded[0x30000];
static const uint8_t *input, *input_end;
static size_t piece;

void fake_transport_start(const uint8_t *data, size_t size)
{
	size_t used = 0;

	piece = size ? *data : 0;
	for (size_t i = 1; i < size; i++) {
		if (data[i] == REPEAT && i + 2 < size) {
			size_t len = REPEAT_UNIT * (size_t)data[i + 1];

			if (len > sizeof(expanded) - used)
				break;
			memset(expanded + used, data[i + 2], len);
			used += len;
			piece = REPEAT_UNIT * (size_t)*data;
			i += 2;
		} else if (used < sizeof(expanded)) {
			expanded[used++] = data[i];
		}
	}
	input = expanded;
	input_end = expanded + used;
}

int transport_listen(struct transport *t, const char *endpoint, char *why, size_t size)
{
	(void)t;
	(void)endpoint;
	(void)why;
	(void)size;
	return 0;
}

void transport_close(struct transport *t)
{
	(void)t;
}

int transport_accept(struct transport *t, bool wait)
{
	(void)wait;
	if (input == input_end)
		return -ENOTCONN;
	t->in = t->out = 0;
	return 0;
}

void transport_refuse(struct transport *t)
{
	(void)t;
}

void transport_disconnect(struct transport *t)
{
	const uint8_t *end = memchr(input, END_OF_CLIENT, (size_t)(input_end - input));

	input = end ? end + 1 : input_end;
	t->in = t->out = -1;
}

void transport_signals(struct transport *t, bool on)
{
	(void)t;
	(void)on;
}

void transport_hear(struct transport *t)
{
	(void)t;
}

/* Of this client's. */
static size_t left(void)
{
	const uint8_t *end = memchr(input, END_OF_CLIENT, (size_t)(input_end - input));

	return (size_t)((end ? end : input_end) - input);
}

int transport_peek(struct transport *t)
{
	(void)t;
	return left() == 1 ? *input : TRANSPORT_MORE;
}

ssize_t transport_read(struct transport *t, void *buf, size_t size, bool wait)
{
	size_t there = left();

	(void)t;
	(void)wait;
	if (size > there)
		size = there;
	if (piece && size > piece)
		size = piece;
	memcpy(buf, input, size);
	input += size;
	return (ssize_t)size;
}

/* A + or - by itself, or a frame, perhaps with a + before it. */
int transport_write(struct transport *t, const void *buf, size_t len)
{
	const char *bytes = buf;
	unsigned int sum = 0;
	char tail[4];

	(void)t;
	if (len == 1 && (*bytes == '+' || *bytes == '-'))
		return 0;
	if (len && *bytes == '+') {
		bytes++;
		len--;
	}
	if (len < PACKET_FRAME || len > GDBSTUB_PACKET_SIZE || *bytes != '$')
		abort();
	for (size_t i = 1; i < len - 3; i++) {
		if (bytes[i] == '#' || bytes[i] == '$' || (bytes[i] == '*' && i == 1))
			abort();
		sum += (unsigned char)bytes[i];
	}
	snprintf(tail, sizeof(tail), "#%02x", sum & 0xff);
	if (memcmp(bytes + len - 3, tail, 3))
		abort();
	return 0;
}
