/* The endpoint and the client behind it: TCP, a Unix socket, or stdin and stdout. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "internal.h"

static int fail(char *why, size_t size, int error, const char *what, const char *endpoint)
{
	snprintf(why, size, "%s %s: %s", what, endpoint, strerror(error));
	return -error;
}


static void set_flag(int fd, int flag, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, on ? flags | flag : flags & ~flag);
}

/* The socket of a server that is gone is left behind in the file system; one in use is not ours. */
static bool socket_is_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, result;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	result = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;
	close(fd);
	return result == ECONNREFUSED;
}

static void unlink_socket(struct transport *t)
{
	if (*t->path)
		unlink(t->path);
	*t->path = 0;
}

static int listen_unix(struct transport *t, const char *path, char *why, size_t size)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, error;

	if (!*path || strlen(path) >= sizeof(addr.sun_path)) {
		snprintf(why, size, "the path of a Unix socket has 1 to %zu characters: '%s'",
			 sizeof(addr.sun_path) - 1, path);
		return -ENAMETOOLONG;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(why, size, errno, "cannot open", t->endpoint);
	/* Linux gives the file the mode that the socket has when it is bound. */
	if (fchmod(fd, 0600))
		goto failed;
	if (socket_is_stale(&addr))
		unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		goto failed;
	strcpy(t->path, path);
	if (listen(fd, 8))
		goto failed;
	/* gdb takes a bare path, and nothing before it. */
	memmove(t->endpoint, path, strlen(path) + 1);
	t->local = true;
	t->listener = fd;
	return 0;
failed:
	error = errno;
	close(fd);
	unlink_socket(t);
	return fail(why, size, error, "cannot listen on", t->endpoint);
}

static bool is_loopback(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24 == 127;
	return addr->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

/* A wildcard address is one to listen on, not one to connect to. */
static const char *connectable(const char *host)
{
	if (!strcmp(host, "0.0.0.0"))
		return "127.0.0.1";
	return strcmp(host, "::") ? host : "::1";
}

static int listen_tcp(struct transport *t, const char *endpoint, char *why, size_t size)
{
	const char *colon = strrchr(endpoint, ':');
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	struct sockaddr_storage name;
	socklen_t name_len = sizeof(name);
	char host[64] = "127.0.0.1", service[8];
	size_t host_len;
	int fd = -1, error, one = 1;

	if (!colon || !colon[1] || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) > 65535) {
		snprintf(why, size, "'%s' is not an endpoint: [HOST]:PORT, unix:PATH or stdio",
			 endpoint);
		return -EINVAL;
	}
	host_len = (size_t)(colon - endpoint);
	if (host_len >= 2 && endpoint[0] == '[' && colon[-1] == ']') {
		endpoint++;
		host_len -= 2;
	} else if (memchr(endpoint, ':', host_len)) {
		snprintf(why, size, "'%s' is not an endpoint: an IPv6 address stands in brackets, as in "
				    "[::1]:1234", endpoint);
		return -EINVAL;
	}
	if (host_len >= sizeof(host)) {
		snprintf(why, size, "the host's name is too long: '%s'", endpoint);
		return -ENAMETOOLONG;
	}
	if (host_len) {
		memcpy(host, endpoint, host_len);
		host[host_len] = 0;
	}
	/* Numbers first: they need no resolver, which is large and slow to start. */
	hints.ai_flags |= AI_NUMERICHOST;
	error = getaddrinfo(host, colon + 1, &hints, &found);
	if (error) {
		hints.ai_flags &= ~AI_NUMERICHOST;
		error = getaddrinfo(host, colon + 1, &hints, &found);
	}
	if (error) {
		snprintf(why, size, "cannot find the host '%s': %s", host, gai_strerror(error));
		return -EADDRNOTAVAIL;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&name, &name_len) ||
	    getnameinfo((struct sockaddr *)&name, name_len, host, sizeof(host), service,
			sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV)) {
		error = errno;
		freeaddrinfo(found);
		if (fd >= 0)
			close(fd);
		return fail(why, size, error, "cannot listen on", t->endpoint);
	}
	freeaddrinfo(found);
	t->public = !is_loopback((struct sockaddr *)&name);
	snprintf(t->endpoint, sizeof(t->endpoint),
		 name.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", connectable(host), service);
	t->listener = fd;
	return 0;
}

