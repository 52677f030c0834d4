/*
 * The frames of gdbstub/packet.c, over a socket pair: what a client may send, in every way that it may
 * arrive, and what is sent to it, read by a second implementation.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"
#include "tap.h"

static struct packets packets;
static struct transport transport;
static int client = -1;

/* A new connection, with acknowledgements. */
static void start(void)
{
	int pair[2];

	if (client >= 0) {
		close(client);
		close(transport.in);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		abort();
	client = pair[0];
	transport =
		(struct transport){ .listener = -1, .in = pair[1], .out = pair[1], .refused = -1 };
	packets_reset(&packets, &transport);
}

static void feed(const char *bytes, size_t len)
{
	if (write(client, bytes, len) != (ssize_t)len)
		abort();
}

static void feed_text(const char *text)
{
	feed(text, strlen(text));
}

/* A frame around the body: what is not the subject of a test is right in it. */
static size_t make_frame(char *frame, const char *body, size_t len)
{
	unsigned int sum = 0;
	char tail[4];

	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)body[i];
	snprintf(tail, sizeof(tail), "#%02x", sum & 0xff);
	frame[0] = '$';
	memmove(frame + 1, body, len);
	memcpy(frame + 1 + len, tail, 3);
	return len + 4;
}

static enum packet_event next(void)
{
	return packet_next(&packets, false);
}

static bool next_is(const char *body, size_t len)
{
	return next() == PACKET_READY && packets.body_len == len &&
	       !memcmp(packets.body, body, len) && !packets.body[len];
}

static bool next_is_text(const char *body)
{
	return next_is(body, strlen(body));
}

