#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_target.h"

/* The fake server's exit statuses are enum gdbstub_end and this, away from a sanitizer's. */
#define STATUS_BASE 50

#define STACK_SIZE 0x80000

/* By a fake's server when it listens; kvmgdb has its own words. */
#define READY_FAKE "ready"
#define READY_KVMGDB "target remote "

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

/* Seconds for anything to happen. */
static int patience(void)
{
	int seconds = atoi(environment("TEST_TIMEOUT", "60"));

	return seconds > 0 ? seconds : 60;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void first_word(char *word, size_t size, const char *text)
{
	snprintf(word, size, "%.*s", (int)strcspn(text, " "), text);
}

/* The same rules as tests/lib.sh's need_kvm and need_guest. */
const char *server_missing(const char *target, bool *skip)
{
	static char why[400];
	char guest[100];
	int fd;

	*skip = true;
	if (!strncmp(target, "fake", 4))
		return NULL;
	if (!*environment("RUNNER", "")) {
		fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			*skip = strcmp(environment("KVMGDB_REQUIRE_KVM", ""), "1") != 0;
			return "no /dev/kvm";
		}
		close(fd);
	}
	first_word(guest, sizeof(guest), target + strlen("kvmgdb "));
	snprintf(why, sizeof(why), "%s/%s", environment("GUESTS", "guests"), guest);
	if (!access(why, R_OK))
		return NULL;
	if (!*environment("NASM", "nasm"))
		return "no nasm";
	*skip = false;
	strcat(why, " was not built");
	return why;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	while ((text = strstr(text, word)) != NULL) {
		if (!text[len] || text[len] == ' ')
			return true;
		text += len;
	}
	return false;
}

/* In the child. */
static _Noreturn void serve_fake(const struct server *server, const char *options)
{
	static const struct rlimit stack = { STACK_SIZE, STACK_SIZE };
	static struct fake_target fake;
	char endpoint[100], why[256];
	struct gdbstub_stop stop;
	enum gdbstub_end end;
	sigset_t signals;

	/* No packet may need much of it. */
	setrlimit(RLIMIT_STACK, &stack);
	signal(SIGPIPE, SIG_IGN);
	fake.waits = true;
	fake.threads = has_word(options, "two") ? 2 : 1;
	fake.has_file = has_word(options, "file");
	fake.rom = has_word(options, "rom");
	/* As the program has it: the guest's run alone ends by it. */
	sigemptyset(&signals);
	if (has_word(options, "blocked"))
		sigaddset(&signals, SIGIO);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fake_reset(&fake);
	fake.stub = gdbstub_new(&fake_ops, &fake);
	snprintf(endpoint, sizeof(endpoint), "unix:%s", server->path);
	if (!fake.stub || gdbstub_listen(fake.stub, endpoint, why, sizeof(why)))
		_exit(STATUS_BASE - 1);
	gdbstub_set_created(fake.stub, has_word(options, "created"));
	if (has_word(options, "on-disconnect=run"))
		gdbstub_set_on_disconnect(fake.stub, GDBSTUB_DISCONNECT_RUN);
	if (has_word(options, "on-disconnect=exit"))
		gdbstub_set_on_disconnect(fake.stub, GDBSTUB_DISCONNECT_EXIT);
	fputs(READY_FAKE "\n", stderr);
	end = gdbstub_serve(fake.stub, has_word(options, "running"), &stop);
	gdbstub_free(fake.stub);
	exit(STATUS_BASE + (int)end);
}

/* In the child. The shell splits RUNNER and the options as tests/lib.sh does. */
static _Noreturn void serve_kvmgdb(const struct server *server, const char *guest_and_options)
{
	static const char script[] =
		"exec $RUNNER \"$KVMGDB\" --gdb=\"unix:$1\" --timeout=\"$2\" $4 "
		"\"$3\" </dev/null";
	char guest[400], name[100], timeout[16];

	first_word(name, sizeof(name), guest_and_options);
	snprintf(guest, sizeof(guest), "%s/%s", environment("GUESTS", "guests"), name);
	snprintf(timeout, sizeof(timeout), "%d", 2 * patience());
	setenv("KVMGDB", "./kvmgdb", 0);
	setenv("LC_ALL", "C", 1);
	execlp("sh", "sh", "-c", script, "sh", server->path, timeout, guest,
	       guest_and_options + strlen(name), (char *)NULL);
	_exit(127);
}

