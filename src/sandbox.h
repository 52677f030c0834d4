/*
 * What this program gives up once all that it needs is open: other users' rights, capabilities, the file system,
 * the network, other programs, and nearly all of the kernel's system calls (sandbox_rules.h).
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct f_owner_ex;
struct options;
struct sealed_file;

/* For gdbstub_set_owner(): this thread, in sealed memory. NULL: no memory. */
const struct f_owner_ex *sandbox_owner(void);

/*
 * Enters it, for good. `command` is COMMAND's process, or 0, and `screenshot` the file of --screenshot, or NULL.
 * Seals what was put into sealed memory. With --no-sandbox only --chroot and --user are done. Where the kernel has
 * no seccomp filters there is a warning, and the rest is done. Returns 0, or a negative errno and why.
 */
int sandbox_enter(const struct options *options, pid_t command, const struct sealed_file *screenshot, char *why,
		  size_t size);

/* Becomes the user of --user, with its group and no other; for COMMAND's process, too. 0, or a negative errno. */
int sandbox_become_user(const struct options *options);

/* Before sandbox_enter(): opens the folder of --screenshots. 0, or a negative errno and why. */
int sandbox_open_screenshots(const char *path, char *why, size_t size);
/*
 * A file in that folder or below it, to be written anew, for a client. Without such a folder it may be anywhere when
 * there is no sandbox, and else sandbox_has_screenshots() is false. A file descriptor, or a negative errno.
 */
bool sandbox_has_screenshots(void);
int sandbox_create_screenshot(const char *name);

#endif