/* What the client has been sent since it last looked. */
static size_t received(char *buf, size_t size)
{
	ssize_t n = recv(client, buf, size, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

static bool received_is(const char *text)
{
	char buf[256];
	size_t len = received(buf, sizeof(buf));
	bool good = len == strlen(text) && !memcmp(buf, text, len);

	if (!good)
		comment("received '%.*s', not '%s'", (int)len, buf, text);
	return good;
}

static void discard(void)
{
	char buf[256];

	while (received(buf, sizeof(buf)))
		;
}

static void reply(const char *text)
{
	reply_start(&packets);
	reply_text(&packets, text);
	packet_send(&packets);
}

static void test_checksums(void)
{
	start();
	feed_text("$g#67");
	result(next_is_text("g"), "a packet");
	result(received_is(""), "its ack waits for the reply");
	reply("OK");
	result(received_is("+$OK#9a"), "the reply and the ack");
	feed_text("+$#00");
	result(next_is_text(""), "an empty packet");
	packet_ack(&packets);
	packet_ack(&packets);
	result(received_is("+"), "one ack without a reply");
	feed_text("$\xff\xff\xff#fd$\x80#80");
	result(next_is_text("\xff\xff\xff") && next_is_text("\x80"), "bytes above 0x7f");
	feed_text("$m0,1#FA$m0,1#fa");
	result(next_is_text("m0,1") && next_is_text("m0,1"), "digits of either case");
	start();
	feed_text("$g#68");
	result(next() == PACKET_NONE && received_is("-"), "a wrong checksum is answered by -");
	feed_text("$g#6g$g#g7$g# 7$g#7 ");
	result(next() == PACKET_NONE && received_is("----"), "so are digits that are none");
	feed_text("$h#67$g#67");
	result(next_is_text("g") && received_is("-"), "the packet behind is read");
}

static void test_acks(void)
{
	start();
	feed_text("$g#67");
	next();
	reply("1");
	discard();
	feed_text("-");
	result(next() == PACKET_NONE && received_is("$1#31"), "- has the reply sent again");
	feed_text("--");
	result(next() == PACKET_NONE && received_is("$1#31$1#31"), "as often as it comes");
	feed_text("+-");
	result(next() == PACKET_NONE && received_is(""), "but not after a +");
	reply("2");
	discard();
	feed_text("$g#67-");
	result(next_is_text("g") && next() == PACKET_NONE && received_is(""),
	       "nor after the next request");
	reply("3");
	discard();
	feed_text("-+");
	reply("4");
	result(received_is("$3#33$4#34"), "a second reply waits for the ack of the first");
	feed_text("$g#67");
	reply("5");
	result(received_is("$5#35") && next_is_text("g"), "or for a request");
	packets.no_ack = true;
	packets.owe_ack = packets.unacked = false;
	feed_text("+$g#67-");
	result(next_is_text("g") && next() == PACKET_NONE && received_is(""),
	       "without acks there are none");
	reply("6");
	result(received_is("$6#36"), "nor before a reply");
	feed_text("$g#00$g#xx");
	result(next_is_text("g") && next_is_text("g") && received_is(""),
	       "and checksums are not looked at");
}

/* Reads a whole frame; its body, with runs expanded and, if asked, escapes undone. 0: a bad one. */
static size_t decode(const char *frame, size_t len, char *body, bool unescape)
{
	unsigned int sum = 0;
	size_t n = 0;
	char tail[4];

	if (len < 4 || frame[0] != '$' || frame[len - 3] != '#')
		return 0;
	for (size_t i = 1; i < len - 3; i++) {
		char c = frame[i];

		sum += (unsigned char)c;
		if (c == '#' || c == '$')
			return 0;
		if (c == '*') {
			char count = frame[++i];

			sum += (unsigned char)count;
			if (!n || count < ' ' || count > '~' || strchr("#$+-", count))
				return 0;
			for (int repeats = count - 29; repeats; repeats--, n++)
				body[n] = body[n - 1];
		} else if (c == '}' && unescape) {
			sum += (unsigned char)frame[++i];
			body[n++] = (char)(frame[i] ^ 0x20);
		} else {
			body[n++] = c;
		}
	}
	snprintf(tail, sizeof(tail), "#%02x", sum & 0xff);
	return memcmp(frame + len - 3, tail, 3) ? 0 : n;
}

static char big[GDBSTUB_PACKET_SIZE * 2], frame[GDBSTUB_PACKET_SIZE * 2];

static void test_escapes(void)
{
	char all[256], body[512], *to = body, out[1024], decoded[1024];
	size_t len;

	for (int i = 0; i < 256; i++) {
		bool special = i && strchr("#$}*", i);

		all[i] = (char)i;
		if (special)
			*to++ = '}';
		*to++ = (char)(special ? i ^ 0x20 : i);
	}
	start();
	packets.no_ack = true;
	feed(frame, make_frame(frame, body, (size_t)(to - body)));
	result(next_is(all, sizeof(all)), "every byte, the four escaped, is read");
	for (int i = 0; i < 256; i++) {
		body[2 * i] = '}';
		body[2 * i + 1] = (char)(i ^ 0x20);
	}
	/* A client may escape more than it has to, but never needs to send these. */
	len = 0;
	for (int i = 0; i < 256; i++) {
		if ((i ^ 0x20) == '#' || (i ^ 0x20) == '$')
			continue;
		body[len++] = '}';
		body[len++] = (char)(i ^ 0x20);
		out[len / 2 - 1] = (char)i;
	}
	feed(frame, make_frame(frame, body, len));
	result(next_is(out, len / 2), "every escape is undone");
	feed_text("$a}#de");
	result(next_is_text("a}"), "an escape of nothing is itself");
	reply_start(&packets);
	result(reply_binary(&packets, all, sizeof(all)) == sizeof(all), "every byte is taken");
	packet_send(&packets);
	len = received(out, sizeof(out));
	result(decode(out, len, decoded, true) == sizeof(all) && !memcmp(decoded, all, sizeof(all)),
	       "every byte is sent");
	result(len == sizeof(all) + 4 + 4, "only four of them need an escape");
}

static void test_runs(void)
{
	static const char characters[] = "0fx} ";
	char expected[700], decoded[700], out[700];
	size_t len, longest = 0;
	bool good = true;

	for (const char *c = characters; *c; c++) {
		for (size_t run = 1; run <= 300; run++) {
			start();
			packets.no_ack = true;
			memset(expected, *c, sizeof(expected));
			expected[0] = 'T';
			expected[run + 1] = 'E';
			reply_start(&packets);
			memcpy(reply_room(&packets, run + 2), expected, run + 2);
			packet_send(&packets);
			len = received(out, sizeof(out));
			if (len > longest)
				longest = len;
			if (decode(out, len, decoded, false) != run + 2 ||
			    memcmp(decoded, expected, run + 2)) {
				comment("a run of %zu '%c': '%.*s'", run, *c, (int)len, out);
				good = false;
			}
		}
	}
	result(good, "runs of 1 to 300 come back");
	result(longest < 24, "and are short on the line: at most %zu bytes", longest);
	start();
	packets.no_ack = true;
	reply("aaa");
	result(received_is("$aaa#23"), "a run of 3 would be no shorter");
}

/* Bodies of few different characters, so that runs of all lengths are at all places. */
static void test_mixed_runs(void)
{
	char body[200], decoded[300], out[300];
	uint64_t random = 1;
	bool good = true;

	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)i % sizeof(body), out_len;

		for (size_t at = 0; at < len; at++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			/* A change at one place of four. */
			body[at] = at && random >> 62 ? body[at - 1] : "0123"[random >> 60 & 3];
		}
		start();
		packets.no_ack = true;
		reply_start(&packets);
		memcpy(reply_room(&packets, len), body, len);
		packet_send(&packets);
		out_len = received(out, sizeof(out));
		good &= decode(out, out_len, decoded, false) == len && !memcmp(decoded, body, len);
	}
	result(good, "runs among others come back");
}