/* As the reply to the first packet of a gdb, which shows it to its user. */
static void make_refusal(char refusal[REFUSAL_SIZE], const char *body)
{
	unsigned char sum = 0;

	for (const char *c = body; *c; c++)
		sum = (unsigned char)(sum + *c);
	snprintf(refusal, REFUSAL_SIZE, "+$%s#%02x", body, sum);
}

static void refuse(struct transport *t, int fd, const char *refusal)
{
	if (send(fd, refusal, strlen(refusal), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		/* nothing to be done for a client that is gone already */
	}
	/*
	 * Closing it with the client's first packet unread would reset the connection, and
	 * the refusal might never be seen: so not before the next one.
	 */
	shutdown(fd, SHUT_WR);
	if (t->refused >= 0)
		close(t->refused);
	t->refused = fd;
}

/* A socket's mode is looked at when it is connected to, but who may enter its folder can have another one there. */
static bool is_stranger(const struct transport *t, int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (!t->local)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		peer.uid = (uid_t)-1;
	*uid = peer.uid;
	return peer.uid && peer.uid != geteuid();
}

static void refuse_stranger(struct transport *t, int fd, uid_t uid)
{
	char refusal[REFUSAL_SIZE], text[80];

	make_refusal(refusal, "E.kvmgdb serves only the user who has started it");
	refuse(t, fd, refusal);
	snprintf(text, sizeof(text), "a client of another user, %u, was refused", (unsigned int)uid);
	if (t->tell)
		t->tell(t->target, text);
}

/* For this thread, not for any of the process: it is the one that runs the target. */
static void choose_signal(const struct transport *t, int fd, int number)
{
	struct f_owner_ex self = {.type = F_OWNER_TID, .pid = gettid()};

	fcntl(fd, F_SETOWN_EX, t->owner ? t->owner : &self);
	fcntl(fd, F_SETSIG, number);
}

int transport_listen(struct transport *t, const char *endpoint, char *why, size_t size)
{
	int result;

	*t = (struct transport){.owner = t->owner, .tell = t->tell, .target = t->target};
	t->listener = t->in = t->out = t->refused = -1;
	if (strlen(endpoint) >= sizeof(t->endpoint)) {
		snprintf(why, size, "the endpoint's name is too long");
		return -ENAMETOOLONG;
	}
	strcpy(t->endpoint, endpoint);
	if (!strcmp(endpoint, "stdio")) {
		t->stdio = true;
		return 0;
	}
	if (!strncmp(endpoint, "unix:", 5))
		result = listen_unix(t, endpoint + 5, why, size);
	else
		result = listen_tcp(t, endpoint, why, size);
	if (!result) {
		make_refusal(t->refusal, "E.kvmgdb is serving another client");
		/* A second client is to be refused while the first is served. */
		choose_signal(t, t->listener, SIGNAL_LISTENER);
		set_flag(t->listener, O_ASYNC, true);
	}
	return result;
}

void transport_close(struct transport *t)
{
	transport_disconnect(t);
	if (t->listener >= 0)
		close(t->listener);
	if (t->refused >= 0)
		close(t->refused);
	t->listener = t->refused = -1;
	unlink_socket(t);
}

/* A client whose machine is gone says nothing any more; it is not waited for longer than 20 minutes. */
static void set_options(int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},	   {SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 600},  {IPPROTO_TCP, TCP_KEEPINTVL, 60},
		{IPPROTO_TCP, TCP_KEEPCNT, 10},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof(options[i].value));
}

