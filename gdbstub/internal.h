/*
 * What the files of libgdbstub share. A packet comes in through transport.c (bytes) and packet.c
 * (frames); session.c finds its handler in the tables of commands.c, resume.c, query.c; the handler
 * writes its reply into the one output buffer with the reply_*() functions, and packet_send() frames
 * it.
 */
#ifndef GDBSTUB_INTERNAL_H
#define GDBSTUB_INTERNAL_H

#include <signal.h>
#include <time.h>

#include "gdbstub.h"

/*
 * transport.c: bytes to and from one client, over a TCP or Unix socket or stdin and stdout. A signal is
 * raised, while it is asked for, when the client has something to say, and another when somebody else knocks: of
 * one signal for both, two that come together would be one.
 */
#define SIGNAL_CLIENT SIGIO
#define SIGNAL_LISTENER SIGURG

#define REFUSAL_SIZE 80

struct transport {
	int listener; /* -1: none (stdio, or not open) */
	int in, out;  /* -1: no client */
	const struct f_owner_ex *owner; /* of the signals; NULL: the calling thread */
	void (*tell)(void *target, const char *text); /* NULL: nobody */
	void *target; /* for that */
	int refused;  /* the last client that was turned away; -1: none */
	bool stdio;
	bool public;
	bool local; /* a Unix socket */
	bool is_socket; /* the client's */
	bool signals;	/* SIGNAL_CLIENT is raised for what comes while nobody waits for it */
	volatile sig_atomic_t heard; /* there may be something to be read, for all that the signals tell */
	char endpoint[160];
	char refusal[REFUSAL_SIZE]; /* what a second client is told */
	char path[108]; /* of the Unix socket to unlink; "" otherwise */
};

int transport_listen(struct transport *t, const char *endpoint, char *why, size_t size);
void transport_close(struct transport *t);
/* 0, or -EINTR, -EAGAIN (nobody there, when !wait), -ENOTCONN (nobody can come any more). */
int transport_accept(struct transport *t, bool wait);
/* Answers and closes every connection that waits behind the client's. Async-signal-safe. */
void transport_refuse(struct transport *t);
void transport_disconnect(struct transport *t);
/* Whether what the client sends raises SIGNAL_CLIENT. At first it does not; but stdin's always does. */
void transport_signals(struct transport *t, bool on);
/* Async-signal-safe: SIGNAL_CLIENT has come. */
void transport_hear(struct transport *t);
/*
 * The one byte that is there to be read, and stays; -EAGAIN: nothing is there; TRANSPORT_MORE: only reading tells. To look
 * takes a fifth of the time of reading, which for a Ctrl-C can wait until it is answered.
 */
#define TRANSPORT_MORE 0x100
int transport_peek(struct transport *t);
/* Bytes read, 0 at the end, -EINTR, -EAGAIN when !wait and nothing is there, other errors. */
ssize_t transport_read(struct transport *t, void *buf, size_t size, bool wait);
/* Writes all; 0 or a negative errno. */
int transport_write(struct transport *t, const void *buf, size_t len);

/* hex.c */
extern const char hex_digits[16];
int hex_value(char c); /* 0 to 15, or -1 */
/* 2 * len characters; `from` may be the last `len` bytes of the output's own room. */
void hex_encode(char *to, const uint8_t *from, size_t len);
/* Decodes len bytes from 2 * len characters; false if one is not a hex digit. May work in place. */
bool hex_decode(uint8_t *to, const char *from, size_t len);
/* Reads a hexadecimal number of at most 64 bits at *p and moves *p behind it; false if there is none. */
bool hex_number(const char **p, uint64_t *value);

/* binary.c */
unsigned char binary_sum(const char *bytes, size_t len); /* modulo 256: a frame's checksum */
/* Escapes what fits into `room`; returns its length there, and how many bytes of `from` that took. */
size_t binary_escape(char *to, size_t room, const char *from, size_t len, size_t *taken);
/* Undoes escapes in place; returns the new length. An escape of nothing at the end is a byte. */
size_t binary_unescape(char *body, size_t len);

/*
 * packet.c: frames. One connection's buffers, both bounded. A received packet stays where it is in
 * `in` until the next one is asked for, with a 0 behind it.
 */
enum packet_event {
	PACKET_NONE,	  /* nothing whole is there */
	PACKET_READY,	  /* body and body_len are set */
	PACKET_INTERRUPT, /* a 0x03 between packets */
	PACKET_TOO_LONG,  /* one was dropped */
};

#define PACKET_FRAME 4 /* '$', '#' and the checksum's two digits */
#define PACKET_BODY_MAX (GDBSTUB_PACKET_SIZE - PACKET_FRAME)

