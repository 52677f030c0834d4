/* Who sits at the keyboard: presses the keys that the user has asked for when the guest is ready for them. */
#ifndef TYPIST_H
#define TYPIST_H

#include <stdbool.h>
#include <stdint.h>

#include "keys.h"

struct machine;

/* What the guest does when it wants a key. */
enum typist_sign {
	TYPIST_STATUS_READ, /* the status port, with nothing there */
	TYPIST_PORT_READ,   /* the data port, with nothing there */
	TYPIST_POLL,	    /* INT 16h AH=01, with nothing there */
	TYPIST_WAIT,	    /* INT 16h AH=00, with nothing there */
};

struct typist {
	struct strokes strokes;
	size_t next;	 /* of them */
	size_t scripted; /* the first ones, which are pressed again when the user begins anew */
	bool pressed;	 /* the one before `next`, and not released yet */
	bool waits;	 /* a pause, until `then` */
	bool live;	 /* a human types: keys wait in the guest's buffer as on any PC */
	bool has_seen;	 /* the guest has shown that it wants keys, at any time */
	bool asks;	 /* by INT 16h */
	bool stored;	 /* the BIOS has put a key into its buffer */
	bool stored_last; /* and that was the last one that was pressed */
	unsigned int signs; /* since the last stroke, by their weight */
	uint64_t since;	    /* the end of the last stroke */
	uint64_t then;	    /* when there is something to be looked at */
	uint64_t interrupted; /* when the guest has last taken an interrupt; 0: never */
	bool interrupted_real; /* and whether in real mode */
};

/* Sees what the user wants typed from power-on. Returns 0, or a negative errno and why. */
int typist_begin(struct machine *machine, const char *text, char *why, size_t size);
/* More, behind what there is. */
int typist_add(struct machine *machine, const char *text, char *why, size_t size);
bool typist_add_stroke(struct machine *machine, struct stroke stroke);
void typist_free(struct machine *machine);

/* With the rest; after a reset that the guest has asked for it goes on where it was. */
void typist_reset(struct machine *machine);
uint64_t typist_next(const struct machine *machine);
void typist_update(struct machine *machine);
void typist_notice(struct machine *machine, enum typist_sign sign);
void typist_notice_interrupt(struct machine *machine);

#endif
