/*
 * A key is pressed when the guest has taken the one before and looks for another: programs empty the buffer
 * before they ask, and all that was typed by then would be lost.
 */
#include "devices/typist.h"

#include "bios/bios.h"
#include "devices/devices.h"
#include "machine.h"

#define LOOK_AGAIN (5 * CLOCK_MILLISECOND)
/* Who only looks whether keys are down does so once in a frame, which may be a tick of the timer. */
#define HOLD_BIOS (10 * CLOCK_MILLISECOND)
#define HOLD_OWN (80 * CLOCK_MILLISECOND)
/* A modifier alone is for those alone who look whether it is down. */
#define HOLD_MODIFIER (80 * CLOCK_MILLISECOND)
#define REST CLOCK_MILLISECOND	      /* between strokes, for a guest that wants one */
#define REST_OWN (50 * CLOCK_MILLISECOND) /* for one that has its own handler of the interrupt */
/* For one that may look into the BIOS's data area. */
#define REST_BIOS CLOCK_SECOND
/* Of a guest that polls, not one that empties the buffers. */
#define SIGNS_ENOUGH 200
/* A kernel's scheduler has interrupts on for a moment only, again and again; who calls the BIOS without end, between two calls. */
#define LISTENS (100 * CLOCK_MILLISECOND)
#define LIVE_MAX 12 /* keys in the BIOS's buffer, of 15 that it can hold */

/* The BIOS data area. */
#define HEAD 0x1a
#define TAIL 0x1c
#define RING_START 0x80
#define RING_END 0x82

#define MAKE_SHIFT 0x2a
#define MAKE_CTRL 0x1d
#define MAKE_ALT 0x38
#define MAKE_RIGHT_SHIFT 0x36
#define BREAK 0x80
#define GREY 0xe0

static const uint8_t modifiers[][2] = {
	{STROKE_CTRL, MAKE_CTRL}, {STROKE_ALT, MAKE_ALT}, {STROKE_SHIFT, MAKE_SHIFT}};
#define MODIFIERS (sizeof(modifiers) / sizeof(*modifiers))

/* Something will be added. */
static void make_room(struct machine *machine)
{
	struct typist *typist = &machine->typist;

	/* Of what was typed only the script is needed again. */
	if (typist->next == typist->strokes.count && !typist->pressed && typist->next > typist->scripted)
		typist->next = typist->strokes.count = typist->scripted;
	if (typist->next == typist->strokes.count && !typist->pressed)
		typist->then = machine->clock.now;
}

int typist_add(struct machine *machine, const char *text, char *why, size_t size)
{
	int result;

	make_room(machine);
	result = keys_parse(&machine->typist.strokes, text, why, size);
	clock_plan(machine);
	return result;
}

bool typist_add_stroke(struct machine *machine, struct stroke stroke)
{
	bool added;

	make_room(machine);
	added = strokes_add(&machine->typist.strokes, stroke);
	clock_plan(machine);
	return added;
}

int typist_begin(struct machine *machine, const char *text, char *why, size_t size)
{
	int result = keys_parse(&machine->typist.strokes, text, why, size);

	machine->typist.scripted = machine->typist.strokes.count;
	return result;
}

void typist_free(struct machine *machine)
{
	strokes_free(&machine->typist.strokes);
}

void typist_reset(struct machine *machine)
{
	struct typist *typist = &machine->typist;

	*typist = (struct typist){.strokes = typist->strokes, .scripted = typist->scripted, .live = typist->live,
				  .next = machine->reset_due ? typist->next : 0};
	if (!machine->reset_due)
		typist->strokes.count = typist->scripted;
}

