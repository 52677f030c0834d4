/* INT 16h: the keyboard. */
#include "bios/bios.h"
#include "bios/keyboard_table.h"
#include "irq.h"

#define IRQ_POLL_MAX 16 /* handlers that are let run while one looks for a key */

/* Where the buffer is; a guest may have moved it, but not out of the segment. */
static bool find_ring(const struct machine *machine, uint16_t *start, uint16_t *end)
{
	*start = bios_word(machine, BDA_RING_START);
	*end = bios_word(machine, BDA_RING_END);
	return *end > *start && !((*end - *start) & 1);
}

static uint16_t behind(const struct machine *machine, uint16_t at)
{
	uint16_t start, end;

	if (!find_ring(machine, &start, &end))
		return at;
	at = (uint16_t)(at + 2);
	return at < start || at >= end ? start : at;
}

void keyboard_power_on(struct machine *machine)
{
	bios_set_word(machine, BDA_RING_START, BDA_RING);
	bios_set_word(machine, BDA_RING_END, BDA_RING_LAST);
	*bios_byte(machine, BDA_KEYBOARD) = KEYBOARD_ENHANCED;
	keyboard_empty(machine);
}

bool keyboard_store(struct machine *machine, uint16_t code)
{
	uint16_t tail = bios_word(machine, BDA_TAIL), next = behind(machine, tail);

	if (next == bios_word(machine, BDA_HEAD) || next == tail)
		return false;
	bios_set_word(machine, tail, code);
	bios_set_word(machine, BDA_TAIL, next);
	machine->typist.stored = machine->typist.stored_last = true;
	return true;
}

bool keyboard_first(const struct machine *machine, uint16_t *code)
{
	uint16_t head = bios_word(machine, BDA_HEAD);

	if (head == bios_word(machine, BDA_TAIL))
		return false;
	*code = bios_word(machine, head);
	return true;
}

void keyboard_empty(struct machine *machine)
{
	uint16_t start = bios_word(machine, BDA_RING_START);

	bios_set_word(machine, BDA_HEAD, start);
	bios_set_word(machine, BDA_TAIL, start);
}

/*
 * What a program that knows only 84 keys is to see: a grey key as its twin on the keypad. Keys that such a
 * keyboard does not have IBM's BIOS would drop; a program that is not interested does that itself.
 */
static uint16_t without_grey(uint16_t code)
{
	uint8_t scan = (uint8_t)(code >> 8), character = (uint8_t)code;

	if (scan == 0xe0)
		return (uint16_t)((character == '/' ? 0x35 : 0x1c) << 8 | character);
	return character == 0xe0 && scan ? code & 0xff00 : code;
}

static bool is_enhanced(const struct bios_call *call)
{
	return call->a.h >= 0x10;
}

static enum bios_result read_key(struct bios_call *call)
{
	struct machine *machine = call->machine;
	uint16_t code;

	if (!keyboard_first(machine, &code)) {
		typist_notice(machine, TYPIST_WAIT);
		return BIOS_WAIT;
	}
	bios_set_word(machine, BDA_HEAD, behind(machine, bios_word(machine, BDA_HEAD)));
	call->a.x = is_enhanced(call) ? code : without_grey(code);
	return BIOS_DONE;
}

/* With interrupts on, as a BIOS does it: the caller may have them off, and key presses wait. */
static enum bios_result check_key(struct bios_call *call)
{
	struct machine *machine = call->machine;
	uint16_t code;
	bool there = keyboard_first(machine, &code);

	if (!there && !(call->flags & RFLAGS_IF) && irq_vector(machine) >= 0 &&
	    machine->bios.handlers_run++ < IRQ_POLL_MAX)
		return BIOS_WAIT;
	machine->bios.handlers_run = 0;
	if (there) {
		call->a.x = is_enhanced(call) ? code : without_grey(code);
	} else {
		typist_notice(machine, TYPIST_POLL);
		clock_advance(machine, CLOCK_BIOS_POLL);
	}
	bios_flag(call, FLAG_ZERO, !there);
	return BIOS_DONE;
}

static enum bios_result get_shifts(struct bios_call *call)
{
	call->a.l = *bios_byte(call->machine, BDA_SHIFTS);
	return BIOS_DONE;
}

/* With the keys of each side apart: Ctrl, Alt, Scroll Lock, Num Lock, Caps Lock and SysReq, where they are down. */
static enum bios_result get_all_shifts(struct bios_call *call)
{
	uint8_t pressed = *bios_byte(call->machine, BDA_PRESSED);

	call->a.l = *bios_byte(call->machine, BDA_SHIFTS);
	call->a.h = (pressed & 0x73) | (*bios_byte(call->machine, BDA_KEYBOARD) & 0x0c) |
		    (pressed & 0x04 ? 0x80 : 0);
	return BIOS_DONE;
}

/* Nothing is repeated here, so there is no rate either. */
static enum bios_result set_rate(struct bios_call *call)
{
	return call->a.l == 0x00 || call->a.l == 0x05 ? BIOS_DONE : BIOS_UNKNOWN;
}

static enum bios_result store_key(struct bios_call *call)
{
	call->a.l = !keyboard_store(call->machine, call->c.x);
	bios_flag(call, FLAG_CARRY, call->a.l);
	return BIOS_DONE;
}

/* AH=03h with AL=00 and 05, 0Ah, and 10h to 12h. */
static enum bios_result get_functions(struct bios_call *call)
{
	call->a.l = 0x35;
	return BIOS_DONE;
}

/* As "what are you?" is answered, through the controller's translation. */
static enum bios_result get_id(struct bios_call *call)
{
	call->b.x = 0x41ab;
	return BIOS_DONE;
}

const struct bios_service int16_services[] = {
	{0x00, "read key", read_key},
	{0x01, "check for key", check_key},
	{0x02, "get shift flags", get_shifts},
	{0x03, "set typematic rate", set_rate},
	{0x05, "store key", store_key},
	{0x09, "get keyboard functions", get_functions},
	{0x0a, "get keyboard ID", get_id},
	{0x10, "read enhanced key", read_key},
	{0x11, "check for enhanced key", check_key},
	{0x12, "get enhanced shift flags", get_all_shifts},
	{0},
};