static bool is_ready(const struct server *server)
{
	return strstr(server->output, server->is_fake ? READY_FAKE : READY_KVMGDB) != NULL;
}

const char *server_start(struct server *server, const char *target)
{
	int output[2];

	memset(server, 0, sizeof(*server));
	server->is_fake = !strncmp(target, "fake", 4);
	strcpy(server->directory, "/tmp/replay-XXXXXX");
	if (!mkdtemp(server->directory) || pipe2(output, O_CLOEXEC))
		return "mkdtemp() or pipe()";
	snprintf(server->path, sizeof(server->path), "%s/s", server->directory);
	/* What is in the buffer would be printed twice. */
	fflush(stdout);
	server->pid = fork();
	if (!server->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		if (server->is_fake)
			serve_fake(server, target);
		serve_kvmgdb(server, target + strlen("kvmgdb "));
	}
	close(output[1]);
	server->log = output[0];
	if (server->pid < 0) {
		server->pid = 0;
		return "fork()";
	}
	while (!is_ready(server)) {
		if (!server_wait(server, -1) || server->ended)
			return "the server did not get ready";
	}
	return NULL;
}

int server_connect(const struct server *server)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, server->path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* False at the server's end. */
static bool collect(struct server *server)
{
	char text[0x1000];
	ssize_t n = read(server->log, text, sizeof(text));
	size_t room = sizeof(server->output) - 1 - server->output_len;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if ((size_t)n < room)
		room = (size_t)n;
	memcpy(server->output + server->output_len, text, room);
	server->output_len += room;
	return true;
}

bool server_wait(struct server *server, int fd)
{
	int64_t deadline = now_ms() + 1000 * (int64_t)patience();
	struct pollfd ready[2] = { { .fd = fd, .events = POLLIN },
				   { .fd = server->ended ? -1 : server->log, .events = POLLIN } };

	for (;;) {
		int64_t left = deadline - now_ms();

		if (left <= 0 || (poll(ready, 2, (int)left) < 0 && errno != EINTR))
			return false;
		if (ready[1].revents && !collect(server)) {
			server->ended = true;
			ready[1].fd = -1; /* and there may still be something from it in `fd` */
		}
		if (fd < 0 ? ready[1].revents : ready[0].revents)
			return true;
	}
}

const char *server_end(struct server *server)
{
	static const char *const ends[] = { [GDBSTUB_END_KILLED] = "killed",
					    [GDBSTUB_END_EXITED] = "exited",
					    [GDBSTUB_END_STOPPED] = "stopped",
					    [GDBSTUB_END_DISCONNECTED] = "disconnected" };
	static char text[40];
	int status;

	/* Its end of the pipe is closed by its end. */
	while (!server->ended) {
		if (!server_wait(server, -1))
			return "not in time";
	}
	if (waitpid(server->pid, &status, 0) != server->pid)
		return "unknown";
	server->pid = 0;
	if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "signal %d", WTERMSIG(status));
		return text;
	}
	status = WEXITSTATUS(status);
	if (server->is_fake && status >= STATUS_BASE &&
	    status <= STATUS_BASE + GDBSTUB_END_DISCONNECTED)
		return ends[status - STATUS_BASE];
	snprintf(text, sizeof(text), "status %d", status);
	return text;
}

const char *server_stop(struct server *server)
{
	const char *end, *wrong = NULL;

	if (server->pid > 0) {
		pid_t pid = server->pid;

		kill(pid, SIGTERM);
		end = server_end(server);
		if (!strcmp(end, "not in time")) {
			kill(-pid, SIGKILL);
			waitpid(pid, NULL, 0);
			server->pid = 0;
		}
		/* 143 is kvmgdb's SIGTERM; what a RUNNER makes of it is its own affair. */
		if (strcmp(end, "signal 15") && strcmp(end, "status 143") &&
		    !*environment("RUNNER", ""))
			wrong = end;
	}
	if (server->log > 0)
		close(server->log);
	server->log = 0;
	unlink(server->path);
	rmdir(server->directory);
	return wrong;
}
