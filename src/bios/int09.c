/*
 * INT 09h: a byte from the keyboard. The ROM has read it, and asked INT 15h AH=4Fh; what is left comes here, in
 * AL. The ROM then calls the interrupt whose number is in AL, if it is not 0, and ends this one.
 */
#include "bios/bios.h"
#include "bios/keyboard_table.h"
#include "machine.h"

#define BREAK 0x80
#define PREFIX_GREY 0xe0
#define PREFIX_PAUSE 0xe1

/* BDA_PRESSED, beside the bits that BDA_SHIFTS has for the same keys. */
#define PRESSED_LEFT_CTRL 0x01
#define PRESSED_LEFT_ALT 0x02
#define PRESSED_SYSREQ 0x04
/* BDA_KEYBOARD */
#define LAST_PAUSE 0x01
#define LAST_GREY 0x02
#define RIGHT_CTRL 0x04
#define RIGHT_ALT 0x08

/* BDA_LEDS, which are in the order of BDA_SHIFTS */
#define LEDS 0x07
#define LEDS_SHIFT 4

#define INSERT 0x52

#define CALL_NONE 0
#define CALL_PRINT 0x05
#define CALL_BREAK 0x1b
#define WARM_START 0x1234 /* in BDA_RESET */

/* Keys that are nothing but states, by their scan codes. */
static const struct {
	uint8_t code;
	bool grey;
	uint8_t shifts;	  /* of BDA_SHIFTS, while it is down */
	uint8_t toggles;  /* of BDA_SHIFTS, when it goes down */
	uint8_t pressed;  /* of BDA_PRESSED */
	uint8_t keyboard; /* of BDA_KEYBOARD */
} states[] = {
	{0x1d, false, KEYS_CTRL, 0, PRESSED_LEFT_CTRL, 0},
	{0x1d, true, KEYS_CTRL, 0, 0, RIGHT_CTRL},
	{0x2a, false, KEYS_LEFT_SHIFT, 0, 0, 0},
	{0x36, false, KEYS_RIGHT_SHIFT, 0, 0, 0},
	{0x38, false, KEYS_ALT, 0, PRESSED_LEFT_ALT, 0},
	{0x38, true, KEYS_ALT, 0, 0, RIGHT_ALT},
	{0x3a, false, 0, KEYS_CAPS, KEYS_CAPS, 0},
	{0x45, false, 0, KEYS_NUM, KEYS_NUM, 0},
	{0x46, false, 0, KEYS_SCROLL, KEYS_SCROLL, 0},
	{0x52, false, 0, KEYS_INSERT, KEYS_INSERT, 0},
	{0x52, true, 0, KEYS_INSERT, KEYS_INSERT, 0},
	{0x54, false, 0, 0, PRESSED_SYSREQ, 0}, /* Alt with PrtSc */
};

/* The keypad's digits, from the code 0x47. */
static const int8_t digits[] = {7, 8, 9, -1, 4, 5, 6, -1, 1, 2, 3, 0};

#define KEYPAD_FIRST 0x47
#define KEYPAD_LAST 0x53

static void set_bits(uint8_t *byte, uint8_t bits, bool on)
{
	*byte = on ? *byte | bits : *byte & (uint8_t)~bits;
}

/* The two Ctrl and Alt keys are one in BDA_SHIFTS. */
static void join_sides(struct machine *machine)
{
	uint8_t pressed = *bios_byte(machine, BDA_PRESSED), keyboard = *bios_byte(machine, BDA_KEYBOARD);
	uint8_t *shifts = bios_byte(machine, BDA_SHIFTS);

	set_bits(shifts, KEYS_CTRL, pressed & PRESSED_LEFT_CTRL || keyboard & RIGHT_CTRL);
	set_bits(shifts, KEYS_ALT, pressed & PRESSED_LEFT_ALT || keyboard & RIGHT_ALT);
}

static void end_alt_code(struct machine *machine)
{
	uint8_t *code = bios_byte(machine, BDA_ALT_CODE);

	if (!(*bios_byte(machine, BDA_SHIFTS) & KEYS_ALT) && *code) {
		keyboard_store(machine, *code);
		*code = 0;
	}
}

/* Whether the keypad gives digits. */
static bool has_digits(uint8_t shifts)
{
	return !(shifts & KEYS_NUM) != !(shifts & (KEYS_LEFT_SHIFT | KEYS_RIGHT_SHIFT));
}

