#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10 /* seconds */

double client_clock(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in address_of(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int free_port(void)
{
	struct sockaddr_in address = address_of(0);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	if (!bind(fd, (struct sockaddr *)&address, len) && !getsockname(fd, (struct sockaddr *)&address, &len))
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}

static pid_t launch(const char *command, int port, const char *log)
{
	const char *place = strstr(command, "{port}");
	char *line;
	pid_t pid;

	if (!place || asprintf(&line, "exec %.*s%d%s", (int)(place - command), command, port, place + 6) < 0)
		return -1;
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(null, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	free(line);
	return pid;
}

bool client_start(struct client *client, const char *command, const char *log)
{
	const struct timespec pause = {.tv_nsec = 200000};
	int port = free_port(), one = 1;
	struct sockaddr_in address = address_of(port);

	client->fd = -1;
	client->no_ack = false;
	client->launched = client_clock();
	client->server = launch(command, port, log);
	while (client->server > 0 && client_clock() - client->launched < PATIENCE) {
		client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(client->fd, (struct sockaddr *)&address, sizeof(address))) {
			setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
			return true;
		}
		close(client->fd);
		client->fd = -1;
		if (waitpid(client->server, NULL, WNOHANG) == client->server) {
			client->server = -1;
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return false;
}

void client_stop(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	if (client->server > 0) {
		kill(client->server, SIGKILL);
		waitpid(client->server, NULL, 0);
	}
	client->server = -1;
}

struct packet packet_make(const char *body, size_t len)
{
	struct packet packet = {.frame = malloc(len + 5), .len = len + 4};
	unsigned char sum = 0;

	if (!packet.frame)
		abort();
	for (size_t i = 0; i < len; i++)
		sum = (unsigned char)(sum + (unsigned char)body[i]);
	packet.frame[0] = '$';
	memcpy(packet.frame + 1, body, len);
	snprintf(packet.frame + 1 + len, 4, "#%02x", sum);
	return packet;
}

bool client_send(struct client *client, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = send(client->fd, p, len, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* One reply: up to the digits behind the '#', which is in no body. Acknowledgements come before it. */
static bool receive_one(struct client *client)
{
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(client->fd, client->reply + have, sizeof(client->reply) - 1 - have, 0);
		char *start;

		if (n <= 0)
			return false;
		have += (size_t)n;
		if (have < 4 || client->reply[have - 3] != '#')
			continue;
		start = memchr(client->reply, '$', have);
		if (!start)
			return false;
		client->body = start + 1;
		client->body_len = (size_t)(client->reply + have - 3 - client->body);
		client->body[client->body_len] = 0;
		return client->no_ack || client_send(client, "+", 1);
	}
}

bool client_receive(struct client *client)
{
	bool is_console;

	do {
		if (!receive_one(client))
			return false;
		is_console = client->body[0] == 'O' && strcmp(client->body, "OK");
	} while (is_console);
	return true;
}

bool client_ask(struct client *client, const struct packet *packet)
{
	return client_send(client, packet->frame, packet->len) && client_receive(client);
}

/* Short replies may have runs: a character, '*', and how often it is repeated, plus 29. */
static bool undo_runs(struct client *client)
{
	static char whole[CLIENT_PACKET_MAX];
	size_t len = 0;

	for (size_t i = 0; i < client->body_len; i++) {
		size_t count = 1;

		if (client->body[i] == '*' && len && i + 1 < client->body_len)
			count = (size_t)(unsigned char)client->body[++i] - 29;
		if (count >= sizeof(whole) - len)
			return false;
		memset(whole + len, count > 1 ? whole[len - 1] : client->body[i], count);
		len += count;
	}
	client->body = client->reply;
	client->body_len = len;
	memcpy(client->body, whole, len);
	client->body[len] = 0;
	return true;
}

bool client_command(struct client *client, const char *format, ...)
{
	struct timeval limit = {.tv_sec = PATIENCE};
	struct packet packet;
	va_list args;
	char *body;
	bool done;
	int len;

	va_start(args, format);
	len = vasprintf(&body, format, args);
	va_end(args);
	if (len < 0)
		return false;
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	packet = packet_make(body, (size_t)len);
	done = client_ask(client, &packet) && undo_runs(client);
	free(packet.frame);
	free(body);
	return done;
}
