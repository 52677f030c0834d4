/*
 * The 8042 (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller") and the
 * keyboard ("101- and 102-Key Keyboards").
 */
#include "devices/keyboard.h"

#include <string.h>

#include "devices/devices.h"
#include "devices/lines.h"
#include "devices/typist.h"
#include "machine.h"

/* The status port. */
#define STATUS_FULL 0x01   /* the output buffer */
#define STATUS_SYSTEM 0x04 /* as in the command byte */
#define STATUS_COMMAND 0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_MOUSE 0x20 /* the output buffer holds a byte from it */

/* The command byte. */
#define KEYBOARD_INTERRUPT 0x01
#define MOUSE_INTERRUPT 0x02
#define SYSTEM 0x04
#define KEYBOARD_OFF 0x10
#define MOUSE_OFF 0x20
#define TRANSLATE 0x40

/* The controller's commands. */
#define READ_RAM 0x20 /* and up: its byte 0 is the command byte */
#define WRITE_RAM 0x60
#define RAM_SIZE 0x20
#define MOUSE_DISABLE 0xa7
#define MOUSE_ENABLE 0xa8
#define MOUSE_TEST 0xa9
#define SELF_TEST 0xaa
#define KEYBOARD_TEST 0xab
#define KEYBOARD_DISABLE 0xad
#define KEYBOARD_ENABLE 0xae
#define PASSWORD_TEST 0xa4
#define READ_INPUT_PORT 0xc0
#define READ_OUTPUT_PORT 0xd0
#define WRITE_OUTPUT_PORT 0xd1
#define WRITE_OUTPUT 0xd2
#define WRITE_MOUSE_OUTPUT 0xd3
#define WRITE_MOUSE 0xd4
#define A20_OFF 0xdd
#define A20_ON 0xdf
#define PULSE 0xf0 /* and up: the bits that are 0 go low */

#define SELF_TEST_GOOD 0x55
#define NO_PASSWORD 0xf1
#define INPUT_PORT 0xa0	 /* the keyboard is not locked */
#define OUTPUT_PORT 0xc1 /* both lines at rest, and no reset */
#define OUTPUT_NO_RESET 0x01
#define OUTPUT_A20 0x02
#define OUTPUT_FULL 0x10

/* The keyboard's answers. */
#define ACK 0xfa
#define RESEND 0xfe
#define TEST_PASSED 0xaa
#define BREAK 0x80    /* a bit in set 1, with which a key has been released */
#define BREAK_2 0xf0  /* a byte in front in set 2 */
#define RATE_DEFAULT 0x2b

/* Eleven bits at 10 to 16.7 kHz, and some time for the keyboard's processor. */
#define BYTE_TIME CLOCK_MILLISECOND
#define ANSWER_TIME (50 * CLOCK_MICROSECOND)
/*
 * A handler may still want the byte of its interrupt, or hand it on to the BIOS, which reads it again: the next
 * one waits for its end, unless the handler itself waits for one.
 */
#define HOLD_TIME (20 * CLOCK_MILLISECOND)
#define HOLD_POLLS 8

/* The codes of set 2, by those of set 1. */
static const uint8_t set_2[0x60] = {
	[0x01] = 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
	[0x10] = 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
	[0x20] = 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
	[0x30] = 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
	[0x40] = 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
	[0x50] = 0x72, 0x7a, 0x70, 0x71, 0x84, 0x00, 0x61, 0x78, 0x07,
	[0x5b] = 0x1f, 0x27, 0x2f,
};

static void set_lines(struct machine *machine)
{
	const struct keyboard *keyboard = &machine->keyboard;
	bool full = keyboard->status & STATUS_FULL, mouse = keyboard->status & STATUS_MOUSE;

	line_set(machine, IRQ_KEYBOARD, full && !mouse && keyboard->command_byte & KEYBOARD_INTERRUPT);
	line_set(machine, IRQ_MOUSE, full && mouse && keyboard->command_byte & MOUSE_INTERRUPT);
}

static void put_output(struct machine *machine, uint8_t byte, bool mouse)
{
	struct keyboard *keyboard = &machine->keyboard;

	keyboard->output = byte;
	keyboard->status &= (uint8_t)~STATUS_MOUSE;
	keyboard->status |= STATUS_FULL | (mouse ? STATUS_MOUSE : 0);
	set_lines(machine);
}

