/*
 * faults: a TAP test that holds one debugging session with a kvmgdb again and again, and has it
 * disturbed each time:
 *
 *   walk        each of the program's system calls fails once (KVMGDB is tests/kvmgdb-faulty): either all is as without
 *               that, or the client is told of an error, or the program ends with a word about it
 *   kill        the client goes, without a word, at each packet: the next one finds the guest as it was, without a
 *               planted byte, and goes on to the same end
 *   reconnect   many clients, one after the other: nothing of them stays
 *
 * Environment: FAULTS_STEP: of the walk's calls each so-manieth fails (default 16; 1: all), FAULTS_CLIENTS: how many reconnect.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define TARGET "kvmgdb sum.bin --console=none --memory=1M"
#define REPLY_MAX 0x8000

/* Sum.bin: a breakpoint, a step, a watchpoint, changes of registers and memory, and on to the HLT. */
static const char *const session[] = {
	"QStartNoAckMode", "qSupported:swbreak+;hwbreak+;vContSupported+", "?", "m1000,20", "Z0,1004,1", "Z1,1008,1",
	"vCont;c", "g", "m1000,20", "vCont;s:1", "p0", "M2000,2:1234", "m2000,2", "P1=07000000", "g",
	"Z2,2000,2", "vCont;s:1", "z2,2000,2", "Z0,1010,1", "z1,1008,1", "vCont;c", "g", "z0,1004,1", "z0,1010,1", "m1000,20",
	"vCont;c", "g", "m1000,20"};

/* Without a fault: what comes back, and the registers then. */
static char expected[COUNT(session)][REPLY_MAX], registers[COUNT(session)][REPLY_MAX];
static struct server server;
static bool spoke; /* the program has, on the client's console */

static unsigned long from_environment(const char *name, unsigned long preset)
{
	const char *value = getenv(name);

	return value && *value ? strtoul(value, NULL, 10) : preset;
}

static bool exchange(int fd, const char *body, char *reply)
{
	return client_exchange(&server, fd, body, reply, REPLY_MAX, &spoke);
}

/* A client introduces itself. */
static bool begin(int fd)
{
	static char reply[REPLY_MAX];

	return fd >= 0 && exchange(fd, session[0], reply) && exchange(fd, session[1], reply);
}

static bool resumes(const char *packet)
{
	return !strncmp(packet, "vCont;", 6);
}

static bool same_reply(size_t i, const char *reply)
{
	return !strcmp(reply, expected[i]);
}

static bool record(void)
{
	const char *why = server_start(&server, TARGET);
	int fd = why ? -1 : server_connect(&server);
	bool good = fd >= 0;

	for (size_t i = 0; i < COUNT(session) && good; i++) {
		good = exchange(fd, session[i], expected[i]) && (i == 0 || exchange(fd, "g", registers[i]));
		if (good && i > 2 && !*expected[i])
			good = false;
	}
	if (fd >= 0)
		close(fd);
	why = server_stop(&server);
	if (why)
		comment("%s: %s", why, server.output);
	return good && !why;
}

/* The walk */

static bool wrong(const char *call, unsigned long n, const char *error, const char *what)
{
	comment("%s %lu, %s: %s", call, n, error, what);
	comment("printed: %.300s", server.output);
	return false;
}

static bool steps_from_start(int fd)
{
	static char reply[REPLY_MAX];

	return exchange(fd, "P8=00100000", reply) && exchange(fd, "vCont;s:1", reply) && !strncmp(reply, "T05", 3) &&
	       strstr(reply, ";08:02100000;");
}

/*
 * Whatever has failed, for the next client there is a guest with nothing planted in it that can be stepped; after
 * `monitor reset` where KVM has refused to run it, which is the end of that guest.
 */
static bool is_clean(void)
{
	static char reply[REPLY_MAX];
	int fd = server_connect(&server);
	bool good = begin(fd) && exchange(fd, "m1000,20", reply) && !strcmp(reply, expected[3]) &&
		    (steps_from_start(fd) || (spoke && exchange(fd, "qRcmd,7265736574", reply) && steps_from_start(fd)));

	if (fd >= 0)
		close(fd);
	return good;
}