void typist_notice(struct machine *machine, enum typist_sign sign)
{
	static const unsigned int weights[] = {[TYPIST_STATUS_READ] = 1, [TYPIST_PORT_READ] = 10,
					       [TYPIST_POLL] = 20, [TYPIST_WAIT] = SIGNS_ENOUGH};
	struct typist *typist = &machine->typist;
	bool enough = typist->signs >= SIGNS_ENOUGH;

	if (!enough)
		typist->signs += weights[sign];
	typist->has_seen = true;
	typist->asks |= sign >= TYPIST_POLL;
	if (!enough && typist->signs >= SIGNS_ENOUGH && !typist->waits) {
		typist->then = machine->clock.now + REST;
		clock_plan(machine);
	}
}

/* Of the keyboard's interrupt. */
static bool has_own_handler(const struct machine *machine)
{
	return !vcpu_is_real(&machine->vcpu) || bios_hears_keyboard(machine);
}

void typist_notice_interrupt(struct machine *machine)
{
	machine->typist.interrupted = machine->clock.now;
	machine->typist.interrupted_real = vcpu_is_real(&machine->vcpu);
}

/* How many keys wait in the BIOS's buffer. */
static unsigned int ring_count(const struct machine *machine)
{
	unsigned int start = bios_word(machine, RING_START), end = bios_word(machine, RING_END);
	unsigned int head = bios_word(machine, HEAD), tail = bios_word(machine, TAIL);

	/* Whoever puts something else there uses it for something else. */
	if (start >= end || head < start || head >= end || tail < start || tail >= end)
		return 0;
	return (tail >= head ? tail - head : tail + (end - start) - head) / 2;
}

/* Keys lie in the BIOS's buffer that the guest is going to take before it wants others. */
static bool guest_is_behind(const struct machine *machine)
{
	const struct typist *typist = &machine->typist;
	unsigned int count = typist->stored ? ring_count(machine) : 0;

	/*
	 * In protected mode a guest may do without the BIOS, and what is in the buffer is left from before; or it
	 * lets the BIOS have its interrupts, as SYSLINUX does, and then the last key has got there.
	 */
	if (!vcpu_is_real(&machine->vcpu))
		return count > LIVE_MAX && typist->stored_last;
	/* A handler of its own may give all to the BIOS and take nothing back. */
	if (bios_hears_keyboard(machine))
		return count > LIVE_MAX && typist->asks;
	return count > (typist->live ? LIVE_MAX : 0);
}

/* Whether an interrupt of the keyboard's comes through, now or soon. */
static bool guest_listens(const struct machine *machine)
{
	const struct typist *typist = &machine->typist;

	if (!keyboard_interrupts(machine))
		return false;
	/* Those that the BIOS has got say nothing of a kernel that has not set up its own yet. */
	return machine->vcpu.regs->rflags & RFLAGS_IF ||
	       (typist->interrupted && typist->interrupted_real == vcpu_is_real(&machine->vcpu) &&
		machine->clock.now - typist->interrupted < LISTENS);
}

/* Shift, Ctrl or Alt alone, which the BIOS puts into no buffer. */
static bool is_modifier(struct stroke stroke)
{
	if (stroke.how & (STROKE_WAIT | STROKE_CODE))
		return false;
	for (unsigned int i = 0; i < MODIFIERS; i++) {
		if (stroke.code == modifiers[i][1])
			return true;
	}
	return stroke.code == MAKE_RIGHT_SHIFT;
}

static bool guest_is_ready(struct machine *machine, struct stroke stroke)
{
	struct typist *typist = &machine->typist;
	uint64_t rest;

	if (!keyboard_is_ready(machine) || (guest_is_behind(machine) && !is_modifier(stroke)))
		return false;
	if (typist->live)
		return true;
	if (typist->signs >= SIGNS_ENOUGH)
		rest = REST;
	else if (!guest_listens(machine))
		return false;
	else
		rest = has_own_handler(machine) ? REST_OWN : REST_BIOS;
	return machine->clock.now - typist->since >= rest;
}

