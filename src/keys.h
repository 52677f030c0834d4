/*
 * Text that is typed: --keys, "monitor key" and the user's terminal all make strokes of it.
 *
 *   dir\n           characters, with \n \r \t \b \e \\ \< and \xNN (a code of code page 437)
 *   <F1> <Up>       keys by their names; <lt> is <
 *   <Ctrl-Alt-Del>  with modifiers: Shift-, Ctrl-, Alt-
 *   <wait 200ms>    a pause in the guest's time, in ms or s
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STROKE_SHIFT 0x01
#define STROKE_CTRL 0x02
#define STROKE_ALT 0x04
#define STROKE_GREY 0x08 /* a code with the prefix E0 */
#define STROKE_WAIT 0x10 /* no key: a pause */
#define STROKE_CODE 0x20 /* `code` is a character, typed as Alt with digits of the keypad */

/* A key that is pressed and released, with its modifiers around it. */
struct stroke {
	uint8_t how;
	uint8_t code;  /* of set 1 */
	uint32_t wait; /* milliseconds */
};

struct strokes {
	struct stroke *stroke;
	size_t count, capacity;
};

/* What a client may have typed while the guest takes nothing; more than a command line holds. */
#define STROKES_MAX (1u << 20)

/* Appends; false if there is no memory, or STROKES_MAX are there. */
bool strokes_add(struct strokes *strokes, struct stroke stroke);
void strokes_free(struct strokes *strokes);

#define KEYS_WHY 512 /* room for the reason why a text is none */

/* Appends what the text says. Returns 0, or a negative errno and why; then nothing was appended. */
int keys_parse(struct strokes *strokes, const char *text, char *why, size_t size);
/* The stroke for a Unicode character; false if no key and no code page 437 has it. */
bool keys_character(uint32_t character, struct stroke *stroke);
/* Takes one character of UTF-8; a byte that is none stands for itself. Returns its length, 1 to 4. */
size_t keys_utf8(const char *text, size_t len, uint32_t *character);

#endif