/* The controller's own answers go before what the keyboard sends. */
static void next_reply(struct machine *machine)
{
	struct keyboard *keyboard = &machine->keyboard;
	uint8_t byte = keyboard->replies[0];
	bool mouse = keyboard->from_mouse[0];

	if (keyboard->status & STATUS_FULL || !keyboard->reply_count)
		return;
	keyboard->reply_count--;
	memmove(keyboard->replies, keyboard->replies + 1, keyboard->reply_count);
	memmove(keyboard->from_mouse, keyboard->from_mouse + 1, keyboard->reply_count * sizeof(bool));
	put_output(machine, byte, mouse);
}

static void reply(struct machine *machine, uint8_t byte, bool mouse)
{
	struct keyboard *keyboard = &machine->keyboard;

	/* A guest that asks without end and takes no answer loses some. */
	if (keyboard->reply_count == KEYBOARD_REPLIES)
		return;
	keyboard->replies[keyboard->reply_count] = byte;
	keyboard->from_mouse[keyboard->reply_count++] = mouse;
	next_reply(machine);
}

void keyboard_reset(struct machine *machine)
{
	machine->keyboard = (struct keyboard){
		.command_byte = KEYBOARD_INTERRUPT | SYSTEM | MOUSE_OFF | TRANSLATE, .scanning = true, .set = 2,
		.rate = RATE_DEFAULT};
}

/* Whether the handler of the last byte's interrupt is still at work, and is to be left alone. */
static bool is_held(const struct machine *machine)
{
	const struct keyboard *keyboard = &machine->keyboard;

	return line_in_service(machine, IRQ_KEYBOARD) && keyboard->polls < HOLD_POLLS &&
	       machine->clock.now < keyboard->sent_at + HOLD_TIME;
}

static bool may_deliver(const struct keyboard *keyboard)
{
	return keyboard->count && !(keyboard->status & STATUS_FULL) && !keyboard->reply_count &&
	       !(keyboard->command_byte & KEYBOARD_OFF);
}

/* The first bytes of the buffer. */
static void drop(struct keyboard *keyboard, unsigned int count)
{
	keyboard->count -= count;
	keyboard->answers -= count < keyboard->answers ? count : keyboard->answers;
	memmove(keyboard->buffer, keyboard->buffer + count, keyboard->count);
}

uint64_t keyboard_next(const struct machine *machine)
{
	const struct keyboard *keyboard = &machine->keyboard;

	if (!may_deliver(keyboard))
		return CLOCK_NEVER;
	return is_held(machine) ? keyboard->sent_at + HOLD_TIME : keyboard->ready_at;
}

void keyboard_update(struct machine *machine)
{
	struct keyboard *keyboard = &machine->keyboard;

	if (!may_deliver(keyboard) || keyboard->ready_at > machine->clock.now || is_held(machine))
		return;
	keyboard->last = keyboard->buffer[0];
	drop(keyboard, 1);
	keyboard->sent_at = machine->clock.now;
	keyboard->ready_at = machine->clock.now + BYTE_TIME;
	put_output(machine, keyboard->last, false);
}

static void put_byte(struct keyboard *keyboard, uint8_t byte)
{
	if (keyboard->count < KEYBOARD_BUFFER)
		keyboard->buffer[keyboard->count++] = byte;
}

/* One byte of set 1; the prefixes are the same in all sets. */
static void send(struct keyboard *keyboard, uint8_t byte)
{
	uint8_t code = byte & (uint8_t)~BREAK;

	if (keyboard->command_byte & TRANSLATE || keyboard->set == 1 || byte >= 0xe0 || !set_2[code]) {
		put_byte(keyboard, byte);
		return;
	}
	if (byte & BREAK)
		put_byte(keyboard, BREAK_2);
	put_byte(keyboard, set_2[code]);
}

void keyboard_send(struct machine *machine, const uint8_t *bytes, unsigned int count)
{
	struct keyboard *keyboard = &machine->keyboard;

	if (!keyboard->scanning)
		return;
	if (!keyboard->count && keyboard->ready_at < machine->clock.now)
		keyboard->ready_at = machine->clock.now;
	for (unsigned int i = 0; i < count; i++)
		send(keyboard, bytes[i]);
	clock_plan(machine);
}

bool keyboard_is_ready(const struct machine *machine)
{
	const struct keyboard *keyboard = &machine->keyboard;

	return keyboard->scanning && !keyboard->count && !keyboard->reply_count && !keyboard->data_for &&
	       !keyboard->argument_of && !(keyboard->status & STATUS_FULL) &&
	       !(keyboard->command_byte & KEYBOARD_OFF) && !line_in_service(machine, IRQ_KEYBOARD);
}

