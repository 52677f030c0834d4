#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leftovers.h"
#include "options.h"
#include "sandbox.h"

/* Of the process that waits. */
static int go_pipe = -1, error_pipe = -1;

int command_endpoint(char *endpoint, size_t size, char *why, size_t why_size)
{
	const char *where = getenv("TMPDIR");
	char directory[80];
	int result;

	/* A socket's path is short. */
	if (!where || !*where || strlen(where) > sizeof(directory) - sizeof("/kvmgdb-XXXXXX"))
		where = "/tmp";
	snprintf(directory, sizeof(directory), "%s/kvmgdb-XXXXXX", where);
	if (!mkdtemp(directory)) {
		snprintf(why, why_size, "cannot make a directory in %s: %s", where, strerror(errno));
		return -errno;
	}
	result = leftovers_add(directory, true);
	if (result) {
		rmdir(directory);
		snprintf(why, why_size, "cannot make a directory in %s: %s", where, strerror(-result));
		return result;
	}
	snprintf(endpoint, size, "unix:%s/gdb", directory);
	return 0;
}

/* gdb, gdb-multiarch, gdb17, x86_64-elf-gdb, by whatever path. */
static bool is_gdb(const char *program)
{
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
	size_t len = strlen(name);

	if (!strncmp(name, "gdb", 3) && (!name[3] || name[3] == '-' || (name[3] >= '0' && name[3] <= '9')))
		return true;
	return len > 4 && !strcmp(name + len - 4, "-gdb");
}

/* What this program ignores or catches is not COMMAND's affair, but what it was itself told to ignore is. */
static void restore_signals(void)
{
	struct sigaction action;
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		if (!sigaction(number, NULL, &action) && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
			signal(number, SIG_DFL);
	}
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, which all signals leave alone until it is told. */
static void run_command(const struct options *options, const char *endpoint, int go, int error)
{
	char target[200], *with_target[512], *const *argv = options->command, byte;
	size_t count = 0;
	ssize_t n;

	while ((n = read(go, &byte, 1)) < 0 && errno == EINTR)
		;
	if (n != 1)
		_exit(127);
	restore_signals();
	setenv("KVMGDB_ENDPOINT", endpoint, 1);
	while (argv[count])
		count++;
	if (is_gdb(argv[0]) && count + 3 >= sizeof(with_target) / sizeof(*with_target)) {
		errno = E2BIG;
		goto failed;
	}
	if (is_gdb(argv[0])) {
		snprintf(target, sizeof(target), "target remote %s", endpoint);
		with_target[0] = argv[0];
		with_target[1] = (char *)"-ex";
		with_target[2] = target;
		memcpy(with_target + 3, argv + 1, count * sizeof(*argv));
		argv = with_target;
	}
	errno = -sandbox_become_user(options);
	if (!errno)
		execvp(argv[0], argv);
failed:
	if (write(error, &errno, sizeof(errno)) < 0) {
		/* the status says enough */
	}
	_exit(127);
}

static int fail(const char *name, int error, char *why, size_t size)
{
	snprintf(why, size, "cannot start %s: %s", name, strerror(error));
	return -error;
}

pid_t command_prepare(const struct options *options, const char *endpoint, char *why, size_t size)
{
	int go[2], error[2];
	sigset_t all, before;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC))
		return fail(options->command[0], errno, why, size);
	if (pipe2(error, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return fail(options->command[0], errno, why, size);
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (!pid) {
		close(go[1]);
		run_command(options, endpoint, go[0], error[1]);
	}
	if (pid < 0)
		pid = fail(options->command[0], errno, why, size);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(go[0]);
	close(error[1]);
	go_pipe = go[1];
	error_pipe = error[0];
	return pid;
}

int command_go(const char *name, char *why, size_t size)
{
	int error = 0;

	if (write(go_pipe, "", 1) != 1)
		error = errno;
	close(go_pipe);
	/* Closed by a successful exec, so this ends at once either way. */
	while (!error && read(error_pipe, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	close(error_pipe);
	return error ? fail(name, error, why, size) : 0;
}

int command_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
