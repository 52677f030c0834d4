/* What is in the file system only while this program runs: sockets, and the directory of COMMAND's. */
#ifndef LEFTOVERS_H
#define LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sealed.h"

#define LEFTOVERS_MAX 4

/* `path` is there by now. 0, or a negative errno. */
int leftovers_add(const char *path, bool is_directory);
/* What was added last goes first. May be called again. Async-signal-safe. */
void leftovers_remove(void);

/* So that this user may use and remove them. 0, or -1 with errno set. */
int leftovers_give_to(uid_t uid, gid_t gid);

/* For the sandbox: the one of this number, with unlinkat()'s flags; NULL: there are no more. */
const struct sealed_file *leftovers_get(size_t number, int *flags);

#endif
