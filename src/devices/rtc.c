#define _GNU_SOURCE
#include "devices/rtc.h"

#include <stdio.h>
#include <string.h>

#include "devices/devices.h"
#include "devices/lines.h"
#include "machine.h"
#include "options.h"

/* The clock's registers (Motorola's MC146818 data sheet). */
enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR, A, B, C, D };

#define A_UPDATE 0x80 /* the time is about to change, or changes */
#define A_RATE 0x0f
#define A_START 0x26 /* 32768 Hz, 1024 interrupts a second */
#define B_SET 0x80
#define B_UPDATED 0x10 /* these three are bits of C, too */
#define B_ALARM 0x20
#define B_PERIODIC 0x40
#define B_INTERRUPTS (B_UPDATED | B_ALARM | B_PERIODIC)
#define B_BINARY 0x04
#define B_24_HOURS 0x02
#define C_INTERRUPT 0x80
#define D_VALID 0x80

#define ALARM_ANY 0xc0
#define HOURS_PM 0x80
#define CRYSTAL 32768u
#define DAY_SECONDS 86400

/* The update cycle of 1984 us, and the 244 us before it that UIP announces. */
#define UPDATE_TIME (2228 * CLOCK_MICROSECOND)

/* Days since 1970 of a date of the Gregorian calendar; years that begin in March end with the leap day. */
static int64_t to_days(const struct rtc_time *time)
{
	int64_t year = time->year - (time->month <= 2), era = year / 400, of_era = year % 400;
	unsigned int of_year = (153 * ((time->month + 9) % 12) + 2) / 5 + time->day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void from_days(int64_t days, struct rtc_time *time)
{
	int64_t since = days + 719468, era = since / 146097, of_era = since % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = (unsigned int)(of_era - (365 * year + year / 4 - year / 100));
	unsigned int month = (5 * of_year + 2) / 153;

	time->day = of_year - (153 * month + 2) / 5 + 1;
	time->month = month < 10 ? month + 3 : month - 9;
	time->year = (unsigned int)(year + era * 400 + (time->month <= 2));
}

static int64_t to_seconds(const struct rtc_time *time)
{
	return to_days(time) * DAY_SECONDS + time->hour * 3600 + time->minute * 60 + time->second;
}

static void from_seconds(int64_t seconds, struct rtc_time *time)
{
	unsigned int of_day = (unsigned int)(seconds % DAY_SECONDS);

	from_days(seconds / DAY_SECONDS, time);
	time->hour = of_day / 3600;
	time->minute = of_day / 60 % 60;
	time->second = of_day % 60;
}

bool rtc_parse(const char *text, int64_t *seconds)
{
	struct rtc_time time = {0};
	struct rtc_time same;
	char separator = 0, more = 0;
	int n;

	if (strspn(text, "0123456789-:T ") != strlen(text))
		return false;
	n = sscanf(text, "%4u-%2u-%2u%c%2u:%2u:%2u%c", &time.year, &time.month, &time.day, &separator, &time.hour,
		   &time.minute, &time.second, &more);
	if ((n != 3 && n != 7) || (n == 7 && separator != 'T' && separator != ' ') || time.year < 1970 ||
	    time.month < 1 || time.month > 12 || time.day < 1 || time.day > 31)
		return false;
	*seconds = to_seconds(&time);
	/* The 31st of June is none. */
	from_seconds(*seconds, &same);
	return !memcmp(&time, &same, sizeof(time));
}

static uint64_t whole_seconds(const struct machine *machine)
{
	return (machine->clock.now - machine->rtc.since) / CLOCK_SECOND;
}

/* The time does not go on while it is being set. */
static bool is_set(const struct rtc *rtc)
{
	return rtc->data[B] & B_SET;
}

static uint8_t encode(const struct rtc *rtc, unsigned int value)
{
	return (uint8_t)(rtc->data[B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

/* What a guest has written may be no number at all. */
static unsigned int decode(const struct rtc *rtc, uint8_t value, unsigned int least, unsigned int most)
{
	unsigned int number = rtc->data[B] & B_BINARY ? value : (value >> 4) * 10u + (value & 0xf);

	return number < least ? least : number > most ? most : number;
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned int hour)
{
	if (rtc->data[B] & B_24_HOURS)
		return encode(rtc, hour);
	return encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOURS_PM : 0);
}

static unsigned int decode_hour(const struct rtc *rtc, uint8_t value)
{
	if (rtc->data[B] & B_24_HOURS)
		return decode(rtc, value, 0, 23);
	return decode(rtc, value & (uint8_t)~HOURS_PM, 1, 12) % 12 + (value & HOURS_PM ? 12 : 0);
}

/* Puts the time into its registers. */
static void store(struct rtc *rtc, int64_t seconds)
{
	struct rtc_time time;

	from_seconds(seconds, &time);
	rtc->data[SECONDS] = encode(rtc, time.second);
	rtc->data[MINUTES] = encode(rtc, time.minute);
	rtc->data[HOURS] = encode_hour(rtc, time.hour);
	rtc->data[WEEKDAY] = encode(rtc, (unsigned int)((seconds / DAY_SECONDS + 4) % 7 + 1)); /* Sunday: 1 */
	rtc->data[DAY] = encode(rtc, time.day);
	rtc->data[MONTH] = encode(rtc, time.month);
	rtc->data[YEAR] = encode(rtc, time.year % 100);
	rtc->data[RTC_CENTURY] = encode(rtc, time.year / 100 % 100);
}

static int64_t now(const struct machine *machine)
{
	return machine->rtc.time + (is_set(&machine->rtc) ? 0 : (int64_t)whole_seconds(machine));
}

static uint64_t periods(const struct machine *machine)
{
	uint64_t time = machine->clock.now;
	uint8_t rate = machine->rtc.data[A] & A_RATE;

	if (!rate)
		return 0;
	/* Of the 15 rates the first two are the same as the eighth and ninth. */
	return (time / CLOCK_SECOND * CRYSTAL + time % CLOCK_SECOND * CRYSTAL / CLOCK_SECOND) >>
	       ((rate < 3 ? rate + 7 : rate) - 1);
}

/* The next second behind `of_day` at which the alarm goes off, which may be tomorrow's. */
static unsigned int next_alarm(const struct rtc *rtc, unsigned int of_day)
{
	const uint8_t *at = rtc->data;
	unsigned int second = of_day + 1, end = of_day + DAY_SECONDS;

	while (second < end) {
		if (at[HOURS_ALARM] < ALARM_ANY && decode_hour(rtc, at[HOURS_ALARM]) != second / 3600 % 24)
			second += 3600 - second % 3600;
		else if (at[MINUTES_ALARM] < ALARM_ANY && decode(rtc, at[MINUTES_ALARM], 0, 59) != second / 60 % 60)
			second += 60 - second % 60;
		else if (at[SECONDS_ALARM] < ALARM_ANY && decode(rtc, at[SECONDS_ALARM], 0, 59) != second % 60)
			second++;
		else
			return second;
	}
	return end;
}

static void plan_alarm(struct machine *machine)
{
	struct rtc *rtc = &machine->rtc;
	uint64_t passed = whole_seconds(machine);
	unsigned int of_day = (unsigned int)((rtc->time + (int64_t)passed) % DAY_SECONDS);

	rtc->alarm = is_set(rtc) ? CLOCK_NEVER
				 : rtc->since + (passed + next_alarm(rtc, of_day) - of_day) * CLOCK_SECOND;
}

static void raise_flags(struct machine *machine, uint8_t flags)
{
	struct rtc *rtc = &machine->rtc;

	rtc->data[C] |= flags;
	if (rtc->data[C] & rtc->data[B] & B_INTERRUPTS)
		rtc->data[C] |= C_INTERRUPT;
	else
		rtc->data[C] &= (uint8_t)~C_INTERRUPT;
	line_set(machine, IRQ_RTC, rtc->data[C] & C_INTERRUPT);
}

void rtc_update(struct machine *machine)
{
	struct rtc *rtc = &machine->rtc;
	uint64_t period = periods(machine), second = whole_seconds(machine);
	uint8_t flags = 0;

	if (period != rtc->periods)
		flags |= B_PERIODIC;
	if (second != rtc->seconds && !is_set(rtc))
		flags |= B_UPDATED;
	if (machine->clock.now >= rtc->alarm) {
		flags |= B_ALARM;
		plan_alarm(machine);
	}
	rtc->periods = period;
	rtc->seconds = second;
	if (flags)
		raise_flags(machine, flags);
}

/* Only what interrupts has to be punctual; other flags are found when C is read. */
uint64_t rtc_next(const struct machine *machine)
{
	const struct rtc *rtc = &machine->rtc;
	uint8_t wanted = rtc->data[B] & B_INTERRUPTS & (uint8_t)~rtc->data[C];
	uint64_t next = CLOCK_NEVER, due, ticks;

	if (wanted & B_PERIODIC && rtc->data[A] & A_RATE) {
		uint8_t rate = rtc->data[A] & A_RATE;

		ticks = (periods(machine) + 1) << ((rate < 3 ? rate + 7 : rate) - 1);
		/* Rounded up: at that nanosecond it has come. */
		next = ticks / CRYSTAL * CLOCK_SECOND +
		       (ticks % CRYSTAL * CLOCK_SECOND + CRYSTAL - 1) / CRYSTAL;
	}
	if (wanted & B_UPDATED && !is_set(rtc)) {
		due = rtc->since + (whole_seconds(machine) + 1) * CLOCK_SECOND;
		next = due < next ? due : next;
	}
	if (wanted & B_ALARM && rtc->alarm < next)
		next = rtc->alarm;
	return next;
}

void rtc_time(const struct machine *machine, struct rtc_time *time)
{
	from_seconds(now(machine), time);
}

void rtc_set_time(struct machine *machine, const struct rtc_time *time)
{
	struct rtc *rtc = &machine->rtc;

	rtc->time = to_seconds(time);
	rtc->since = machine->clock.now;
	rtc->seconds = 0;
	if (is_set(rtc))
		store(rtc, rtc->time);
	plan_alarm(machine);
	clock_plan(machine);
}

/* The registers are the time now. */
static void load(struct machine *machine)
{
	const struct rtc *rtc = &machine->rtc;
	const uint8_t *at = rtc->data;
	struct rtc_time time = {
		.year = decode(rtc, at[RTC_CENTURY], 19, 99) * 100 + decode(rtc, at[YEAR], 0, 99),
		.month = decode(rtc, at[MONTH], 1, 12), .day = decode(rtc, at[DAY], 1, 31),
		.hour = decode_hour(rtc, at[HOURS]), .minute = decode(rtc, at[MINUTES], 0, 59),
		.second = decode(rtc, at[SECONDS], 0, 59)};

	if (time.year < 1970)
		time.year += 100;
	rtc_set_time(machine, &time);
}

static bool is_time(unsigned int index)
{
	return index == SECONDS || index == MINUTES || index == HOURS || (index >= WEEKDAY && index <= YEAR) ||
	       index == RTC_CENTURY;
}

static uint8_t read_data(struct machine *machine, unsigned int index)
{
	struct rtc *rtc = &machine->rtc;
	uint64_t left;
	uint8_t value;

	rtc_update(machine);
	if (is_time(index) && !is_set(rtc))
		store(rtc, now(machine));
	value = rtc->data[index];
	if (index == A && !is_set(rtc)) {
		left = CLOCK_SECOND - (machine->clock.now - rtc->since) % CLOCK_SECOND;
		value = (uint8_t)(value & ~A_UPDATE) | (left <= UPDATE_TIME ? A_UPDATE : 0);
	} else if (index == C) {
		rtc_acknowledge(machine);
	}
	return value;
}

void rtc_acknowledge(struct machine *machine)
{
	machine->rtc.data[C] = 0;
	line_set(machine, IRQ_RTC, false);
	clock_plan(machine);
}

static void write_b(struct machine *machine, uint8_t value)
{
	struct rtc *rtc = &machine->rtc;
	bool was_set = is_set(rtc);

	/* The data sheet: SET clears the update's interrupt. */
	if (value & B_SET)
		value &= (uint8_t)~B_UPDATED;
	if (value & B_SET && !was_set) {
		rtc->time = now(machine);
		store(rtc, rtc->time);
	}
	rtc->data[B] = value;
	if (!(value & B_SET) && was_set)
		load(machine);
	plan_alarm(machine);
}

static void write_data(struct machine *machine, unsigned int index, uint8_t value)
{
	struct rtc *rtc = &machine->rtc;

	rtc_update(machine);
	if (index == B) {
		write_b(machine, value);
	} else if (index == A) {
		rtc->data[A] = value & (uint8_t)~A_UPDATE;
		rtc->periods = periods(machine);
	} else if (is_time(index)) {
		if (!is_set(rtc))
			store(rtc, now(machine));
		rtc->data[index] = value;
		if (!is_set(rtc))
			load(machine);
	} else if (index != C && index != D) {
		rtc->data[index] = value;
		plan_alarm(machine);
	}
	raise_flags(machine, 0);
	clock_plan(machine);
}

void rtc_set_memory(struct machine *machine, unsigned int index, uint8_t value)
{
	uint8_t *data = machine->rtc.data;
	unsigned int sum = 0;

	data[index % RTC_SIZE] = value;
	for (unsigned int i = RTC_FLOPPIES; i < RTC_CHECKSUM; i++)
		sum += data[i];
	data[RTC_CHECKSUM] = (uint8_t)(sum >> 8);
	data[RTC_CHECKSUM + 1] = (uint8_t)sum;
}

void rtc_keep(struct machine *machine)
{
	machine->rtc.kept = now(machine);
}

bool rtc_would_lose(const struct machine *machine)
{
	return machine->rtc.data[C] & C_INTERRUPT && !line_is_masked(machine, IRQ_RTC);
}

void rtc_reset(struct machine *machine)
{
	struct rtc *rtc = &machine->rtc;
	struct rtc before = *rtc;

	*rtc = (struct rtc){.time = machine->options->rtc};
	/* A guest's own reset leaves what a battery keeps; the BIOS has looked at the shutdown code. */
	if (machine->reset_due) {
		rtc->time = before.kept;
		memcpy(rtc->data + D, before.data + D, RTC_SIZE - D);
		rtc->data[RTC_SHUTDOWN] = 0;
	}
	rtc->data[A] = A_START;
	rtc->data[B] = B_24_HOURS;
	rtc->data[D] = D_VALID;
	plan_alarm(machine);
}

void rtc_access(struct machine *machine, const struct port_access *access)
{
	struct rtc *rtc = &machine->rtc;
	uint8_t index = rtc->index;

	if (!(access->port & 1)) {
		/* It can only be written. */
		if (access->write)
			rtc->index = *access->data % RTC_SIZE;
		else
			*access->data = 0xff;
		return;
	}
	if (access->write) {
		write_data(machine, index, *access->data);
		return;
	}
	*access->data = read_data(machine, index);
	/* Whoever waits for the time to go on is not to be kept long. */
	if (rtc->last[index] == (0x100 | *access->data) && (index <= D || index == RTC_CENTURY))
		clock_advance(machine, CLOCK_BIOS_POLL);
	rtc->last[index] = 0x100 | *access->data;
}