static void test_pieces(void)
{
	static const char two[] = "+$m0,4#fd\x03$g#67";
	bool good = true;

	start();
	for (size_t i = 0; i < sizeof(two) - 1; i++) {
		enum packet_event event, expected = i == 8    ? PACKET_READY
						    : i == 9  ? PACKET_INTERRUPT
						    : i == 14 ? PACKET_READY
							      : PACKET_NONE;

		feed(two + i, 1);
		event = next();
		good = good && event == expected;
		if (event == PACKET_READY)
			good = good && !strcmp(packets.body, i == 8 ? "m0,4" : "g");
	}
	result(good && next() == PACKET_NONE, "byte by byte");
	start();
	feed_text("$a#61$b#62+$c#63-$d#64");
	result(next_is_text("a") && next_is_text("b") && next_is_text("c") && next_is_text("d") &&
		       next() == PACKET_NONE,
	       "several packets in one read");
	start();
	feed_text("abc#12\n\t\xff+$g#67junk#$g#67");
	result(next_is_text("g") && next_is_text("g") && received_is(""), "junk between packets");
	feed_text("$m0,$g#67$$$g#67");
	result(next_is_text("g") && next_is_text("g"), "a packet that is cut off by another");
	feed_text("\x03$g\x03#6a\x03\x03");
	result(next() == PACKET_INTERRUPT && next_is_text("g\x03") && next() == PACKET_INTERRUPT &&
		       next() == PACKET_INTERRUPT && next() == PACKET_NONE,
	       "0x03 is an interrupt between packets and a byte within");
	good = true;
	for (size_t i = 0; i < sizeof(two); i++) {
		enum packet_event event;
		unsigned int seen = 0;

		start();
		feed(two, i);
		shutdown(client, SHUT_WR);
		while ((event = packet_next(&packets, true)) != PACKET_NONE)
			seen += event == PACKET_READY ? 1 : 0x10;
		good = good && packets.lost &&
		       seen == (i < 9	 ? 0u
				: i < 10 ? 1u
				: i < 15 ? 0x11u
					 : 0x12u);
	}
	result(good, "the end at each position");
}

static void test_peek(void)
{
	size_t offset = 0;
	bool good = true;

	start();
	feed_text("+$c#63$m0,4#fd\x03$k#6b");
	result(next_is_text("c"), "a packet that runs");
	result(packet_peek(&packets, &offset) == PACKET_READY && packets.body_len == 4 &&
		       !memcmp(packets.body, "m0,4", 4),
	       "the next one is seen");
	result(packet_peek(&packets, &offset) == PACKET_INTERRUPT, "an interrupt behind it");
	result(packet_peek(&packets, &offset) == PACKET_READY && *packets.body == 'k',
	       "one behind that");
	result(packet_peek(&packets, &offset) == PACKET_NONE, "no more");
	feed_text("-$D");
	result(packet_peek(&packets, &offset) == PACKET_NONE, "nor what is not whole");
	feed_text("#44");
	result(packet_peek(&packets, &offset) == PACKET_READY && *packets.body == 'D',
	       "until it is");
	result(next_is_text("m0,4") && next() == PACKET_INTERRUPT && next_is_text("k") &&
		       next_is_text("D") && next() == PACKET_NONE,
	       "all of it is still there");
	memset(big, 'x', sizeof(big));
	offset = 0;
	feed_text("$");
	for (size_t fed = 0; fed < GDBSTUB_PACKET_SIZE; fed += 0x2000) {
		good = good && packet_peek(&packets, &offset) == PACKET_NONE;
		feed(big, 0x2000);
	}
	result(good && packet_peek(&packets, &offset) == PACKET_TOO_LONG,
	       "a packet without an end");
}

