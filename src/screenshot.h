/* The guest's screen as a PNG file, dot for dot as a VGA's monitor shows it. */
#ifndef SCREENSHOT_H
#define SCREENSHOT_H

#include <stddef.h>

struct machine;

/* The machine is a PC. 0, or a negative errno and why. */
int screenshot_write(const struct machine *machine, const char *path, char *why, size_t size);
/* Whether that may be possible: the name is one of a PNG file, which can be opened. 0, or why not. */
int screenshot_check(const char *path, char *why, size_t size);

#endif
