/*
 * replay FILE.rsp: a TAP test that holds a conversation in the Remote Serial Protocol, as FILE.rsp
 * has it, with the fake target or with a kvmgdb, and compares what comes back.
 *
 *   # target: fake [two] [file] [rom] [created] [running] [blocked] [on-disconnect=stop|run|exit]
 *   # target: kvmgdb GUEST.bin [OPTION]...
 *                    whom to talk to; in the first lines. See server.h
 *   # acks           the client stays in acknowledgement mode. Without this line each connection
 *                    begins with QStartNoAckMode, as real clients do
 *   # anything else  a comment; empty lines are skipped
 *
 *   = NAME           a test begins, with a new server and client
 *   - NAME           a test begins and goes on where the last one has ended
 *
 *   > TEXT           sends a packet; in acknowledgement mode waits for its +
 *   < TEXT           the next packet must have this body, its runs expanded and its escapes undone;
 *                    in acknowledgement mode sends the +
 *   <? TEXT          the same of a packet that only some hosts have a reason to send
 *   >> TEXT          sends bytes without a frame
 *   << TEXT          the next bytes must be these
 *   ! interrupt      sends 0x03
 *   ! listens        waits until what the client sends raises a signal: the server has looked for it, and will again
 *   ! no-ack         acknowledgements are over (after a QStartNoAckMode)
 *   ! bytewise       from now on each byte is sent by itself
 *   ! half-close     the client has nothing more to say
 *   ! close          the client goes
 *   ! client N       what follows is about client N, 0 to 3
 *   ! connect        it connects; client 0 does so by itself when a test begins
 *   ! connect raw    the same without QStartNoAckMode
 *   ! eof            the server must have closed the connection
 *   ! ends HOW       the server must end, and so: see server_end()
 *
 * TEXT is explained in text.h.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server.h"
#include "tap.h"
#include "text.h"

#define CLIENTS 4
#define LOG_LINES 20	    /* of what the server has printed, to be shown */
#define PACKET_SIZE 0x10000 /* what the server announces; no frame may be longer */

struct client {
	int fd; /* -1: not connected */
	bool acks;
	char in[0x10000];
	size_t start, end;
	struct text early; /* a packet that came instead of one that need not come */
	bool has_early;
};

static struct {
	const char *file;
	unsigned int line;
	char target[200];
	bool acks; /* the transcript's choice */
	bool bytewise;
	struct server server;
	struct client clients[CLIENTS];
	struct client *client;
	char *title; /* of the test that runs */
	bool good;   /* so far */
	bool broken; /* the server and its clients are not to be relied on any more */
} now;