bool keyboard_interrupts(const struct machine *machine)
{
	const struct keyboard *keyboard = &machine->keyboard;

	return (keyboard->command_byte & (KEYBOARD_INTERRUPT | KEYBOARD_OFF)) == KEYBOARD_INTERRUPT &&
	       !line_is_masked(machine, IRQ_KEYBOARD);
}

/* Before the keys that wait. */
static void answer(struct machine *machine, uint8_t byte)
{
	struct keyboard *keyboard = &machine->keyboard;
	unsigned int at = keyboard->answers++;

	if (!at)
		keyboard->ready_at = machine->clock.now + ANSWER_TIME;
	if (keyboard->count < KEYBOARD_BUFFER)
		keyboard->count++;
	memmove(keyboard->buffer + at + 1, keyboard->buffer + at, keyboard->count - at - 1);
	keyboard->buffer[at] = byte;
}

static void set_defaults(struct keyboard *keyboard)
{
	drop(keyboard, keyboard->count);
	keyboard->set = 2;
	keyboard->rate = RATE_DEFAULT;
}

/* The second byte of a command that has two. */
static void take_argument(struct machine *machine, uint8_t byte)
{
	/* The set's number, as the controller translates it. */
	static const uint8_t translated[] = {0, 0x43, 0x41, 0x3f};
	struct keyboard *keyboard = &machine->keyboard;

	answer(machine, ACK);
	if (keyboard->argument_of == 0xed)
		keyboard->leds = byte & 7;
	else if (keyboard->argument_of == 0xf3)
		keyboard->rate = byte & 0x7f;
	else if (keyboard->argument_of == 0xf0 && byte && byte <= 3)
		keyboard->set = byte;
	else if (keyboard->argument_of == 0xf0 && !byte)
		answer(machine, keyboard->command_byte & TRANSLATE ? translated[keyboard->set] : keyboard->set);
	keyboard->argument_of = 0;
}

static void obey(struct machine *machine, uint8_t command)
{
	struct keyboard *keyboard = &machine->keyboard;

	switch (command) {
	case 0xee: /* echo */
		answer(machine, command);
		return;
	case 0xfe: /* resend */
		answer(machine, keyboard->last);
		return;
	case 0xed: /* indicators */
	case 0xf0: /* set of scan codes */
	case 0xf3: /* typematic rate */
		keyboard->argument_of = command;
		break;
	case 0xf2: /* what are you? */
		answer(machine, ACK);
		answer(machine, 0xab);
		answer(machine, keyboard->command_byte & TRANSLATE ? 0x41 : 0x83);
		return;
	case 0xf4:
		drop(keyboard, keyboard->count);
		keyboard->scanning = true;
		break;
	case 0xf5:
		keyboard->scanning = false;
		set_defaults(keyboard);
		break;
	case 0xf6:
		set_defaults(keyboard);
		break;
	case 0xff: /* reset, and test */
		set_defaults(keyboard);
		keyboard->scanning = true;
		keyboard->leds = 0;
		answer(machine, ACK);
		answer(machine, TEST_PASSED);
		return;
	default: /* of set 3: what each key does */
		if (command < 0xed || command == 0xef || command == 0xf1) {
			answer(machine, RESEND);
			return;
		}
	}
	answer(machine, ACK);
}

static void write_keyboard(struct machine *machine, uint8_t byte)
{
	struct keyboard *keyboard = &machine->keyboard;

	/* What it was told before is forgotten, and the controller opens the line. */
	drop(keyboard, keyboard->answers);
	keyboard->command_byte &= (uint8_t)~KEYBOARD_OFF;
	if (keyboard->argument_of && byte < 0xed) {
		take_argument(machine, byte);
		return;
	}
	keyboard->argument_of = 0;
	obey(machine, byte);
}

static void set_output_port(struct machine *machine, uint8_t value)
{
	machine->system.a20 = value & OUTPUT_A20;
	if (!(value & OUTPUT_NO_RESET))
		machine->request = MACHINE_RESET;
}

