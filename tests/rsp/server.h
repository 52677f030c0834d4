/* The server that a transcript talks to: the fake target in a child process, or a kvmgdb. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct server {
	pid_t pid; /* 0: none */
	int log;   /* what it prints; its end is the server's end */
	bool is_fake, ended;
	char output[0x4000]; /* the beginning of that */
	size_t output_len;
	char directory[64], path[80]; /* of its socket */
};

/* Why a target of this kind cannot be had here; NULL if it can. *skip: and that is no failure. */
const char *server_missing(const char *target, bool *skip);

/*
 * Starts one: "fake [two] [file] [rom] [created] [running] [blocked] [on-disconnect=stop|run|exit]" or
 * "kvmgdb GUEST [OPTION]...". Returns NULL when it listens, else what failed.
 */
const char *server_start(struct server *server, const char *target);
/* A connection, or -1. */
int server_connect(const struct server *server);
/*
 * Waits until `fd` (-1: only the server's end) is readable; false: not in time. What the server
 * prints meanwhile is collected.
 */
bool server_wait(struct server *server, int fd);
/* Waits for its end. How it ended: "killed", "exited", "stopped", "disconnected" or "status N". */
const char *server_end(struct server *server);
/* Ends it. Returns NULL, or what is wrong with how it ended. */
const char *server_stop(struct server *server);

#endif