__attribute__((format(printf, 1, 2))) static bool fail(const char *format, ...)
{
	va_list args;

	if (now.good)
		result(false, "%s", now.title ? now.title : now.file);
	now.good = false;
	printf("# %s:%u: ", now.file, now.line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return false;
}

static bool send_bytes(const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(now.client->fd, bytes, now.bytewise ? 1 : len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail("cannot send: %s", strerror(errno));
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

enum { END = -1, TOO_LATE = -2 };

static int get_byte(void)
{
	struct client *c = now.client;

	if (c->start == c->end) {
		ssize_t n;

		if (!server_wait(&now.server, c->fd))
			return TOO_LATE;
		n = recv(c->fd, c->in, sizeof(c->in), 0);
		if (n <= 0)
			return END;
		c->start = 0;
		c->end = (size_t)n;
	}
	return (unsigned char)c->in[c->start++];
}

static bool nothing_came(int got, const char *expected)
{
	now.broken = true;
	return fail(got == END ? "the connection was closed instead of %s" : "no %s in time",
		    expected);
}

static bool expect_ack(void)
{
	int c = get_byte();

	if (c < 0)
		return nothing_came(c, "an ack");
	return c == '+' || fail("byte 0x%02x instead of an ack", (unsigned int)c);
}

static bool send_packet(const struct text *body)
{
	char *bytes = text_bytes(body), tail[4];
	unsigned int sum = 0;
	bool good;

	for (size_t i = 0; i < body->len; i++)
		sum += (unsigned char)bytes[i];
	snprintf(tail, sizeof(tail), "#%02x", sum & 0xff);
	/* In one piece, so that the server can see all of it at once. */
	bytes = realloc(bytes, body->len + 5);
	if (!bytes)
		abort();
	memmove(bytes + 1, bytes, body->len);
	bytes[0] = '$';
	memcpy(bytes + 1 + body->len, tail, 3);
	good = send_bytes(bytes, body->len + 4);
	free(bytes);
	return good && (!now.client->acks || expect_ack());
}

/* A frame's body: its checksum is checked, its runs expanded, its escapes undone. */
static bool receive_packet(struct text *body)
{
	unsigned int sum = 0, digits, length = PACKET_SIZE - 4;
	char text[3] = { 0 };
	bool escaped = false;
	int c = get_byte(), repeats;

	if (c != '$')
		return c < 0 ? nothing_came(c, "a reply")
			     : fail("byte 0x%02x instead of a reply", (unsigned int)c);
	while ((c = get_byte()) >= 0 && c != '#' && c != '$') {
		sum += (unsigned int)c;
		if (!length--)
			return fail("a reply is longer than PacketSize");
		if (escaped) {
			text_add(body, c ^ 0x20);
			escaped = false;
		} else if (c == '}') {
			escaped = true;
		} else if (c == '*' && body->len) {
			repeats = get_byte();
			sum += (unsigned int)repeats;
			/* The manual: a printable character, and none that is the frame's own. */
			if (repeats < ' ' || repeats > '~' || strchr("#$+-", repeats))
				return fail("a run has the count 0x%02x", (unsigned int)repeats);
			for (int i = 0; i < repeats - 29; i++)
				text_add(body, body->item[body->len - 1]);
		} else {
			text_add(body, c);
		}
	}
	if (c != '#')
		return c < 0 ? nothing_came(c, "a reply's end") : fail("a $ inside a reply");
	for (int i = 0; i < 2 && (c = get_byte()) >= 0; i++)
		text[i] = (char)c;
	digits = (unsigned int)strtoul(text, NULL, 16);
	if (c < 0 || !isxdigit((unsigned char)text[0]) || digits != (sum & 0xff))
		return fail("a reply's checksum is '%s', not %02x", text, sum & 0xff);
	return !now.client->acks || send_bytes("+", 1);
}

static bool next_packet(struct text *body)
{
	struct client *c = now.client;

	if (!c->has_early)
		return receive_packet(body);
	*body = c->early;
	c->early = (struct text){ 0 };
	c->has_early = false;
	return true;
}

static bool expect_packet(const struct text *expected)
{
	struct text got = { 0 };
	bool good = next_packet(&got);

	if (good && !text_match(expected, &got)) {
		good = fail("another reply than expected");
		text_print("expected", expected);
		text_print("received", &got);
	}
	text_free(&got);
	return good;
}

/* Whatever else came is what the next line is about. */
static bool expect_if_any(const struct text *expected)
{
	struct text got = { 0 };

	if (!next_packet(&got)) {
		text_free(&got);
		return false;
	}
	if (text_match(expected, &got)) {
		text_free(&got);
	} else {
		now.client->early = got;
		now.client->has_early = true;
	}
	return true;
}

static bool expect_bytes(const struct text *expected)
{
	struct text got = { 0 };
	bool good = true;
	int c = 0;

	while (got.len < expected->len && (c = get_byte()) >= 0)
		text_add(&got, c);
	if (c < 0)
		good = nothing_came(c, "these bytes");
	else if (!text_match(expected, &got))
		good = fail("other bytes than expected");
	if (!good) {
		text_print("expected", expected);
		text_print("received", &got);
	}
	text_free(&got);
	return good;
}

/* Sends or expects a line in the notation of text.h. */
static bool exchange(const char *line, bool pattern, bool (*what)(const struct text *text))
{
	struct text text;
	bool good = text_parse(&text, line, pattern) ? what(&text) : fail("bad notation: %s", line);

	text_free(&text);
	return good;
}

static bool send_raw(const struct text *text)
{
	char *bytes = text_bytes(text);
	bool good = send_bytes(bytes, text->len);

	free(bytes);
	return good;
}

static bool client_open(bool handshake)
{
	struct client *c = now.client;

	c->fd = server_connect(&now.server);
	if (c->fd < 0)
		return now.broken = true, fail("cannot connect: %s", strerror(errno));
	c->start = c->end = 0;
	text_free(&c->early);
	c->has_early = false;
	c->acks = true;
	if (!handshake)
		return true;
	if (!exchange("QStartNoAckMode", false, send_packet) ||
	    !exchange("OK", true, expect_packet))
		return false;
	c->acks = false;
	return true;
}

static bool client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	return true;
}

static bool expect_end(const char *how)
{
	const char *end = server_end(&now.server);

	return !strcmp(end, how) || fail("the server's end is '%s', not '%s'", end, how);
}

/* Whether two of the server's files have O_ASYNC: the client's beside the listener. */
static bool server_listens(void)
{
	char path[64], line[64];
	unsigned int flags, found = 0;

	for (int fd = 3; fd < 64 && found < 2; fd++) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)now.server.pid, fd);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			found += sscanf(line, "flags: %o", &flags) == 1 && flags & O_ASYNC;
		if (file)
			fclose(file);
	}
	return found == 2;
}

static bool wait_until_it_listens(void)
{
	time_t began = time(NULL);

	while (!server_listens()) {
		if (time(NULL) - began > 60)
			return fail("it does not listen in time");
	}
	return true;
}

