/* A client of a server (server.h) that speaks the protocol's packets. */
#ifndef CLIENT_H
#define CLIENT_H

#include "server.h"

/* Acknowledges what has come before, and sends a packet of this body, of up to 8 KiB. */
bool client_send(int fd, const char *body);
/*
 * The next packet that is no console output, without its runs; *spoke becomes true when there was some. False at the
 * connection's end, or if there is none in time, or if it does not fit.
 */
bool client_receive(struct server *server, int fd, char *body, size_t size, bool *spoke);
/* Both. */
bool client_exchange(struct server *server, int fd, const char *body, char *reply, size_t size, bool *spoke);

#endif
