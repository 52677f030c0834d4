/*
 * The keyboard controller, an 8042 as in IBM's AT and PS/2, with a keyboard of 101 keys behind it. There is no
 * mouse on its second port.
 */
#ifndef KEYBOARD_H
#define KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define KEYBOARD_BUFFER 64 /* more than a stroke of the typist's has, in any set of scan codes */
#define KEYBOARD_REPLIES 4

struct keyboard {
	/* The controller. */
	uint8_t command_byte;
	uint8_t status;	 /* but for the bits that are derived */
	uint8_t output;	 /* stays readable until the next one */
	uint8_t data_for; /* the command that the next write to the data port belongs to, or 0 */
	uint8_t replies[KEYBOARD_REPLIES]; /* of the controller's, that wait for the output buffer */
	bool from_mouse[KEYBOARD_REPLIES];
	uint8_t reply_count;

	/* The keyboard. */
	bool scanning;
	uint8_t set; /* of scan codes: 1 to 3, of which 3 sends as 2 does */
	uint8_t leds, rate;
	uint8_t argument_of; /* the command that the next byte is the argument of, or 0 */
	uint8_t last;	     /* sent, for "resend" */
	uint8_t buffer[KEYBOARD_BUFFER];
	unsigned int count;
	unsigned int answers; /* of these, to what it was told; they come first */
	uint64_t sent_at;     /* the last byte */
	uint64_t ready_at;    /* when the next may be in the controller */
	unsigned int polls;   /* of the status port with nothing there, since the last byte */
};

/* As a PC's BIOS leaves it: the keyboard on, interrupts on, scan codes translated to set 1. */
void keyboard_reset(struct machine *machine);
uint64_t keyboard_next(const struct machine *machine);
void keyboard_update(struct machine *machine);
/* The keyboard sends these bytes of set 1, in whatever set it was told to use. Bytes that have no room are lost. */
void keyboard_send(struct machine *machine, const uint8_t *bytes, unsigned int count);
/* Whether nothing is on the way to the guest, and what is sent now would go on it. */
bool keyboard_is_ready(const struct machine *machine);
/* Whether the guest could be interrupted by a key. */
bool keyboard_interrupts(const struct machine *machine);

#endif