static bool obey(const char *line)
{
	int c;

	if (!strcmp(line, "interrupt"))
		return send_bytes("\x03", 1);
	if (!strcmp(line, "listens"))
		return wait_until_it_listens();
	if (!strcmp(line, "no-ack"))
		return now.client->acks = false, true;
	if (!strcmp(line, "bytewise"))
		return now.bytewise = true;
	if (!strcmp(line, "half-close"))
		return !shutdown(now.client->fd, SHUT_WR);
	if (!strcmp(line, "close"))
		return client_close(now.client);
	if (!strcmp(line, "connect"))
		return client_open(!now.acks);
	if (!strcmp(line, "connect raw"))
		return client_open(false);
	if (!strcmp(line, "eof")) {
		c = get_byte();
		return c == END ||
		       fail(c < 0 ? "no end in time" : "byte 0x%02x, no end", (unsigned int)c);
	}
	if (!strncmp(line, "client ", 7) && line[7] >= '0' && line[7] < '0' + CLIENTS && !line[8]) {
		now.client = &now.clients[line[7] - '0'];
		return true;
	}
	if (!strncmp(line, "ends ", 5))
		return expect_end(line + 5);
	return fail("unknown: ! %s", line);
}

static void stop(void)
{
	const char *end;

	if (!*now.server.directory)
		return;
	/* Before its clients go, since their going may be its end. */
	end = server_stop(&now.server);
	for (int i = 0; i < CLIENTS; i++)
		client_close(&now.clients[i]);
	if (end && now.good)
		fail("the server has ended: %s", end);
	if (!now.good) {
		char *save = NULL;

		now.server.output[now.server.output_len] = 0;
		for (int i = 0; i < LOG_LINES; i++) {
			char *l = strtok_r(i ? NULL : now.server.output, "\n", &save);

			if (!l)
				break;
			printf("# server: %s\n", l);
		}
	}
	*now.server.directory = 0;
}

static void end_test(void)
{
	if (now.title && now.good)
		result(true, "%s", now.title);
	free(now.title);
	now.title = NULL;
}

static void begin_test(const char *title, bool fresh)
{
	const char *why;

	if (fresh)
		stop();
	end_test();
	now.title = strdup(title);
	now.good = true;
	if (!fresh) {
		if (now.broken)
			fail("what it follows has failed");
		return;
	}
	now.bytewise = false;
	now.client = &now.clients[0];
	why = server_start(&now.server, now.target);
	now.broken = why && !fail("%s", why);
	if (!why)
		client_open(!now.acks);
}

static void step(const char *line)
{
	const char *text = line + 1;

	if (line[0] == '=' || (line[0] == '-' && line[1] == ' ')) {
		begin_test(text + strspn(text, " "), line[0] == '=');
		return;
	}
	/* After a failure the rest would be noise. */
	if (now.broken || !now.title)
		return;
	if (line[0] == line[1] || line[1] == '?')
		text++;
	text += *text == ' ';
	if (line[0] != '!' && now.client->fd < 0)
		fail("not connected");
	else if (!strncmp(line, ">>", 2))
		exchange(text, false, send_raw);
	else if (!strncmp(line, "<<", 2))
		exchange(text, true, expect_bytes);
	else if (!strncmp(line, "<?", 2))
		exchange(text, true, expect_if_any);
	else if (line[0] == '>')
		exchange(text, false, send_packet);
	else if (line[0] == '<')
		exchange(text, true, expect_packet);
	else if (line[0] == '!')
		obey(text);
	else
		fail("not a line of a transcript: %s", line);
}

static bool header(const char *line)
{
	if (!strncmp(line, "# target: ", 10))
		snprintf(now.target, sizeof(now.target), "%s", line + 10);
	else if (!strcmp(line, "# acks"))
		now.acks = true;
	return line[0] == '#';
}

/* All of it at once: a server's child that ends would move the place in an open file. */
static char *read_file(const char *name)
{
	FILE *file = fopen(name, "re");
	size_t size = 0;
	char *text = NULL;

	/* There is no 0 in it, so it is one "line". */
	if (!file || getdelim(&text, &size, 0, file) < 0) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	char *text = argc == 2 ? read_file(argv[1]) : NULL, *line = text;
	const char *why;
	size_t len;
	bool skip;

	if (!text) {
		fprintf(stderr, "usage: replay FILE.rsp\n");
		return 2;
	}
	now.file = argv[1];
	now.good = true;
	for (int i = 0; i < CLIENTS; i++)
		now.clients[i].fd = -1;
	for (; *line; line += len) {
		now.line++;
		len = strcspn(line, "\n");
		if (line[len])
			line[len++] = 0;
		if (header(line) || !*line)
			continue;
		if (!now.title) {
			why = server_missing(now.target, &skip);
			if (why && skip) {
				printf("1..0 # SKIP %s\n", why);
				return 0;
			}
			if (why || !*now.target || line[0] != '=') {
				fail("%s", why ? why : "a target and a test must come first");
				break;
			}
		}
		step(line);
	}
	stop();
	end_test();
	free(text);
	return finish();
}
