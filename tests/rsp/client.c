#define _GNU_SOURCE
#include "client.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX 0x2000
#define RUN_BASE 29 /* what a run's character has above how often the one before comes again */

bool client_send(int fd, const char *body)
{
	char frame[BODY_MAX + 8];
	unsigned char sum = 0;
	int len;

	if (strlen(body) > BODY_MAX)
		return false;
	for (const char *c = body; *c; c++)
		sum = (unsigned char)(sum + *c);
	len = snprintf(frame, sizeof(frame), "+$%s#%02x", body, sum);
	return send(fd, frame, (size_t)len, MSG_NOSIGNAL) == len;
}

/* The next byte, from what was read last or anew. */
static bool next(struct server *server, int fd, char *c)
{
	static char buffer[0x4000];
	static ssize_t at, end;
	static int of = -1;

	if (of != fd) {
		at = end = 0;
		of = fd;
	}
	if (at == end) {
		at = end = 0;
		if (!server_wait(server, fd))
			return false;
		end = read(fd, buffer, sizeof(buffer));
		if (end <= 0) {
			of = -1;
			return false;
		}
	}
	*c = buffer[at++];
	return true;
}

bool client_receive(struct server *server, int fd, char *body, size_t size, bool *spoke)
{
	size_t len = 0;
	bool inside = false, run = false;
	char c;

	while (next(server, fd, &c)) {
		if (c == '$') {
			inside = true;
			run = false;
			len = 0;
		} else if (c == '#' && inside) {
			body[len] = 0;
			if (!next(server, fd, &c) || !next(server, fd, &c))
				return false;
			if (*body != 'O' || !strcmp(body, "OK"))
				return true;
			*spoke = true;
			inside = false;
		} else if (inside && run) {
			size_t count = (size_t)(unsigned char)c - RUN_BASE;

			if ((unsigned char)c < RUN_BASE || !len || count >= size - len)
				return false;
			memset(body + len, body[len - 1], count);
			len += count;
			run = false;
		} else if (inside && c == '*') {
			run = true;
		} else if (inside) {
			if (len + 1 >= size)
				return false;
			body[len++] = c;
		}
	}
	return false;
}

bool client_exchange(struct server *server, int fd, const char *body, char *reply, size_t size, bool *spoke)
{
	return client_send(fd, body) && client_receive(server, fd, reply, size, spoke);
}
