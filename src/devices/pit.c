#include "devices/pit.h"

#include <string.h>

#include "devices/devices.h"
#include "devices/lines.h"
#include "machine.h"

#define CONTROL 3 /* the port's offset */
#define CONTROL_READ_BACK 3
#define READ_BACK_NO_COUNT 0x20
#define READ_BACK_NO_STATUS 0x10
#define STATUS_OUTPUT 0x80
#define STATUS_NULL_COUNT 0x40

/* Port 0x61. */
#define SPEAKER_GATE 0x01
#define SPEAKER_DATA 0x02
#define SPEAKER_REFRESH 0x10 /* toggles each 15 us, and guests time by it */
#define SPEAKER_OUTPUT 0x20
/*
 * Guests wait for either of these two by reading the port over and over. So time goes on faster then: not by so much that
 * a toggle of the one is missed, nor that kernels, which count how often they can read it in 10 ms, find the counts
 * too small.
 */
#define POLL_STEP (7 * CLOCK_MICROSECOND)

/* No product of this overflows: a second has 10^9 nanoseconds, and 2^64 of them are 584 years. */
static uint64_t to_ticks(uint64_t ns)
{
	return ns / CLOCK_SECOND * PIT_HZ + ns % CLOCK_SECOND * PIT_HZ / CLOCK_SECOND;
}

/* The first nanosecond at which to_ticks() gives so many. */
static uint64_t to_ns(uint64_t ticks)
{
	return ticks / PIT_HZ * CLOCK_SECOND + (ticks % PIT_HZ * CLOCK_SECOND + PIT_HZ - 1) / PIT_HZ;
}

static bool is_periodic(const struct pit_channel *channel)
{
	return channel->mode == 2 || channel->mode == 3;
}

/* Modes 1 and 5 begin when the gate rises, and go on whatever it does then. The others count while it is high. */
static bool waits_for_gate(const struct pit_channel *channel)
{
	return channel->mode == 1 || channel->mode == 5;
}

static uint64_t elapsed(const struct machine *machine, const struct pit_channel *channel)
{
	uint64_t now = to_ticks(machine->clock.now);

	if (waits_for_gate(channel) && !channel->triggered)
		return 0;
	if (!waits_for_gate(channel) && !channel->gate)
		return channel->held;
	return channel->loaded && now > channel->start ? now - channel->start : 0;
}

/* How often the output has risen in the first `ticks` since the count was loaded. */
static uint64_t rises(const struct pit_channel *channel, uint64_t ticks)
{
	if (!channel->loaded)
		return 0;
	if (is_periodic(channel))
		return ticks / channel->count;
	/* Once, at the end: modes 1 and 5 wait for the gate, which channels 0 and 1 have no means to raise. */
	return waits_for_gate(channel) ? 0 : ticks >= channel->count;
}

static uint32_t current(const struct machine *machine, const struct pit_channel *channel)
{
	uint64_t ticks = elapsed(machine, channel);
	uint32_t wrap = channel->bcd ? 10000 : 0x10000;

	if (!channel->loaded)
		return 0;
	if (channel->mode == 3) /* it counts by two, twice in a period */
		return channel->count - (uint32_t)(ticks * 2 % channel->count);
	if (channel->mode == 2)
		return channel->count - (uint32_t)(ticks % channel->count);
	return (uint32_t)((channel->count + wrap - ticks % wrap) % wrap);
}

static bool output(const struct machine *machine, const struct pit_channel *channel)
{
	uint64_t ticks = elapsed(machine, channel);

	switch (channel->mode) {
	case 0:
		return channel->loaded && ticks >= channel->count;
	case 1:
		return !channel->triggered || ticks >= channel->count;
	case 2:
		return !channel->loaded || !channel->gate || ticks % channel->count != channel->count - 1;
	case 3:
		return !channel->loaded || !channel->gate || ticks % channel->count < (channel->count + 1) / 2;
	default:
		return !channel->loaded || ticks != channel->count;
	}
}

static uint32_t from_bcd(uint32_t value)
{
	return (value & 0xf) + 10 * (value >> 4 & 0xf) + 100 * (value >> 8 & 0xf) + 1000 * (value >> 12);
}

static uint16_t to_bcd(uint32_t value)
{
	return (uint16_t)(value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 | value / 1000 % 10 << 12);
}

static void load(struct machine *machine, struct pit_channel *channel, uint16_t value)
{
	uint32_t count = channel->bcd ? from_bcd(value) : value;

	if (!count)
		count = channel->bcd ? 10000 : 0x10000;
	if (waits_for_gate(channel) && channel->triggered) {
		channel->next = count;
		return;
	}
	channel->count = count;
	/* 1 is no period: as the chip, which takes it for the largest in some of its makes, it must not stop. */
	if (channel->count == 1 && is_periodic(channel))
		channel->count = 2;
	channel->start = to_ticks(machine->clock.now);
	channel->fired = channel->held = 0;
	channel->loaded = true;
}

void pit_reset(struct machine *machine)
{
	struct pit *pit = &machine->pit;

	memset(pit, 0, sizeof(*pit));
	for (int i = 0; i < PIT_CHANNELS; i++) {
		pit->channel[i].access = 3;
		pit->channel[i].mode = 3;
		pit->channel[i].gate = i != 2;
	}
}

void pit_program(struct machine *machine)
{
	load(machine, &machine->pit.channel[0], 0);
}

