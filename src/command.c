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

static char directory[80];

int command_endpoint(char *endpoint, size_t size, char *why, size_t why_size)
{
	const char *where = getenv("TMPDIR");

	/* A socket's path is short. */
	if (!where || !*where || strlen(where) > sizeof(directory) - sizeof("/kvmgdb-XXXXXX"))
		where = "/tmp";
	snprintf(directory, sizeof(directory), "%s/kvmgdb-XXXXXX", where);
	if (!mkdtemp(directory)) {
		snprintf(why, why_size, "cannot make a directory in %s: %s", where, strerror(errno));
		*directory = 0;
		return -errno;
	}
	snprintf(endpoint, size, "unix:%s/gdb", directory);
	return 0;
}

void command_remove_directory(void)
{
	if (*directory)
		rmdir(directory);
	*directory = 0;
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

/* In the child. */
static void run_command(char *const *argv, const char *endpoint, int error_pipe)
{
	char target[200], *with_target[512];
	size_t count = 0;
	sigset_t none;

	/* What this program ignores or catches is not COMMAND's affair. */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
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
	execvp(argv[0], argv);
failed:
	if (write(error_pipe, &errno, sizeof(errno)) < 0) {
		/* the status says enough */
	}
	_exit(127);
}

pid_t command_start(char *const *argv, const char *endpoint, char *why, size_t size)
{
	int error_pipe[2], error = 0;
	pid_t pid;

	if (pipe2(error_pipe, O_CLOEXEC)) {
		snprintf(why, size, "cannot start %s: %s", argv[0], strerror(errno));
		return -errno;
	}
	pid = fork();
	if (!pid)
		run_command(argv, endpoint, error_pipe[1]);
	if (pid < 0)
		error = errno;
	close(error_pipe[1]);
	/* Closed by a successful exec, so this ends at once either way. */
	while (pid > 0 && read(error_pipe[0], &error, sizeof(error)) < 0 && errno == EINTR)
		;
	close(error_pipe[0]);
	if (!error)
		return pid;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	snprintf(why, size, "cannot start %s: %s", argv[0], strerror(error));
	return -error;
}

int command_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
