/* The COMMAND that kvmgdb runs beside the guest: usually a gdb. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A Unix socket in a directory that only this user can enter, as an endpoint. 0, or why. */
int command_endpoint(char *endpoint, size_t size, char *why, size_t why_size);
/* Async-signal-safe: removes that directory, once its socket is gone. */
void command_remove_directory(void);

/*
 * Starts `argv` with KVMGDB_ENDPOINT in its environment; if it is a gdb, with "-ex 'target remote
 * ENDPOINT'" before its own arguments. Returns its pid, or a negative errno and why.
 */
pid_t command_start(char *const *argv, const char *endpoint, char *why, size_t size);

/* The exit status that a shell would give for what waitpid() says. */
int command_status(int status);

#endif
