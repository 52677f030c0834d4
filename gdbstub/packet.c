/*
 * Frames: "$body#checksum", acknowledgements, escapes and run-length encoding, as the manual's
 * "Overview" of the protocol defines them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* Longer replies are bulk data, where looking for runs costs more than it saves. */
#define RUN_LENGTH_LIMIT 0x1000

void packets_reset(struct packets *p, struct transport *transport)
{
	p->transport = transport;
	p->in_start = p->in_end = p->in_scanned = 0;
	p->body = NULL;
	p->body_len = p->out_len = p->sent_len = 0;
	p->discarding = p->no_ack = p->lost = p->owe_ack = p->unacked = false;
}

static void put_raw(struct packets *p, const char *bytes, size_t len)
{
	if (!p->lost && transport_write(p->transport, bytes, len))
		p->lost = true;
}

/* Gets more bytes into `in`. False: nothing came (not there yet, interrupted, or lost). */
static bool fill(struct packets *p, bool wait)
{
	ssize_t n;

	if (p->lost)
		return false;
	if (p->in_start == p->in_end) {
		p->in_start = p->in_end = p->in_scanned = 0;
	} else if (p->in_start && sizeof(p->in) - p->in_end < sizeof(p->in) / 2) {
		memmove(p->in, p->in + p->in_start, p->in_end - p->in_start);
		p->in_end -= p->in_start;
		p->in_scanned -= p->in_scanned < p->in_start ? p->in_scanned : p->in_start;
		p->in_start = 0;
	}
	/* The last byte stays free for the 0 behind a body. */
	if (p->in_end == sizeof(p->in) - 1)
		return false;
	n = transport_read(p->transport, p->in + p->in_end, sizeof(p->in) - 1 - p->in_end, wait);
	if (n > 0)
		p->in_end += (size_t)n;
	else if (n != -EINTR && n != -EAGAIN)
		p->lost = true;
	return n > 0;
}

/*
 * Finds the frame whose '$' is at in_start. Returns the index of its '#' once the two digits behind
 * it are there too, else 0.
 */
static size_t frame_end(struct packets *p)
{
	size_t from = p->in_scanned > p->in_start + 1 ? p->in_scanned : p->in_start + 1;
	const char *end = memchr(p->in + from, '#', p->in_end - from);

	if (!end) {
		p->in_scanned = p->in_end;
		return 0;
	}
	p->in_scanned = (size_t)(end - p->in);
	return p->in_scanned + 2 < p->in_end ? p->in_scanned : 0;
}

/* Consumes what is no packet: acks, noise, the rest of a packet that was too long. */
static enum packet_event skip_to_frame(struct packets *p)
{
	while (p->in_start < p->in_end) {
		char c = p->in[p->in_start];

		if (p->discarding) {
			char *end = memchr(p->in + p->in_start, '#', p->in_end - p->in_start);

			if (!end) {
				p->in_start = p->in_end;
				return PACKET_NONE;
			}
			p->in_start = (size_t)(end - p->in);
			if (p->in_end - p->in_start < 3)
				return PACKET_NONE;
			p->in_start += 3;
			p->discarding = false;
			p->owe_ack = !p->no_ack;
			p->unacked = false;
			return PACKET_TOO_LONG;
		}
		if (c == '$')
			return PACKET_READY;
		p->in_start++;
		if (c == 0x03)
			return PACKET_INTERRUPT;
		if (c == '+')
			p->unacked = false;
		if (c == '-' && p->unacked)
			put_raw(p, p->out + p->sent, p->sent_len);
	}
	return PACKET_NONE;
}

/* The next event of what is in the buffer. */
static enum packet_event parse(struct packets *p)
{
	enum packet_event event;

	while ((event = skip_to_frame(p)) == PACKET_READY) {
		size_t end = frame_end(p), start = p->in_start + 1;
		char *again;
		int high, low;

		if (!end) {
			if (p->in_end - p->in_start < GDBSTUB_PACKET_SIZE)
				return PACKET_NONE;
			p->discarding = true;
			continue;
		}
		/* A '$' is always escaped in a body: another frame began, the first was cut. */
		again = memrchr(p->in + start, '$', end - start);
		if (again)
			start = (size_t)(again - p->in) + 1;
		p->in_start = end + 3;
		p->body = p->in + start;
		p->body_len = end - start;
		high = hex_value(p->in[end + 1]);
		low = hex_value(p->in[end + 2]);
		/* Without acks there is no way to ask for it again, and some clients send 00. */
		if (!p->no_ack &&
		    (high < 0 || low < 0 || (high << 4 | low) != binary_sum(p->body, p->body_len))) {
			put_raw(p, "-", 1);
			continue;
		}
		p->owe_ack = !p->no_ack;
		p->unacked = false; /* a new request shows that the reply was seen */
		if (p->body_len > PACKET_BODY_MAX)
			return PACKET_TOO_LONG;
		p->body_len = binary_unescape(p->body, p->body_len);
		p->body[p->body_len] = 0;
		return PACKET_READY;
	}
	return event;
}

enum packet_event packet_next(struct packets *p, bool wait)
{
	enum packet_event event;

	while ((event = parse(p)) == PACKET_NONE && fill(p, wait))
		;
	return event;
}

