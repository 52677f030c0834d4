/*
 * The packet layer alone. The input is what a client sends (tests/fake_transport.h); every packet that
 * is read goes back, as it is, in hex and as binary data, and what is sent must be well-formed.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Peeking must not change what is there to be read. */
static void peek_all(struct packets *p)
{
	size_t offset = 0, before;
	enum packet_event event;

	do {
		before = offset;
		event = packet_peek(p, &offset);
		if ((event == PACKET_READY || event == PACKET_INTERRUPT) && offset <= before)
			abort();
		if (event == PACKET_READY &&
		    (p->body < p->in || p->body + p->body_len > p->in + sizeof(p->in) - 1))
			abort();
	} while (event == PACKET_READY || event == PACKET_INTERRUPT);
}

/* The packet's body goes back: into `out` first, since peeking may overwrite it. */
static void answer(struct packets *p, unsigned int round)
{
	size_t len = p->body_len;

	if (len > PACKET_BODY_MAX || p->body < p->in || p->body + len >= p->in + sizeof(p->in) ||
	    p->body[len])
		abort();
	reply_start(p);
	switch (round % 4) {
	case 0:
		reply_hex(p, p->body, len);
		if (p->out_overflow != (len > PACKET_BODY_MAX / 2))
			abort();
		break;
	case 1:
		if (reply_binary(p, p->body, len) > len || p->out_len > PACKET_BODY_MAX)
			abort();
		break;
	case 2:
		packet_ack(p);
		peek_all(p);
		return;
	default:
		reply_format(p, "E%02x", round & 0xff);
		break;
	}
	if (round & 4)
		peek_all(p);
	packet_send(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packets packets;
	struct transport transport = { .listener = -1, .in = 0, .out = 0, .refused = -1 };
	unsigned int round = 0;

	fake_transport_start(data, size);
	while (!transport_accept(&transport, true)) {
		packets_reset(&packets, &transport);
		while (!packets.lost) {
			switch (packet_next(&packets, round & 8)) {
			case PACKET_READY:
				answer(&packets, round++);
				break;
			case PACKET_TOO_LONG:
				reply_start(&packets);
				packet_send(&packets);
				break;
			case PACKET_INTERRUPT:
				packets.no_ack = !packets.no_ack;
				break;
			case PACKET_NONE:
				break;
			}
		}
		transport_disconnect(&transport);
	}
	return 0;
}
