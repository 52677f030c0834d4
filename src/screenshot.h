/* The guest's screen as a PNG file, dot for dot as a VGA's monitor shows it. */
#ifndef SCREENSHOT_H
#define SCREENSHOT_H

#include <stddef.h>

struct machine;

/* With which a picture's file is opened. */
#define SCREENSHOT_FLAGS (O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY)

/*
 * Writes to `fd`, which is open, or a negative errno of that, and closes it; `path` is its name for messages. The
 * machine is a PC. 0, or a negative errno and why.
 */
int screenshot_write(const struct machine *machine, int fd, const char *path, char *why, size_t size);
/* Whether the name is one of a PNG file. 0, or a negative errno and why. */
int screenshot_check_name(const char *path, char *why, size_t size);
/* The same, and whether that can be opened. */
int screenshot_check(const char *path, char *why, size_t size);

#endif
