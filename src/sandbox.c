#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "leftovers.h"
#include "message.h"
#include "options.h"
#include "sandbox_filter.h"
#include "screenshot.h"
#include "sealed.h"

static const struct f_owner_ex *owner;
static const struct open_how *how; /* sealed */
static int screenshots = -1;
static bool is_entered;

static int fail(char *why, size_t size, const char *what, int error)
{
	snprintf(why, size, "%s: %s", what, strerror(error));
	return -error;
}

const struct f_owner_ex *sandbox_owner(void)
{
	const struct f_owner_ex self = {.type = F_OWNER_TID, .pid = gettid()};

	if (!owner)
		owner = sealed_copy(&self, sizeof(self));
	return owner;
}

int sandbox_open_screenshots(const char *path, char *why, size_t size)
{
	/* Not stopped by a FIFO, and not led out of the folder by "..", a leading "/" or a symbolic link. */
	const struct open_how write_below = {.flags = SCREENSHOT_FLAGS | O_NONBLOCK, .mode = 0666,
					     .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	screenshots = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (screenshots < 0) {
		int error = errno;

		snprintf(why, size, "--screenshots: cannot open the folder %s: %s", path, strerror(error));
		return -error;
	}
	how = sealed_copy(&write_below, sizeof(write_below));
	return how ? 0 : fail(why, size, "--screenshots", ENOMEM);
}

bool sandbox_has_screenshots(void)
{
	return screenshots >= 0 || !is_entered;
}

int sandbox_create_screenshot(const char *name)
{
	long fd;

	if (screenshots < 0)
		fd = open(name, SCREENSHOT_FLAGS, 0666);
	else
		fd = syscall(SYS_openat2, screenshots, name, how, sizeof(*how));
	return fd < 0 ? -errno : (int)fd;
}

int sandbox_become_user(const struct options *options)
{
	if (!options->user)
		return 0;
	if (setgroups(0, NULL) || setresgid(options->gid, options->gid, options->gid) ||
	    setresuid(options->uid, options->uid, options->uid))
		return -errno;
	return 0;
}

static int change_root(const struct options *options, char *why, size_t size)
{
	if (!options->chroot)
		return 0;
	if (chroot(options->chroot) || chdir("/")) {
		int error = errno;

		snprintf(why, size, "--chroot=%s: %s", options->chroot, strerror(error));
		return -error;
	}
	return 0;
}

static int set_capabilities(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* Whether what is to be removed or written at the end is in a folder that root itself may not write to. */
static bool needs_override(const struct sealed_file *screenshot)
{
	const struct sealed_file *file;
	int flags;

	for (size_t i = 0; (file = leftovers_get(i, &flags)); i++) {
		if (faccessat(file->directory, ".", W_OK, AT_EACCESS))
			return true;
	}
	if (screenshot && faccessat(screenshot->directory, ".", W_OK, AT_EACCESS))
		return true;
	return screenshots >= 0 && faccessat(screenshots, ".", W_OK, AT_EACCESS);
}

/*
 * Only with --user, while root still may: with no_new_privs exec() gives nothing anyway, and these are 41 system calls,
 * of which each makes new credentials.
 */
static void drop_bounding_set(void)
{
	for (unsigned long capability = 0; !prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); capability++)
		;
}

static int drop_capabilities(const struct sealed_file *screenshot)
{
	const uint32_t override = 1u << CAP_DAC_OVERRIDE;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct before[2] = {{0}}, none[2] = {{0}}, kept[2] = {{0}};
	int result;

	if (syscall(SYS_capget, &header, before))
		return -errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* First from what counts alone, to see what is possible without them. */
	none[0].permitted = before[0].permitted & override;
	result = set_capabilities(none);
	if (!result && none[0].permitted && needs_override(screenshot))
		kept[0].permitted = kept[0].effective = override;
	return result ? result : set_capabilities(kept);
}

static int install(const struct sandbox_facts *facts, char *why, size_t size)
{
	struct {
		struct sandbox_rule rules[SANDBOX_RULES_MAX];
		struct sock_filter filter[SANDBOX_FILTER_MAX];
	} *made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sock_fprog program = {0};
	long result;
	int error;

	if (made == MAP_FAILED)
		return fail(why, size, "the sandbox's filter", errno);
	program.filter = made->filter;
	program.len = (unsigned short)sandbox_filter(made->filter, made->rules, sandbox_rules(made->rules, facts));
	if (!program.len) {
		munmap(made, sizeof(*made));
		return fail(why, size, "the sandbox's filter", E2BIG);
	}
	/* Without this older kernels also make speculation, and with it each step, slower. */
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
	if (result && errno == EINVAL)
		result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
	error = errno;
	munmap(made, sizeof(*made));
	if (!result)
		return 0;
	if (error != ENOSYS && error != EINVAL)
		return fail(why, size, "cannot enter the sandbox", error);
	message("warning: this kernel has no seccomp filters, so that all system calls stay open to whoever breaks in");
	return 0;
}

static int compare(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* What the C library does only once, and would have to open files or look at them for. */
static void warm_up(void)
{
	static char output[BUFSIZ];
	char two[2][1024] = {{0}};

	/* To ask how much memory there is, for more than 1 KiB. */
	qsort(two, 2, sizeof(*two), compare);
	setvbuf(stdout, output, _IOFBF, sizeof(output));
}

int sandbox_enter(const struct options *options, pid_t command, const struct sealed_file *screenshot, char *why,
		  size_t size)
{
	struct sandbox_facts facts = {.self = getpid(), .command = command, .owner = owner, .screenshot = screenshot,
				      .screenshots = screenshots, .how = how};
	int result = sealed_close();

	if (result)
		return fail(why, size, "cannot seal memory", -result);
	warm_up();
	result = change_root(options, why, size);
	if (result)
		return result;
	if (options->user && !options->no_sandbox)
		drop_bounding_set();
	result = sandbox_become_user(options);
	if (result)
		return fail(why, size, "--user", -result);
	if (options->no_sandbox)
		return 0;
	is_entered = true;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(why, size, "cannot give up new privileges", errno);
	result = drop_capabilities(screenshot);
	if (result)
		return fail(why, size, "cannot give up capabilities", -result);
	return install(&facts, why, size);
}