/* An interrupt alone is not even read: the stop that it asks for goes out first. */
static void test_peek_at_interrupt(void)
{
	size_t offset = 0;
	char byte;

	start();
	transport.is_socket = true;
	feed_text("\x03");
	result(packet_peek(&packets, &offset) == PACKET_INTERRUPT && offset == 1 &&
		       recv(transport.in, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1,
	       "an interrupt is seen where it is");
	result(packet_peek(&packets, &offset) == PACKET_NONE, "once");
	feed_text("\x03$c#63");
	result(packet_peek(&packets, &offset) == PACKET_INTERRUPT &&
		       packet_peek(&packets, &offset) == PACKET_READY && *packets.body == 'c' &&
		       packet_peek(&packets, &offset) == PACKET_NONE,
	       "and what comes behind it");
	result(next() == PACKET_INTERRUPT && next() == PACKET_INTERRUPT && next_is_text("c") &&
		       next() == PACKET_NONE,
	       "all of that is still there");
	offset = 0;
	feed_text("\x03");
	result(packet_peek(&packets, &offset) == PACKET_INTERRUPT, "one that stays unread");
	transport_disconnect(&transport);
	result(!recv(client, &byte, 1, 0), "the client sees an end, and not that something of it was lost");
}

/* Sends it in parts, as it would come. */
static enum packet_event next_of(const char *bytes, size_t len)
{
	enum packet_event event = PACKET_NONE;

	for (size_t part; len && event == PACKET_NONE; bytes += part, len -= part) {
		part = len < 0x3000 ? len : 0x3000;
		feed(bytes, part);
		event = next();
	}
	return len ? PACKET_NONE : event;
}

static void test_lengths(void)
{
	bool good = true;

	start();
	packets.no_ack = true;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)('a' + i % 26);
	result(next_of(frame, make_frame(frame, big, PACKET_BODY_MAX)) == PACKET_READY &&
		       packets.body_len == PACKET_BODY_MAX &&
		       !memcmp(packets.body, big, PACKET_BODY_MAX),
	       "exactly PacketSize");
	for (size_t more = 1; more < 0x200; more++) {
		if (next_of(frame, make_frame(frame, big, PACKET_BODY_MAX + more)) !=
		    PACKET_TOO_LONG) {
			comment("%zu more", more);
			good = false;
		}
		feed_text("$g#67");
		good = good && next_is_text("g");
	}
	result(good, "up to 0x1ff more: too long, and the next is read");
	result(next_of(frame, make_frame(frame, big, sizeof(frame) - 4)) == PACKET_TOO_LONG,
	       "twice as much: too long");
	start();
	result(next_of(frame, make_frame(frame, big, sizeof(frame) - 4)) == PACKET_TOO_LONG &&
		       received_is(""),
	       "with acks");
	reply("E5a");
	result(received_is("+$E5a#db"), "it is acknowledged with its reply");
	start();
	feed_text("$");
	for (int i = 0; i < 32; i++) {
		feed(big, 0x4000);
		good = good && next() == PACKET_NONE;
	}
	result(good, "512 KiB without an end are nothing");
	feed_text("#");
	good = next() == PACKET_NONE;
	feed_text("0");
	good = good && next() == PACKET_NONE;
	feed_text("0$g#67");
	result(good && next() == PACKET_TOO_LONG && next_is_text("g"), "until the end comes");
	start();
	packets.no_ack = true;
	good = true;
	/* One always waits, so that the buffer's end is met at every place in a packet. */
	feed_text("$g#67");
	for (int i = 0; i < 60000; i++) {
		feed_text("$m1234,4#f1$g#67");
		good = good && next_is_text("g") && next_is_text("m1234,4");
	}
	result(good, "more than a buffer of small packets");
}

static void test_reply_room(void)
{
	size_t taken;

	start();
	packets.no_ack = true;
	reply_start(&packets);
	result(reply_room(&packets, PACKET_BODY_MAX + 1) == NULL && packets.out_overflow,
	       "more than a packet's body is refused");
	reply_start(&packets);
	result(!packets.out_overflow && reply_room(&packets, PACKET_BODY_MAX) != NULL,
	       "exactly a packet's body is not");
	reply_text(&packets, "x");
	result(packets.out_overflow && packets.out_len == PACKET_BODY_MAX, "then there is no room");
	reply_start(&packets);
	reply_hex(&packets, big, PACKET_BODY_MAX / 2 + 1);
	result(packets.out_overflow && !packets.out_len, "nor for too many digits");
	memset(big, '}', sizeof(big));
	reply_start(&packets);
	reply_text(&packets, "b");
	taken = reply_binary(&packets, big, sizeof(big));
	/* An escape is not cut in two. */
	result(taken == (PACKET_BODY_MAX - 1) / 2 && packets.out_len == 1 + 2 * taken,
	       "as many escapes as there is room for");
}

int main(void)
{
	test_checksums();
	test_acks();
	test_escapes();
	test_runs();
	test_mixed_runs();
	test_pieces();
	test_peek();
	test_peek_at_interrupt();
	test_lengths();
	test_reply_room();
	return finish();
}