int transport_accept(struct transport *t, bool wait)
{
	uid_t uid;
	int fd;

	t->is_socket = t->signals = false;
	if (t->stdio) {
		t->stdio = false; /* once */
		t->in = STDIN_FILENO;
		t->out = STDOUT_FILENO;
		choose_signal(t, t->in, SIGNAL_CLIENT);
		set_flag(t->in, O_ASYNC, true);
		return 0;
	}
	if (t->listener < 0)
		return -ENOTCONN;
	for (;;) {
		struct pollfd waiting = {.fd = t->listener, .events = POLLIN};

		fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0 && !is_stranger(t, fd, &uid))
			break;
		if (fd >= 0) {
			refuse_stranger(t, fd, uid);
			continue;
		}
		if (errno == ECONNABORTED || errno == EPROTO)
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			/* Not for ever: somebody else's descriptors will be closed. */
			if (!wait)
				return -EAGAIN;
			poll(NULL, 0, 100);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -ENOTCONN;
		if (!wait)
			return -EAGAIN;
		poll(&waiting, 1, -1);
	}
	if (!t->local)
		set_options(fd);
	t->is_socket = true;
	choose_signal(t, fd, SIGNAL_CLIENT);
	t->in = t->out = fd;
	return 0;
}

void transport_refuse(struct transport *t)
{
	struct pollfd client = {.fd = t->in, .events = POLLRDHUP};
	int fd;

	/* The one who waits may be the next, if the client has gone and nobody has noticed yet. */
	if (t->listener < 0 || poll(&client, 1, 0) > 0)
		return;
	while ((fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		refuse(t, fd, t->refusal);
}

void transport_disconnect(struct transport *t)
{
	char unread[256];

	/* Such as an interrupt that was only looked at: over it the client might lose what was sent last. */
	if (t->in >= 0 && t->is_socket)
		recv(t->in, unread, sizeof(unread), MSG_DONTWAIT);
	if (t->in == STDIN_FILENO)
		set_flag(t->in, O_ASYNC, false); /* it is others', too */
	else if (t->in >= 0)
		close(t->in);
	t->in = t->out = -1;
}

void transport_signals(struct transport *t, bool on)
{
	if (!t->is_socket || t->signals == on)
		return;
	/* No other flag that can be set is set. */
	t->signals = !fcntl(t->in, F_SETFL, on ? O_ASYNC : 0) && on;
	t->heard = 1; /* what has come without */
}

void transport_hear(struct transport *t)
{
	t->heard = 1;
}

int transport_peek(struct transport *t)
{
	unsigned char bytes[2];
	ssize_t n;

	if (t->signals && !t->heard)
		return -EAGAIN;
	if (!t->is_socket)
		return TRANSPORT_MORE;
	/* Before the look: what comes behind it is heard. */
	t->heard = 0;
	n = recv(t->in, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	t->heard = 1;
	return n == 1 ? bytes[0] : TRANSPORT_MORE;
}

ssize_t transport_read(struct transport *t, void *buf, size_t size, bool wait)
{
	ssize_t n;

	/* While the guest runs it is asked for again and again, and nearly always there is nothing. */
	if (!wait && t->signals && !t->heard)
		return -EAGAIN;
	if (t->is_socket) {
		/* Before the read: what comes behind it is heard. */
		t->heard = 0;
		n = recv(t->in, buf, size, wait ? 0 : MSG_DONTWAIT);
		if (n < 0)
			return -errno;
		/* The end may have come with it, and raises no signal when a reader was waiting. */
		t->heard = 1;
		return n;
	}
	if (!wait) {
		struct pollfd ready = {.fd = t->in, .events = POLLIN};

		/* Not O_NONBLOCK, which stdin would share with its other users. */
		if (poll(&ready, 1, 0) <= 0)
			return -EAGAIN;
	}
	n = read(t->in, buf, size);
	return n < 0 ? -errno : n;
}

int transport_write(struct transport *t, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = t->is_socket ? send(t->out, p, len, MSG_NOSIGNAL) : write(t->out, p, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd ready = {.fd = t->out, .events = POLLOUT};

			poll(&ready, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