static void write_data(struct machine *machine, uint8_t value)
{
	struct keyboard *keyboard = &machine->keyboard;
	uint8_t command = keyboard->data_for;

	keyboard->data_for = 0;
	keyboard->status &= (uint8_t)~STATUS_COMMAND;
	switch (command) {
	case 0:
		write_keyboard(machine, value);
		break;
	case WRITE_RAM:
		keyboard->command_byte = value;
		set_lines(machine);
		break;
	case WRITE_OUTPUT_PORT:
		set_output_port(machine, value);
		break;
	case WRITE_OUTPUT:
		reply(machine, value, false);
		break;
	case WRITE_MOUSE_OUTPUT:
		reply(machine, value, true);
		break;
	case WRITE_MOUSE: /* nobody answers, which the controller reports so */
		reply(machine, RESEND, true);
		break;
	default: /* another byte of its RAM */
		break;
	}
}

static void write_command(struct machine *machine, uint8_t command)
{
	struct keyboard *keyboard = &machine->keyboard;

	keyboard->status |= STATUS_COMMAND;
	keyboard->data_for = 0;
	if (command >= PULSE) {
		if (!(command & OUTPUT_NO_RESET))
			machine->request = MACHINE_RESET;
		return;
	}
	if (command >= READ_RAM && command < READ_RAM + RAM_SIZE) {
		reply(machine, command == READ_RAM ? keyboard->command_byte : 0, false);
		return;
	}
	if (command >= WRITE_RAM && command < WRITE_RAM + RAM_SIZE) {
		keyboard->data_for = command;
		return;
	}
	switch (command) {
	case MOUSE_DISABLE:
		keyboard->command_byte |= MOUSE_OFF;
		break;
	case MOUSE_ENABLE:
		keyboard->command_byte &= (uint8_t)~MOUSE_OFF;
		break;
	case MOUSE_TEST:
	case KEYBOARD_TEST:
		reply(machine, 0, false);
		break;
	case SELF_TEST:
		keyboard->command_byte |= SYSTEM;
		reply(machine, SELF_TEST_GOOD, false);
		break;
	case PASSWORD_TEST:
		reply(machine, NO_PASSWORD, false);
		break;
	case KEYBOARD_DISABLE:
		keyboard->command_byte |= KEYBOARD_OFF;
		break;
	case KEYBOARD_ENABLE:
		keyboard->command_byte &= (uint8_t)~KEYBOARD_OFF;
		break;
	case READ_INPUT_PORT:
		reply(machine, INPUT_PORT, false);
		break;
	case READ_OUTPUT_PORT:
		reply(machine, (uint8_t)(OUTPUT_PORT | (machine->system.a20 ? OUTPUT_A20 : 0) |
					 (keyboard->status & STATUS_FULL ? OUTPUT_FULL : 0)), false);
		break;
	case WRITE_OUTPUT_PORT:
	case WRITE_OUTPUT:
	case WRITE_MOUSE_OUTPUT:
	case WRITE_MOUSE:
		keyboard->data_for = command;
		break;
	case A20_OFF:
	case A20_ON:
		machine->system.a20 = command == A20_ON;
		break;
	default: /* there is no such command */
		break;
	}
}

static uint8_t read_data(struct machine *machine)
{
	struct keyboard *keyboard = &machine->keyboard;

	if (keyboard->status & STATUS_FULL) {
		keyboard->status &= (uint8_t)~STATUS_FULL;
		set_lines(machine);
		/* One that is not being served yet is not to be found by a later STI, with nothing to read. */
		line_withdraw(machine, keyboard->status & STATUS_MOUSE ? IRQ_MOUSE : IRQ_KEYBOARD);
		keyboard->polls = 0;
		/* The line is free again, which the guest's next look at the status is not to see at once. */
		if (keyboard->ready_at < machine->clock.now + ANSWER_TIME)
			keyboard->ready_at = machine->clock.now + ANSWER_TIME;
	} else {
		typist_notice(machine, TYPIST_PORT_READ);
	}
	next_reply(machine);
	return keyboard->output;
}

static uint8_t read_status(struct machine *machine)
{
	struct keyboard *keyboard = &machine->keyboard;

	if (!(keyboard->status & STATUS_FULL)) {
		keyboard->polls++;
		typist_notice(machine, TYPIST_STATUS_READ);
	}
	return keyboard->status | STATUS_UNLOCKED | (keyboard->command_byte & SYSTEM ? STATUS_SYSTEM : 0);
}

void keyboard_access(struct machine *machine, const struct port_access *access)
{
	bool data = access->port == PORT_KEYBOARD;

	if (!access->write) {
		access->data[0] = data ? read_data(machine) : read_status(machine);
	} else {
		machine->keyboard.polls = 0;
		if (data)
			write_data(machine, access->data[0]);
		else
			write_command(machine, access->data[0]);
	}
	clock_plan(machine);
}
