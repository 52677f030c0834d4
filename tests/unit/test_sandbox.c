/*
 * The sandbox by itself: what a program that somebody has broken into would try is the end of it, and what it is to
 * go on doing works. Each case is a process of its own, which enters the sandbox as kvmgdb does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leftovers.h"
#include "options.h"
#include "sandbox.h"
#include "sandbox_rules.h"
#include "sealed.h"
#include "tap.h"

#define X32 0x40000000
#define PATIENCE 60 /* seconds */

static char folder[] = "/tmp/test_sandbox-XXXXXX";
static char left_over[100], picture[100], other[100];

/* What is open in each process before it enters. */
static int unconnected, datagram, ours[2];
static pid_t command; /* a child of each, which waits */
static struct sealed_file screenshot;

static const struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = 0xd204, .sin_addr = {0x0100007f}};

/* Attempts: their result does not matter. */

static void try_open(void)
{
	syscall(SYS_open, "/etc/passwd", O_RDONLY);
}

static void try_openat(void)
{
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void try_create(void)
{
	syscall(SYS_creat, other, 0666);
}

/* The picture's place, to be read, and another place to be written. */
static void try_picture_read(void)
{
	syscall(SYS_openat, screenshot.directory, screenshot.name, O_RDONLY);
}

static void try_picture_elsewhere(void)
{
	syscall(SYS_openat, screenshot.directory, other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
}

static void try_openat2(void)
{
	uint64_t how[3] = {O_RDONLY, 0, 0};

	syscall(SYS_openat2, screenshot.directory, "passwd", how, sizeof(how));
}

static void try_memfd(void)
{
	syscall(SYS_memfd_create, "x", 0);
}

static void try_socket(void)
{
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void try_connect(void)
{
	syscall(SYS_connect, unconnected, &local, sizeof(local));
}

static void try_bind(void)
{
	syscall(SYS_bind, unconnected, &local, sizeof(local));
}

static void try_listen(void)
{
	syscall(SYS_listen, unconnected, 1);
}

static void try_send_elsewhere(void)
{
	syscall(SYS_sendto, datagram, "x", 1, 0, &local, sizeof(local));
}

static void try_sendmsg(void)
{
	struct msghdr message = {0};

	syscall(SYS_sendmsg, ours[0], &message, 0);
}

static void try_exec(void)
{
	char *arguments[] = {(char *)"/bin/true", NULL};

	syscall(SYS_execve, arguments[0], arguments, NULL);
}

static void try_execveat(void)
{
	char *arguments[] = {(char *)"/bin/true", NULL};

	syscall(SYS_execveat, AT_FDCWD, arguments[0], arguments, NULL, 0);
}

static void try_fork(void)
{
	if (!syscall(SYS_fork))
		_exit(0);
}

static void try_clone(void)
{
	if (!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
		_exit(0);
}

static void try_clone3(void)
{
	syscall(SYS_clone3, NULL, 0);
}

static void try_ptrace(void)
{
	syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
}

static void try_write_memory_of(void)
{
	syscall(SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0);
}

/* 0 is no signal, but the question whether it might be sent. */
static void try_kill_parent(void)
{
	syscall(SYS_kill, 1, 0);
}

static void try_kill_command(void)
{
	syscall(SYS_kill, command, SIGUSR1);
}

static void try_kill_group(void)
{
	syscall(SYS_kill, 0, SIGTERM);
}

static void try_tgkill(void)
{
	syscall(SYS_tgkill, command, command, SIGUSR1);
}

static void try_owner(void)
{
	const struct f_owner_ex elsewhere = {.type = F_OWNER_PID, .pid = command};

	syscall(SYS_fcntl, ours[0], F_SETOWN_EX, &elsewhere);
}

static void try_own(void)
{
	syscall(SYS_fcntl, ours[0], F_SETOWN, command);
}

static void try_signal_number(void)
{
	syscall(SYS_fcntl, ours[0], F_SETSIG, SIGKILL);
}

static void try_duplicate(void)
{
	syscall(SYS_fcntl, ours[0], F_DUPFD, 10);
}

static void try_map_code(void)
{
	syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_map_over(void)
{
	syscall(SYS_mmap, screenshot.name, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void *sealed_page(void)
{
	return (void *)((uintptr_t)screenshot.name & ~(uintptr_t)4095);
}

static void try_make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

static void try_unseal(void)
{
	syscall(SYS_mprotect, sealed_page(), 4096, PROT_READ | PROT_WRITE);
}

static void try_unmap_sealed(void)
{
	syscall(SYS_munmap, sealed_page(), 4096);
}

static void try_drop_sealed(void)
{
	syscall(SYS_madvise, sealed_page(), 4096, MADV_DONTNEED);
}

static void try_advise(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_madvise, page, 4096, MADV_MERGEABLE);
}

static void try_remap_sealed(void)
{
	syscall(SYS_mremap, sealed_page(), 4096, 8192, MREMAP_MAYMOVE);
}

static void try_remap_over(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	syscall(SYS_mremap, page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, sealed_page());
}

static void try_unlink(void)
{
	syscall(SYS_unlink, left_over);
}

static void try_unlinkat(void)
{
	syscall(SYS_unlinkat, AT_FDCWD, left_over, 0);
}

static void try_rename(void)
{
	syscall(SYS_rename, left_over, other);
}

static void try_type(void)
{
	char c = '\n';

	syscall(SYS_ioctl, 0, TIOCSTI, &c);
}

static void try_setuid(void)
{
	syscall(SYS_setuid, 0);
}

static void try_prctl(void)
{
	syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void try_seccomp(void)
{
	syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
}

static void try_keyring(void)
{
	syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static void try_bpf(void)
{
	syscall(SYS_bpf, 0, NULL, 0);
}

static void try_io_uring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
}

static void try_x32(void)
{
	syscall(X32 | SYS_getpid);
}

static void try_no_such_call(void)
{
	syscall(-1);
}

/* The numbers of 32-bit programs, by which 5 is open(). */
static void try_32_bits(void)
{
	long result = 5;

	__asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0) : "memory");
}

static const struct {
	const char *name;
	void (*attempt)(void);
	bool instrumented_may; /* sanitizers do that, too */
} attempts[] = {
	{"open", try_open, true},
	{"openat", try_openat, true},
	{"creat", try_create, false},
	{"openat: the picture, to be read", try_picture_read, true},
	{"openat: another file as the picture", try_picture_elsewhere, true},
	{"openat2", try_openat2, false},
	{"memfd_create", try_memfd, false},
	{"socket", try_socket, false},
	{"connect", try_connect, false},
	{"bind", try_bind, false},
	{"listen", try_listen, false},
	{"sendto with an address", try_send_elsewhere, false},
	{"sendmsg", try_sendmsg, false},
	{"execve", try_exec, false},
	{"execveat", try_execveat, false},
	{"fork", try_fork, false},
	{"clone", try_clone, true},
	{"clone3", try_clone3, false},
	{"ptrace", try_ptrace, true},
	{"process_vm_writev", try_write_memory_of, false},
	{"kill: another process", try_kill_parent, false},
	{"kill: COMMAND, with another signal", try_kill_command, false},
	{"kill: the process group", try_kill_group, false},
	{"tgkill: another process", try_tgkill, true},
	{"fcntl F_SETOWN_EX: another process", try_owner, true},
	{"fcntl F_SETOWN", try_own, true},
	{"fcntl F_SETSIG: another signal", try_signal_number, true},
	{"fcntl F_DUPFD", try_duplicate, true},
	{"mmap with PROT_EXEC", try_map_code, true},
	{"mmap over sealed memory", try_map_over, true},
	{"mprotect with PROT_EXEC", try_make_code, true},
	{"mprotect of sealed memory", try_unseal, true},
	{"munmap of sealed memory", try_unmap_sealed, true},
	{"madvise of sealed memory", try_drop_sealed, true},
	{"madvise, but MADV_DONTNEED", try_advise, true},
	{"mremap of sealed memory", try_remap_sealed, false},
	{"mremap over sealed memory", try_remap_over, false},
	{"unlink", try_unlink, true},
	{"unlinkat: by another pointer", try_unlinkat, false},
	{"rename", try_rename, false},
	{"ioctl TIOCSTI", try_type, false},
	{"setuid", try_setuid, false},
	{"prctl", try_prctl, true},
	{"seccomp", try_seccomp, false},
	{"keyctl", try_keyring, false},
	{"bpf", try_bpf, false},
	{"io_uring_setup", try_io_uring, false},
	{"a call of the x32 ABI", try_x32, false},
	{"a call that there is not", try_no_such_call, false},
	{"a call of a 32-bit program", try_32_bits, false},
};

/* What is to work: each ends the process with 0 if it does. */

static void may_remove(void)
{
	leftovers_remove();
	_exit(!syscall(SYS_getpid) || leftovers_get(0, &(int){0}));
}

static void may_write_picture(void)
{
	int fd = openat(screenshot.directory, screenshot.name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);

	_exit(fd < 0 || write(fd, "picture", 7) != 7 || ftruncate(fd, 3) || close(fd));
}

static void may_write_below(void)
{
	int fd = sandbox_create_screenshot("below.png");

	/* Openat2 came with Linux 5.6. */
	_exit(fd == -ENOSYS ? 0 : fd < 0 || write(fd, "picture", 7) != 7);
}

static void may_not_write_above(void)
{
	int outside = sandbox_create_screenshot("../above.png"), absolute = sandbox_create_screenshot(other);

	_exit(outside >= 0 || absolute >= 0 || sandbox_create_screenshot("link/x.png") >= 0);
}

static void may_allocate(void)
{
	char *memory = malloc(64 << 20);

	if (memory)
		memory[0] = memory[(64 << 20) - 1] = 1;
	memory = memory ? realloc(memory, 128 << 20) : NULL;
	free(memory);
	_exit(!memory);
}

static void may_watch(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	_exit(page == MAP_FAILED || mprotect(page, 4096, PROT_NONE) || mprotect(page, 4096, PROT_READ | PROT_WRITE) ||
	      munmap(page, 4096));
}

static void may_give_back(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		_exit(1);
	page[0] = 1;
	_exit(madvise(page, 4096, MADV_DONTNEED) || page[0]);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void may_sort(void)
{
	static int numbers[100000];

	for (int i = 0; i < 100000; i++)
		numbers[i] = i * 7919 % 100000;
	qsort(numbers, 100000, sizeof(*numbers), by_number);
	_exit(numbers[99999] != 99999);
}

static volatile sig_atomic_t raised;

static void on_signal(int number)
{
	raised = number;
}

static void may_raise(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	_exit(raised != SIGUSR1);
}

static void may_be_told_of_input(void)
{
	signal(SIGIO, on_signal);
	if (fcntl(ours[0], F_SETOWN_EX, sandbox_owner()) || fcntl(ours[0], F_SETSIG, SIGIO) ||
	    fcntl(ours[0], F_SETFL, fcntl(ours[0], F_GETFL) | O_ASYNC) || write(ours[1], "x", 1) != 1)
		_exit(1);
	_exit(raised != SIGIO);
}

/* The handler interrupts poll(), which has nothing else to wait for. */
static void may_be_reminded(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGIO};
	const struct itimerspec soon = {.it_value.tv_nsec = 1000000};
	timer_t timer;

	signal(SIGIO, on_signal);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &soon, NULL))
		_exit(1);
	while (!raised)
		poll(NULL, 0, 1);
	_exit(timer_delete(timer) || raised != SIGIO);
}

static void may_receive(void)
{
	char byte;

	_exit(recv(ours[0], &byte, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN || write(ours[1], "x", 1) != 1 ||
	      recv(ours[0], &byte, 1, 0) != 1);
}

static void may_end_command(void)
{
	int status;

	_exit(kill(command, SIGTERM) || waitpid(command, &status, 0) != command || !WIFSIGNALED(status) ||
	      WTERMSIG(status) != SIGTERM);
}

static void may_print(void)
{
	exit(printf("# printed\n") < 0 || fflush(stdout));
}

static const struct {
	const char *name;
	void (*attempt)(void);
} allowed[] = {
	{"its leftovers are removed", may_remove},
	{"--screenshot's picture is written", may_write_picture},
	{"a picture in --screenshots' folder", may_write_below},
	{"but not outside", may_not_write_above},
	{"memory of any size", may_allocate},
	{"watchpoints' protection", may_watch},
	{"memory that is given back", may_give_back},
	{"qsort()", may_sort},
	{"a signal to itself", may_raise},
	{"signals of input", may_be_told_of_input},
	{"signals of a timer", may_be_reminded},
	{"a client's packets", may_receive},
	{"COMMAND is ended", may_end_command},
	{"printing, and exit()", may_print},
};

static void enter(const struct options *options)
{
	char why[200];

	unconnected = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	datagram = socket(AF_INET, SOCK_DGRAM, 0);
	close(open(left_over, O_CREAT | O_WRONLY, 0600));
	command = fork();
	if (!command) {
		pause();
		_exit(0);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ours) || !sandbox_owner() || sealed_file_open(&screenshot, picture) ||
	    leftovers_add(left_over, false) || sandbox_open_screenshots(folder, why, sizeof(why)))
		_exit(100);
	if (sandbox_enter(options, command, &screenshot, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		_exit(101);
	}
}

/* How a process ends that makes the attempt; the one that it has started ends, too. */
static int run(const struct options *options, void (*attempt)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		alarm(PATIENCE);
		enter(options);
		attempt();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	kill(-pid, SIGKILL);
	return status;
}

static bool has_filters(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 &&
	       (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), errno != ENOSYS && errno != EINVAL);
}

static void describe(int status)
{
	if (WIFSIGNALED(status))
		comment("signal %d", WTERMSIG(status));
	else
		comment("exit status %d", WEXITSTATUS(status));
}

/*
 * The rest of this process' privileges, as /proc has them: in a process that has entered. The bounding set is for
 * exec(), which gives nothing under no_new_privs; with --user it is empty (tests/cli/sandbox.sh).
 */
static bool is_bare(pid_t pid)
{
	char path[40], line[200];
	bool found_none = true, no_new = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long set;

		if (sscanf(line, "Cap%*3s: %llx", &set) == 1 && strncmp(line, "CapInh", 6) &&
		    strncmp(line, "CapBnd", 6))
			found_none &= !set;
		no_new |= !strcmp(line, "NoNewPrivs:\t1\n");
	}
	if (file)
		fclose(file);
	return file && found_none && no_new;
}

static void check_capabilities(const struct options *options)
{
	int ready[2], status;
	bool bare;
	pid_t pid;
	char byte;

	if (pipe(ready))
		return;
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		enter(options);
		if (write(ready[1], "x", 1) == 1 && read(ours[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	bare = read(ready[0], &byte, 1) == 1 && is_bare(pid);
	close(ready[0]);
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	result(bare, "no capability is left, and no new privilege to be had");
}

int main(void)
{
	static const struct options with, without = {.no_sandbox = true};
	char link[100];
	struct stat info;

	if (!has_filters()) {
		puts("1..0 # SKIP no seccomp filters here");
		return 0;
	}
	if (!mkdtemp(folder))
		return 1;
	snprintf(left_over, sizeof(left_over), "%s/left", folder);
	snprintf(picture, sizeof(picture), "%s/a.png", folder);
	snprintf(other, sizeof(other), "%s/other.png", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	if (symlink("/tmp", link))
		return 1;
	fflush(stdout);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		int status;

		if (attempts[i].instrumented_may && sandbox_is_instrumented()) {
			result(true, "%s # SKIP this program is instrumented", attempts[i].name);
			continue;
		}
		if (attempts[i].attempt == try_32_bits && run(&without, try_32_bits)) {
			result(true, "%s # SKIP this kernel has none", attempts[i].name);
			continue;
		}
		status = run(&with, attempts[i].attempt);
		if (!result(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: ended", attempts[i].name))
			describe(status);
	}
	result(stat(left_over, &info) == 0, "and nothing has come of removing a file");
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		int status = run(&with, allowed[i].attempt);

		if (!result(!status, "%s", allowed[i].name))
			describe(status);
		if (!i)
			result(stat(left_over, &info) < 0, "they are gone");
	}
	result(!stat(picture, &info) && info.st_size == 3, "the picture is there");
	check_capabilities(&with);
	result(!run(&without, try_open), "without a sandbox a file can be opened");
	unlink(link);
	unlink(picture);
	unlink(left_over);
	snprintf(other, sizeof(other), "%s/below.png", folder);
	unlink(other);
	result(!rmdir(folder), "and nothing else was made");
	return finish();
}
