/* The BIOS's keys: what each gives to INT 16h, and the buffer that they wait in. */
#ifndef KEYBOARD_TABLE_H
#define KEYBOARD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define KEYBOARD_CODES 0x59
enum { KEYBOARD_PLAIN, KEYBOARD_SHIFT, KEYBOARD_CTRL, KEYBOARD_ALT, KEYBOARD_STATES };
#define KEYBOARD_NONE 0 /* the key gives nothing */

/* By scan code; the second table has those with the prefix E0. */
extern const uint16_t keyboard_codes[KEYBOARD_CODES][KEYBOARD_STATES];
extern const uint16_t keyboard_grey_codes[KEYBOARD_CODES][KEYBOARD_STATES];

/* The BIOS data area. */
#define BDA_SHIFTS 0x17	  /* KEYS_* below */
#define BDA_PRESSED 0x18
#define BDA_ALT_CODE 0x19
#define BDA_HEAD 0x1a
#define BDA_TAIL 0x1c
#define BDA_RING 0x1e
#define BDA_RING_LAST 0x3e /* behind it */
#define BDA_BREAK 0x71
#define BDA_RESET 0x72
#define BDA_RING_START 0x80
#define BDA_RING_END 0x82
#define BDA_KEYBOARD 0x96
#define BDA_LEDS 0x97
#define KEYBOARD_ENHANCED 0x10 /* in BDA_KEYBOARD: with 101 or 102 keys */

#define KEYS_RIGHT_SHIFT 0x01
#define KEYS_LEFT_SHIFT 0x02
#define KEYS_CTRL 0x04
#define KEYS_ALT 0x08
#define KEYS_SCROLL 0x10
#define KEYS_NUM 0x20
#define KEYS_CAPS 0x40
#define KEYS_INSERT 0x80

/* int16.c: the buffer. False: it is full; or empty. */
bool keyboard_store(struct machine *machine, uint16_t code);
bool keyboard_first(const struct machine *machine, uint16_t *code);
/* Empties it. */
void keyboard_empty(struct machine *machine);

#endif