enum packet_event packet_peek(struct packets *p, size_t *offset)
{
	for (;;) {
		size_t at = p->in_start + *offset;

		while (at < p->in_end && (p->in[at] == '+' || p->in[at] == '-'))
			at++;
		*offset = at - p->in_start;
		if (at < p->in_end) {
			size_t len = p->in_end - at;
			const char *end = p->in[at] == '$' ? memchr(p->in + at, '#', len) : NULL;

			if (p->in[at] != '$') {
				++*offset;
				if (p->in[at] == 0x03)
					return PACKET_INTERRUPT;
				continue;
			}
			if (end && end + 2 < p->in + p->in_end) {
				p->body = p->in + at + 1;
				p->body_len = (size_t)(end - p->body);
				*offset = (size_t)(end + 3 - p->in) - p->in_start;
				return PACKET_READY;
			}
		}
		/* Nothing is in the buffer, and nothing beyond it has been seen. */
		if (!*offset && p->in_start == p->in_end && !p->lost) {
			int waiting = transport_peek(p->transport);

			if (waiting == 0x03) {
				*offset = 1;
				return PACKET_INTERRUPT;
			}
			if (waiting == -EAGAIN)
				return PACKET_NONE;
		}
		if (!fill(p, false))
			return p->in_end - p->in_start >= GDBSTUB_PACKET_SIZE ? PACKET_TOO_LONG
									      : PACKET_NONE;
	}
}

/* Replaces runs in place: a character, '*', and a count that is a printable character. */
static size_t encode_runs(char *body, size_t len)
{
	char *to = body;
	size_t from = 0;

	while (from < len) {
		char c = body[from];
		size_t run = 1;

		while (from + run < len && body[from + run] == c && run < 98)
			run++;
		from += run;
		*to++ = c;
		run--; /* repeats of the first */
		/* A count that would look like a frame's own characters is made smaller. */
		while (run == '#' - 29 || run == '$' - 29 || run == '+' - 29 || run == '-' - 29) {
			run--;
			from--;
		}
		if (run >= 3) {
			*to++ = '*';
			*to++ = (char)(run + 29);
		} else {
			while (run--)
				*to++ = c;
		}
	}
	return (size_t)(to - body);
}

/* In ack mode one packet at a time is on its way: waits until the last one has arrived. */
static void wait_for_ack(struct packets *p)
{
	while (p->unacked && !p->lost) {
		if (p->in_start < p->in_end) {
			char c = p->in[p->in_start];

			/* A request, or an interrupt, which stays for the one who reads it. */
			if (c == '$' || c == 0x03)
				return;
			skip_to_frame(p);
			continue;
		}
		fill(p, true);
	}
}

void packet_send(struct packets *p)
{
	char *body = p->out + 2;
	unsigned char sum;

	if (p->out_len <= RUN_LENGTH_LIMIT)
		p->out_len = encode_runs(body, p->out_len);
	sum = binary_sum(body, p->out_len);
	p->out[0] = '+';
	p->out[1] = '$';
	body[p->out_len] = '#';
	body[p->out_len + 1] = hex_digits[sum >> 4];
	body[p->out_len + 2] = hex_digits[sum & 15];
	p->sent = 1;
	p->sent_len = p->out_len + PACKET_FRAME;
	/* The ack for the request goes out with its reply. */
	if (p->owe_ack)
		put_raw(p, p->out, p->sent_len + 1);
	else
		put_raw(p, p->out + 1, p->sent_len);
	p->owe_ack = false;
	p->unacked = !p->no_ack;
}

void packet_ack(struct packets *p)
{
	if (p->owe_ack)
		put_raw(p, "+", 1);
	p->owe_ack = false;
}

void reply_start(struct packets *p)
{
	/* It is overwritten: a '-' for it can no longer be served. */
	if (p->unacked)
		wait_for_ack(p);
	p->unacked = false;
	p->out_len = 0;
	p->out_overflow = false;
}

char *reply_room(struct packets *p, size_t n)
{
	char *room = p->out + 2 + p->out_len;

	if (n > PACKET_BODY_MAX - p->out_len) {
		p->out_overflow = true;
		return NULL;
	}
	p->out_len += n;
	return room;
}

void reply_text(struct packets *p, const char *text)
{
	size_t len = strlen(text);
	char *room = reply_room(p, len);

	if (room)
		memcpy(room, text, len);
}

void reply_format(struct packets *p, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply_text(p, text);
}

void reply_number(struct packets *p, uint64_t value)
{
	int digits = 1;
	char *room;

	while (digits < 16 && value >> 4 * digits)
		digits++;
	room = reply_room(p, (size_t)digits);
	for (int i = digits; room && i--; value >>= 4)
		room[i] = hex_digits[value & 15];
}

void reply_hex(struct packets *p, const void *data, size_t len)
{
	char *room = len <= PACKET_BODY_MAX / 2 ? reply_room(p, 2 * len) : NULL;

	if (room)
		hex_encode(room, data, len);
	else
		p->out_overflow = true;
}

size_t reply_binary(struct packets *p, const void *data, size_t len)
{
	size_t taken;

	p->out_len += binary_escape(p->out + 2 + p->out_len, PACKET_BODY_MAX - p->out_len, data, len, &taken);
	return taken;
}