/*
 * The session with one fault. A client that loses its connection, by the fault, comes again. Once it has been told of
 * an error nothing is compared any more, since the session is another one then; but it must be answered.
 */
static bool run_with_fault(const char *call, unsigned long n, const char *error)
{
	static char reply[REPLY_MAX];
	char fault[64];
	const char *end;
	bool told = false, good = true;
	int fd;

	snprintf(fault, sizeof(fault), "%s:%lu:%s", call, n, error);
	setenv("FAULTY_NTH", fault, 1);
	end = server_start(&server, TARGET);
	unsetenv("FAULTY_NTH");
	if (end) {
		/* Before the guest runs: a sentence, and a status of 2. */
		end = server_end(&server);
		good = !strcmp(end, "status 2") && strstr(server.output, "kvmgdb: ");
		if (!good)
			wrong(call, n, error, end);
		server_stop(&server);
		return good;
	}
	fd = server_connect(&server);
	for (size_t i = 0; i < COUNT(session) && good; i++) {
		spoke = false;
		if (!exchange(fd, session[i], reply)) {
			if (server.ended || told)
				break;
			/* Its writes, or the connection, have failed. */
			close(fd);
			fd = server_connect(&server);
			told = true;
			if (!begin(fd))
				good = wrong(call, n, error, "nobody is served any more");
			continue;
		}
		if (told || same_reply(i, reply))
			continue;
		/* An error, or another stop than SIGTRAP's that the user was told of. */
		told = *reply == 'E' || (resumes(session[i]) && *reply == 'T' && strncmp(reply, "T05", 3) && spoke);
		if (!told) {
			good = wrong(call, n, error, session[i]);
			comment("expected %.200s, got %.200s", expected[i], reply);
		}
	}
	if (fd >= 0)
		close(fd);
	spoke = false;
	if (!server.ended && good && !is_clean() && !server.ended)
		good = wrong(call, n, error, "the next client's guest is not as it should be");
	if (server.ended) {
		end = server_end(&server);
		if (strncmp(end, "status ", 7) || !strstr(server.output, "kvmgdb: "))
			good = wrong(call, n, error, end);
	}
	end = server_stop(&server);
	return end ? wrong(call, n, error, end) : good;
}

/* One of those that the call is known to fail with. */
static const char *error_of(const char *call, unsigned long number)
{
	static const struct {
		const char *call, *errors[5];
		size_t count;
	} kinds[] = {
		{"ioctl", {"EINTR", "EAGAIN", "ENOMEM", "EFAULT", "EIO"}, 5},
		{"mmap", {"ENOMEM", "EAGAIN"}, 2},
		{"open", {"EINTR", "ENOMEM", "EIO"}, 3},
		{"write", {"EINTR", "EAGAIN", "ENOSPC", "EIO"}, 4},
		{"send", {"EINTR", "EAGAIN", "ENOMEM"}, 3},
		{"accept4", {"EINTR", "EAGAIN", "ENOMEM"}, 3},
	};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (!strcmp(kinds[i].call, call))
			return kinds[i].errors[number % kinds[i].count];
	}
	return "EIO";
}

static void walk(void)
{
	unsigned long step = from_environment("FAULTS_STEP", 16), n, total = 0, count;
	char path[] = "/tmp/faults-XXXXXX", call[16];
	static char reply[REPLY_MAX];
	int fd = mkstemp(path), client;
	FILE *file;

	/* How many there are, by a session that ends by itself. */
	setenv("FAULTY_COUNT", path, 1);
	result(fd >= 0 && !server_start(&server, TARGET), "the calls are counted");
	unsetenv("FAULTY_COUNT");
	client = server_connect(&server);
	for (size_t i = 0; i < COUNT(session) && client >= 0; i++)
		exchange(client, session[i], reply);
	client_send(client, "k");
	result(!strcmp(server_end(&server), "status 0"), "and it ends");
	close(client);
	server_stop(&server);
	file = fd >= 0 ? fdopen(fd, "r") : NULL;
	while (file && fscanf(file, "%15s %lu", call, &count) == 2) {
		unsigned long good = 0, made = 0;

		for (n = 1; n <= count; n += step, made++)
			good += run_with_fault(call, n, error_of(call, made));
		/* To a pipe, not to a socket, goes what is written. */
		result(good == made && (made || !strcmp(call, "write")), "%s: %lu of %lu calls fail, one at a time", call, made,
		       count);
		total += made;
	}
	comment("%lu faults", total);
	if (file)
		fclose(file);
	unlink(path);
	result(total > 0, "there were calls to fail");
}