static unsigned int put_key(uint8_t *bytes, struct stroke stroke, uint8_t change)
{
	unsigned int n = 0;

	if (stroke.how & STROKE_GREY)
		bytes[n++] = GREY;
	bytes[n++] = stroke.code | change;
	return n;
}

/* Alt, and the character's code on the keypad. */
static unsigned int put_code(uint8_t *bytes, uint8_t code)
{
	static const uint8_t digits[] = {0x52, 0x4f, 0x50, 0x51, 0x4b, 0x4c, 0x4d, 0x47, 0x48, 0x49};
	const uint8_t digit[] = {code / 100, code / 10 % 10, code % 10};
	unsigned int n = 0;

	bytes[n++] = MAKE_ALT;
	for (int i = 0; i < 3; i++) {
		bytes[n++] = digits[digit[i]];
		bytes[n++] = digits[digit[i]] | BREAK;
	}
	return n;
}

static void press(struct machine *machine, struct stroke stroke)
{
	uint8_t bytes[16];
	unsigned int n = 0;

	if (stroke.how & STROKE_CODE) {
		n = put_code(bytes, stroke.code);
	} else {
		for (unsigned int i = 0; i < MODIFIERS; i++) {
			if (stroke.how & modifiers[i][0])
				bytes[n++] = modifiers[i][1];
		}
		n += put_key(bytes + n, stroke, 0);
	}
	keyboard_send(machine, bytes, n);
}

static void release(struct machine *machine, struct stroke stroke)
{
	uint8_t bytes[16];
	unsigned int n = 0;

	if (stroke.how & STROKE_CODE) {
		bytes[n++] = MAKE_ALT | BREAK;
	} else {
		n = put_key(bytes, stroke, BREAK);
		for (unsigned int i = MODIFIERS; i-- > 0;) {
			if (stroke.how & modifiers[i][0])
				bytes[n++] = modifiers[i][1] | BREAK;
		}
	}
	keyboard_send(machine, bytes, n);
}

static uint64_t hold_time(const struct machine *machine, struct stroke stroke)
{
	if (machine->typist.live)
		return 0;
	if (is_modifier(stroke))
		return HOLD_MODIFIER;
	return has_own_handler(machine) ? HOLD_OWN : HOLD_BIOS;
}

uint64_t typist_next(const struct machine *machine)
{
	const struct typist *typist = &machine->typist;

	return typist->pressed || typist->next < typist->strokes.count ? typist->then : CLOCK_NEVER;
}

void typist_update(struct machine *machine)
{
	struct typist *typist = &machine->typist;
	uint64_t now = machine->clock.now;
	struct stroke stroke;

	if (typist_next(machine) > now)
		return;
	typist->then = now + LOOK_AGAIN;
	if (typist->pressed) {
		if (!keyboard_is_ready(machine))
			return;
		release(machine, typist->strokes.stroke[typist->next - 1]);
		typist->pressed = false;
		typist->since = now;
		return;
	}
	stroke = typist->strokes.stroke[typist->next];
	if (stroke.how & STROKE_WAIT) {
		typist->next += typist->waits;
		typist->waits = !typist->waits;
		if (typist->waits)
			typist->then = now + stroke.wait * CLOCK_MILLISECOND;
		return;
	}
	if (!guest_is_ready(machine, stroke))
		return;
	typist->stored_last = false;
	press(machine, stroke);
	typist->next++;
	typist->pressed = true;
	typist->signs = 0;
	typist->then = now + hold_time(machine, stroke);
}

bool keyboard_may_come(const struct machine *machine)
{
	const struct typist *typist = &machine->typist;

	if (!keyboard_interrupts(machine))
		return false;
	if (machine->keyboard.count || typist->pressed)
		return true;
	/* Keys that lie there untouched keep all others away that would go there. */
	if (typist->next < typist->strokes.count)
		return !guest_is_behind(machine) || is_modifier(typist->strokes.stroke[typist->next]);
	return typist->live && (typist->has_seen || has_own_handler(machine));
}
