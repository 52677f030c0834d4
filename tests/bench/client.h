/* A client of the GDB Remote Serial Protocol that only wants to know how fast the server is. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* No server's packets are longer. */
#define CLIENT_PACKET_MAX 0x40000

struct client {
	int fd;
	pid_t server;
	double launched; /* seconds on client_clock() */
	bool no_ack;	 /* the server has agreed to QStartNoAckMode */
	char reply[CLIENT_PACKET_MAX + 64];
	char *body; /* of the last reply, ended by a 0; binary data are still escaped */
	size_t body_len;
};

/* A packet with its frame, to be sent many times. */
struct packet {
	char *frame;
	size_t len;
};

double client_clock(void);

/*
 * Starts the server by a shell, with "{port}" in its command replaced by a free port, and connects; what it says
 * goes to `log`. False if it does not answer within 10 s.
 */
bool client_start(struct client *client, const char *command, const char *log);
/* Ends the server, and waits for it. */
void client_stop(struct client *client);

struct packet packet_make(const char *body, size_t len);
/* Sends a packet and waits for the whole reply to it; text for the console is left out. False: lost, or 10 s over. */
bool client_ask(struct client *client, const struct packet *packet);
bool client_send(struct client *client, const void *bytes, size_t len);
bool client_receive(struct client *client);
/* The same for a body that is made by printf()'s rules. */
bool client_command(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