struct packets {
	struct transport *transport;
	char in[GDBSTUB_PACKET_SIZE + 64];
	size_t in_start, in_end; /* what is not consumed */
	size_t in_scanned;	 /* no '#' before this */
	char *body;
	size_t body_len;
	bool discarding; /* the rest of a packet that was too long */
	bool no_ack;
	bool lost; /* the connection is broken, or its end was read */

	/* One '+' that is owed and the '$' come before the body. */
	char out[2 + GDBSTUB_PACKET_SIZE];
	size_t out_len; /* of the body */
	bool out_overflow;
	bool owe_ack;	  /* a '+' for the packet that was read is still to be sent */
	bool unacked;	  /* what was sent last was not acknowledged yet */
	size_t sent, sent_len; /* where it is in `out`, for a retransmission */
};

void packets_reset(struct packets *p, struct transport *transport);
/* Reads the next event; waits for it if `wait`. PACKET_NONE: nothing there, interrupted, or lost. */
enum packet_event packet_next(struct packets *p, bool wait);
/*
 * Reads what is there and looks at it, consuming nothing. `*offset`, at first 0, is where to go on;
 * PACKET_TOO_LONG: the buffer is full.
 */
enum packet_event packet_peek(struct packets *p, size_t *offset);
void packet_send(struct packets *p);
/* Acknowledges a packet that has no reply. */
void packet_ack(struct packets *p);

