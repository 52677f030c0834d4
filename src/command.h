/* The COMMAND that kvmgdb runs beside the guest: usually a gdb. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct options;

/* A Unix socket in a directory that only this user can enter, as an endpoint; the directory is a leftover. 0, or why. */
int command_endpoint(char *endpoint, size_t size, char *why, size_t why_size);

/*
 * A process that becomes COMMAND when it is told to, with KVMGDB_ENDPOINT in its environment and as the user of
 * --user; if it is a gdb, with "-ex 'target remote ENDPOINT'" before its own arguments. It ends with this program if
 * that ends before. Returns its pid, or a negative errno and why.
 */
pid_t command_prepare(const struct options *options, const char *endpoint, char *why, size_t size);
/* Tells it. 0, or a negative errno and why: then it has ended, and was not waited for. */
int command_go(const char *name, char *why, size_t size);

/* The exit status that a shell would give for what waitpid() says. */
int command_status(int status);

#endif