/* An edge-triggered line that is masked keeps its request, so that only the first rise matters there. */
uint64_t pit_next(const struct machine *machine)
{
	const struct pit_channel *channel = &machine->pit.channel[0];
	uint64_t due;

	if (!channel->loaded || (line_is_masked(machine, IRQ_TIMER) && channel->fired))
		return CLOCK_NEVER;
	due = is_periodic(channel)		  ? (channel->fired + 1) * channel->count
	      : channel->fired || channel->mode & 1 ? CLOCK_NEVER
						  : channel->count;
	return due == CLOCK_NEVER ? CLOCK_NEVER : to_ns(channel->start + due);
}

void pit_update(struct machine *machine)
{
	struct pit_channel *channel = &machine->pit.channel[0];
	uint64_t rise = rises(channel, elapsed(machine, channel));

	if (rise == channel->fired)
		return;
	channel->fired = rise;
	line_pulse(machine, IRQ_TIMER);
}

static uint8_t status(const struct machine *machine, const struct pit_channel *channel)
{
	return (uint8_t)((output(machine, channel) ? STATUS_OUTPUT : 0) |
			 (channel->loaded ? 0 : STATUS_NULL_COUNT) | channel->access << 4 | channel->mode << 1 |
			 channel->bcd);
}

static void latch_count(const struct machine *machine, struct pit_channel *channel)
{
	uint32_t value = current(machine, channel);

	if (channel->count_latched)
		return;
	channel->count_latched = true;
	channel->latch = channel->bcd ? to_bcd(value) : (uint16_t)value;
}

static void control(struct machine *machine, uint8_t value)
{
	struct pit_channel *channel = &machine->pit.channel[value >> 6 & 3];

	if (value >> 6 == CONTROL_READ_BACK) {
		for (int i = 0; i < PIT_CHANNELS; i++) {
			struct pit_channel *each = &machine->pit.channel[i];

			if (!(value >> (i + 1) & 1))
				continue;
			if (!(value & READ_BACK_NO_COUNT))
				latch_count(machine, each);
			if (!(value & READ_BACK_NO_STATUS) && !each->status_latched) {
				each->status_latched = true;
				each->status = status(machine, each);
			}
		}
		return;
	}
	if (!(value >> 4 & 3)) {
		latch_count(machine, channel);
		return;
	}
	channel->access = value >> 4 & 3;
	channel->mode = value >> 1 & 7;
	if (channel->mode > 5)
		channel->mode -= 4;
	channel->bcd = value & 1;
	channel->high_next = channel->high_write = channel->count_latched = channel->status_latched = false;
	channel->loaded = channel->triggered = false;
	/* The output goes up with no mode that it is not up in already. */
	channel->fired = channel->held = channel->next = 0;
}

static uint8_t read_count(const struct machine *machine, struct pit_channel *channel)
{
	bool high = channel->access == 2 || (channel->access == 3 && channel->high_next);
	uint16_t value;

	if (channel->status_latched) {
		channel->status_latched = false;
		return channel->status;
	}
	value = channel->latch;
	if (!channel->count_latched) {
		uint32_t now = current(machine, channel);

		value = channel->bcd ? to_bcd(now) : (uint16_t)now;
	}
	if (channel->access == 3)
		channel->high_next = !channel->high_next;
	if (channel->access != 3 || high)
		channel->count_latched = false;
	return high ? value >> 8 : value & 0xff;
}

static void write_count(struct machine *machine, struct pit_channel *channel, uint8_t value)
{
	switch (channel->access) {
	case 1:
		load(machine, channel, value);
		return;
	case 2:
		load(machine, channel, (uint16_t)(value << 8));
		return;
	default:
		if (channel->high_write)
			load(machine, channel, (uint16_t)(value << 8 | channel->low));
		else
			channel->low = value;
		channel->high_write = !channel->high_write;
	}
}

void pit_access(struct machine *machine, const struct port_access *access)
{
	unsigned int n = access->port & 3;

	if (!access->write) {
		memset(access->data, 0xff, access->size);
		if (n != CONTROL)
			access->data[0] = read_count(machine, &machine->pit.channel[n]);
		return;
	}
	if (n == CONTROL)
		control(machine, access->data[0]);
	else
		write_count(machine, &machine->pit.channel[n], access->data[0]);
	clock_plan(machine);
}

/* A gate that rises begins the count anew, but in modes 0 and 4, where it goes on. */
static void move_gate(const struct machine *machine, struct pit_channel *channel, bool gate)
{
	uint64_t now = to_ticks(machine->clock.now);

	if (!gate && !waits_for_gate(channel)) {
		channel->held = elapsed(machine, channel);
	} else if (gate) {
		channel->start = channel->mode == 0 || channel->mode == 4 ? now - channel->held : now;
		if (channel->next)
			channel->count = channel->next;
		channel->next = 0;
		channel->triggered = channel->loaded;
	}
	channel->gate = gate;
}

void speaker_access(struct machine *machine, const struct port_access *access)
{
	struct pit_channel *channel = &machine->pit.channel[2];
	bool refresh, gate;

	if (!access->write) {
		if (machine->clock.now - machine->pit.polled_at <= CLOCK_PORT_ACCESS)
			clock_advance(machine, POLL_STEP);
		machine->pit.polled_at = machine->clock.now;
		refresh = machine->clock.now / (15 * CLOCK_MICROSECOND) & 1;
		memset(access->data, 0xff, access->size);
		access->data[0] = (uint8_t)((channel->gate ? SPEAKER_GATE : 0) |
					    (machine->pit.speaker ? SPEAKER_DATA : 0) |
					    (refresh ? SPEAKER_REFRESH : 0) |
					    (output(machine, channel) ? SPEAKER_OUTPUT : 0));
		return;
	}
	machine->pit.speaker = access->data[0] & SPEAKER_DATA;
	gate = access->data[0] & SPEAKER_GATE;
	if (gate != channel->gate)
		move_gate(machine, channel, gate);
}