/* The reply under construction. All of them drop what does not fit and note it in out_overflow. */
void reply_start(struct packets *p);
void reply_text(struct packets *p, const char *text);
/* Hexadecimal, without leading zeros. */
void reply_number(struct packets *p, uint64_t value);
void reply_format(struct packets *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_hex(struct packets *p, const void *data, size_t len);
/* Escapes as the manual's "Binary Data" says. Returns how many bytes of `data` were taken. */
size_t reply_binary(struct packets *p, const void *data, size_t len);
/* Room for n more bytes of body, to be written to directly; NULL if there is not so much. */
char *reply_room(struct packets *p, size_t n);

/* session.c */
enum client_feature {
	CLIENT_SWBREAK = 1 << 0,
	CLIENT_HWBREAK = 1 << 1,
	CLIENT_VCONT = 1 << 2,
	CLIENT_ERROR_MESSAGE = 1 << 3,
	CLIENT_EXEC_EVENTS = 1 << 4,
};

enum session_state { SESSION_OPEN, SESSION_DETACHED, SESSION_LEFT, SESSION_KILLED, SESSION_EXITED };

/* All that is known of one client; begins anew with each. */
#define SESSION_FILES 32 /* that can be open at the same time */

struct session {
	enum session_state state;
	unsigned int features;	  /* enum client_feature that the client offered */
	bool extended;		  /* after `!` */
	bool created;		  /* by this client: vRun */
	bool thread_suffix;	  /* ";thread:ID;" may end register packets */
	bool threads_in_stop;	  /* stop replies list all threads */
	bool error_strings;	  /* errors have a sentence, in lldb's way */
	bool silent;		  /* no reply to this packet: k, R */
	bool start_no_ack;	  /* once the reply to QStartNoAckMode is on its way */
	int layout;		  /* the description that was served last */
	int general_thread;	  /* Hg */
	int continue_thread;	  /* Hc: -1 all, 0 any */
	struct gdbstub_stop last; /* what `?` answers */
	struct gdbstub_stop saved; /* kept back behind an exec stop */
	bool has_saved;
	char refusal[280]; /* gdbstub_refusal()'s, "" for none */
	uint32_t files; /* vFile: a bit for each descriptor that is open */
	const char *actions; /* the vCont actions that run() asks about */
	enum gdbstub_resume default_action; /* of c and s */
	bool interrupted;	 /* 0x03, vCtrlC or the loss of the client while it runs */
	bool has_run;		 /* since it began, or a reset */
	bool interrupt_answered; /* one that gdbstub_poll() saw has ended a run or a search, and is still to be read */
	bool interrupt_waits;	 /* a 0x03 crossed a stop reply: see resume.c's takes_interrupt() */
};

struct gdbstub {
	const struct gdbstub_ops *ops;
	void *target;
	enum gdbstub_on_disconnect on_disconnect;
	bool created; /* the target was made for its client */
	bool killed;  /* in extended mode: it is not served again before it has begun anew */
	void *codes; /* points.c: conditions and commands of breakpoints, a tree of tsearch() */
	size_t codes_size; /* bytes in it */
	bool has_commands; /* one of them has had some */
	struct transport transport;
	struct packets packets;
	struct session session;
	volatile sig_atomic_t connected;
	volatile sig_atomic_t running; /* inside ops->run() */
	timer_t reminder;
	bool has_reminder;
	volatile sig_atomic_t reminded; /* it has run out, or is yet to be set; or the client was heard */
	char error_text[256]; /* gdbstub_error()'s, "" for none */
	char scratch[0x4000]; /* registers, the list of threads, vCont's actions while it runs */
	char window[2 * GDBSTUB_PACKET_SIZE]; /* of memory that is searched */
};

/*
 * A row of a command table. The handler gets what follows the name, ended by a 0; it leaves its
 * reply in the output buffer and returns 0, or returns an error, or a positive value for an empty
 * reply.
 */
struct command {
	const char *name;
	int (*handler)(struct gdbstub *stub, char *args, size_t len);
	const char *feature;	 /* its part of the qSupported reply, or NULL */
	unsigned int negotiated; /* if not 0, announced only to clients that offered this */
	bool needs_file;	 /* announced only where there is a file to be served */
	bool while_running;	 /* also obeyed while the target runs: stops it first */
	bool exact;		 /* the name is the whole packet */
};

extern const struct command commands[], queries[], resumes[], lldb_queries[];
/* commands.c: "addr,length" and, if `rest` is not NULL, the ':' and what follows it. */
bool range_parse(const char *p, uint64_t *addr, uint64_t *len, const char **rest);
/* commands.c: hands a packet on to a table that has more of its name. */
int sub_table(struct gdbstub *stub, const struct command *table, char *body, size_t len);
const struct command *command_find(const struct command *table, const char *body);
void session_start(struct gdbstub *stub);
void session_serve(struct gdbstub *stub);
/* Runs the target as the session's actions say. */
void target_run(struct gdbstub *stub, struct gdbstub_stop *stop);
/* Begins anew. False: there is no target any more, and the session ends. */
bool target_restart(struct gdbstub *stub);
/* Else an error's number is all that its reply has. */
bool session_takes_error_text(const struct gdbstub *stub);
/* OK, or what a handler's negative or positive result asks for. */
void reply_result(struct gdbstub *stub, int result);
void reply_ok(struct gdbstub *stub);

/* resume.c */
enum gdbstub_resume session_action(const struct gdbstub *stub, int thread);
/* The smallest id above `after`, or 0; a target that was killed has no threads. */
int thread_next(const struct gdbstub *stub, int after);
bool thread_exists(const struct gdbstub *stub, int thread);
/* Reads a thread id of the manual's syntax (hex, -1 for all, 0 for any); false if it is not one. */
bool thread_parse(const char **p, int *thread);
void reply_stop(struct gdbstub *stub, const struct gdbstub_stop *stop);

/* query.c: the part of `text` that "offset,length" asks for, as qXfer's reply */
int reply_transfer(struct gdbstub *stub, const char *range, const char *text, size_t size);

/* file.c */
const struct gdbstub_file *file_served(const struct gdbstub *stub); /* NULL: none */
int file_packet(struct gdbstub *stub, char *args, size_t len);
int file_name(struct gdbstub *stub, char *args, size_t len);

/* lldb.c: cuts a thread suffix off; *thread is Hg's without one. False: it names no thread. */
bool thread_suffix(struct gdbstub *stub, char *args, size_t *len, int *thread);

/* points.c */
int point_insert(struct gdbstub *stub, char *args, size_t len);
int point_remove(struct gdbstub *stub, char *args, size_t len);
/* All points, with their conditions and commands. */
void target_clear_points(struct gdbstub *stub);
void conditions_free(struct gdbstub *stub);

/*
 * agent.c: agent expressions (the manual's appendix F). agent_check() tells whether one can be evaluated, with
 * a value at its end or without: NULL, or a sentence that says why not. agent_evaluate() takes what has passed
 * that; NULL, or why it came to no end. *value is what is on top of the stack then; value is NULL if there is
 * to be none.
 */
#define AGENT_SIZE_MAX 0x1000 /* bytes of one */
#define AGENT_TEXT_MAX 0x1000 /* bytes that one printf prints */
const char *agent_check(const uint8_t *code, size_t size, bool has_value);
const char *agent_evaluate(struct gdbstub *stub, int thread, const uint8_t *code, size_t size, uint64_t *value);

/*
 * format.c: whether a format of agent expressions can be printed with so many arguments; NULL, or why not. What
 * format_print() has printed when it says why it cannot go on is in *len, too.
 */
const char *format_check(const char *format, size_t args);
const char *format_print(struct gdbstub *stub, int thread, const char *format, const uint64_t *args,
			 char text[AGENT_TEXT_MAX], size_t *len);

/* scan.c */
uint32_t scan_crc(uint32_t crc, const uint8_t *p, size_t len); /* the manual's, which begins with all ones */
int memory_crc(struct gdbstub *stub, char *args, size_t len);
int memory_search(struct gdbstub *stub, char *args, size_t len);

/* monitor.c */
int monitor_command(struct gdbstub *stub, char *args, size_t len);

#endif
