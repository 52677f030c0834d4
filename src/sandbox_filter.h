/* Rules as a program for the kernel's packet filter, which seccomp runs at each system call. */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <linux/filter.h>

#include "sandbox_rules.h"

#define SANDBOX_FILTER_MAX 2048 /* instructions; the kernel takes up to 4096 */

/* Whatever no rule allows ends the process. Returns how many instructions it has; 0: too many. */
size_t sandbox_filter(struct sock_filter filter[SANDBOX_FILTER_MAX], const struct sandbox_rule *rules, size_t count);

#endif
