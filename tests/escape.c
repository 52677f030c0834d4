/*
 * kvmgdb that somebody has broken into: all of it is the program's own, but ioctl() comes by here, and at the first
 * one of a kind something is tried that the sandbox is to make the end of it.
 *
 *   ESCAPE=open|connect|exec
 *   ESCAPE_AT=loading|running   the first one at all once the sandbox is entered, to make a guest, or the first KVM_RUN
 *
 * If that is not the end, the exit status is 42.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

static void try(const char *what)
{
	const struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = 0xd204, .sin_addr = {0x0100007f}};
	static int fd = -1;

	if (!strcmp(what, "open")) {
		open("/etc/passwd", O_RDONLY);
	} else if (!strcmp(what, "connect")) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, (const struct sockaddr *)&local, sizeof(local));
	} else if (!strcmp(what, "exec")) {
		execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
	} else {
		return;
	}
	_exit(42);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	const char *what = getenv("ESCAPE"), *at = getenv("ESCAPE_AT");
	unsigned long when = at && !strcmp(at, "loading") ? KVM_CREATE_VM : KVM_RUN;
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (what && request == when)
		try(what);
	return __real_ioctl(fd, request, argument);
}