/* Clients that are killed */

/* The points that the client had set before packet `end`. */
static bool set_points(int fd, size_t end)
{
	static char reply[REPLY_MAX];

	for (size_t i = 0; i < end; i++) {
		if ((*session[i] == 'Z' || *session[i] == 'z') && (!exchange(fd, session[i], reply) || strcmp(reply, "OK")))
			return false;
	}
	return true;
}

static bool killed_at(size_t at)
{
	static char reply[REPLY_MAX], now[REPLY_MAX];
	const char *why = server_start(&server, TARGET);
	int fd = why ? -1 : server_connect(&server);
	bool good = fd >= 0;

	for (size_t i = 0; i < at && good; i++)
		good = exchange(fd, session[i], reply) && same_reply(i, reply);
	/* A process that is killed has its sockets closed, whatever has come for it. */
	good = good && client_send(fd, session[at]);
	close(fd);
	fd = server_connect(&server);
	good = good && begin(fd) && exchange(fd, "m1000,20", reply);
	if (good && strcmp(reply, expected[3])) {
		good = false;
		comment("killed at %s: the code is %s", session[at], reply);
	}
	good = good && set_points(fd, at) && exchange(fd, "g", now);
	/* Whether the last packet was still seen is a matter of time. */
	for (size_t i = resumes(session[at]) && !strcmp(now, registers[at]) ? at + 1 : at; i < COUNT(session) && good; i++) {
		good = exchange(fd, session[i], reply) && same_reply(i, reply);
		if (!good)
			comment("killed at %s: then %s gives %.200s, not %.200s", session[at], session[i], reply, expected[i]);
	}
	if (fd >= 0)
		close(fd);
	why = server_stop(&server);
	if (why)
		comment("%s: %.300s", why, server.output);
	return good && !why;
}

/* Many clients */

static unsigned long descriptors(pid_t pid)
{
	unsigned long count = 0;
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	return count;
}

/* KiB that are the program's own; but for the guest's, which does not run. */
static unsigned long memory(pid_t pid)
{
	unsigned long kib = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "RssAnon: %lu", &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kib;
}

#define WARM 50	   /* clients, after which nothing is new */
#define GROWTH 64u /* KiB: the kernel counts a process's pages with some delay */

static void reconnect(void)
{
	static char reply[REPLY_MAX];
	unsigned long clients = from_environment("FAULTS_CLIENTS", 2000), done;
	unsigned long files = 0, kib = 0, last_files = 0, last_kib = 0;
	const char *why = server_start(&server, TARGET);
	bool good = !why;

	for (done = 0; done < clients && good; done++) {
		int fd = server_connect(&server);

		good = begin(fd) && exchange(fd, "m1000,20", reply) &&
		       !strcmp(reply, expected[3]) && exchange(fd, "Z0,1004,1", reply) && exchange(fd, "Z2,2000,4", reply) &&
		       (done % 16 || exchange(fd, "vCont;s:1", reply));
		/* While it waits for this client, and has nothing of another. */
		last_files = descriptors(server.pid);
		last_kib = memory(server.pid);
		if (done == WARM) {
			files = last_files;
			kib = last_kib;
		}
		close(fd);
	}
	result(good, "%lu clients are served, and see no planted byte", done);
	result(good && files && last_files == files, "%lu descriptors stay %lu", files, last_files);
	result(good && kib && last_kib <= kib + GROWTH, "%lu KiB stay %lu", kib, last_kib);
	result(!server_stop(&server), "the end");
}

int main(void)
{
	const char *why;
	bool skip;

	why = server_missing(TARGET, &skip);
	if (why && !skip) {
		result(false, "%s", why);
		return finish();
	}
	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	if (!result(record(), "a session without faults"))
		return finish();
	walk();
	for (size_t i = 0; i < COUNT(session); i++)
		result(killed_at(i), "killed at packet %zu, %s", i, session[i]);
	reconnect();
	return finish();
}