/* Returns true if the key is no more than a state. */
static bool change_state(struct machine *machine, uint8_t code, bool grey, bool down)
{
	uint8_t *shifts = bios_byte(machine, BDA_SHIFTS), *pressed = bios_byte(machine, BDA_PRESSED);
	uint8_t *leds = bios_byte(machine, BDA_LEDS);

	for (unsigned int i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if (states[i].code != code || states[i].grey != grey)
			continue;
		/* A combination, or a digit. */
		if (down && states[i].toggles &&
		    (*shifts & (KEYS_CTRL | KEYS_ALT) || (code == INSERT && !grey && has_digits(*shifts))))
			return false;
		/* Only once, however long it is held. */
		if (down && !(*pressed & states[i].toggles))
			*shifts ^= states[i].toggles;
		set_bits(shifts, states[i].shifts, down);
		set_bits(pressed, states[i].pressed, down);
		set_bits(bios_byte(machine, BDA_KEYBOARD), states[i].keyboard, down);
		join_sides(machine);
		end_alt_code(machine);
		*leds = (*leds & (uint8_t)~LEDS) | (*shifts >> LEDS_SHIFT & LEDS);
		return code != INSERT;
	}
	return false;
}

/* Keys with which something is done at once; CALL_NONE with *done if that was all. */
static uint8_t act(struct machine *machine, uint8_t code, bool grey, bool *done)
{
	uint8_t shifts = *bios_byte(machine, BDA_SHIFTS);
	bool ctrl = shifts & KEYS_CTRL, alt = shifts & KEYS_ALT;
	uint8_t *alt_code = bios_byte(machine, BDA_ALT_CODE);

	*done = true;
	if (code == 0x53 && ctrl && alt) {
		bios_set_word(machine, BDA_RESET, WARM_START);
		machine->request = MACHINE_RESET;
		return CALL_NONE;
	}
	if (code == 0x46 && ctrl) {
		keyboard_empty(machine);
		keyboard_store(machine, 0);
		*bios_byte(machine, BDA_BREAK) |= 0x80;
		return CALL_BREAK;
	}
	if (code == 0x37 && grey && !ctrl)
		return CALL_PRINT;
	if (alt && !grey && code >= KEYPAD_FIRST && code < KEYPAD_FIRST + sizeof(digits) &&
	    digits[code - KEYPAD_FIRST] >= 0) {
		*alt_code = (uint8_t)(*alt_code * 10 + digits[code - KEYPAD_FIRST]);
		return CALL_NONE;
	}
	*done = false;
	return CALL_NONE;
}

static bool is_letter(uint16_t code)
{
	uint8_t letter = (uint8_t)code | 0x20;

	return letter >= 'a' && letter <= 'z';
}

static uint16_t code_of(uint8_t shifts, uint8_t code, bool grey)
{
	const uint16_t *codes;
	bool shift = shifts & (KEYS_LEFT_SHIFT | KEYS_RIGHT_SHIFT);

	if (code >= KEYBOARD_CODES)
		return KEYBOARD_NONE;
	codes = grey ? keyboard_grey_codes[code] : keyboard_codes[code];
	if (shifts & KEYS_ALT)
		return codes[KEYBOARD_ALT];
	if (shifts & KEYS_CTRL)
		return codes[KEYBOARD_CTRL];
	if (shifts & KEYS_CAPS && is_letter(codes[KEYBOARD_PLAIN]))
		shift = !shift;
	if (!grey && code >= KEYPAD_FIRST && code <= KEYPAD_LAST)
		shift = has_digits(shifts);
	return codes[shift ? KEYBOARD_SHIFT : KEYBOARD_PLAIN];
}

/* Returns what is to be called. */
static uint8_t take(struct machine *machine, uint8_t byte)
{
	uint8_t *keyboard = bios_byte(machine, BDA_KEYBOARD), code = byte & (uint8_t)~BREAK;
	bool grey = *keyboard & LAST_GREY, down = !(byte & BREAK), done;
	uint16_t found;
	uint8_t call;

	if (byte == PREFIX_GREY || byte == PREFIX_PAUSE) {
		*keyboard |= byte == PREFIX_GREY ? LAST_GREY : LAST_PAUSE;
		return CALL_NONE;
	}
	/* Pause sends E1 1D 45 E1 9D C5, and does nothing here. */
	if (*keyboard & LAST_PAUSE) {
		if (code == 0x45)
			*keyboard &= (uint8_t)~LAST_PAUSE;
		return CALL_NONE;
	}
	*keyboard &= (uint8_t)~LAST_GREY;
	/* Shifts that the keyboard makes up around grey keys. */
	if (grey && (code == 0x2a || code == 0x36))
		return CALL_NONE;
	if (change_state(machine, code, grey, down) || !down)
		return CALL_NONE;
	call = act(machine, code, grey, &done);
	if (done)
		return call;
	found = code_of(*bios_byte(machine, BDA_SHIFTS), code, grey);
	if (found != KEYBOARD_NONE)
		keyboard_store(machine, found);
	return CALL_NONE;
}

static enum bios_result scan_code(struct bios_call *call)
{
	call->a.l = take(call->machine, call->a.l);
	return BIOS_DONE;
}

const struct bios_service int09_services[] = {
	{BIOS_ANY, "scan code", scan_code},
	{0},
};
