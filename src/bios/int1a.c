/* INT 1Ah: the ticks since midnight, and the real-time clock; and INT 70h, the clock's interrupt. */
#include "bios/bios.h"
#include "devices/devices.h"
#include "machine.h"

#define TICKS 0x6c
#define MIDNIGHT_PASSED 0x70

static uint8_t to_bcd(unsigned int value)
{
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

/* Of no BCD number as much as there is. */
static unsigned int from_bcd(uint8_t value, unsigned int least, unsigned int most)
{
	unsigned int number = (value >> 4) * 10u + (value & 0xf);

	return number < least ? least : number > most ? most : number;
}

static enum bios_result get_ticks(struct bios_call *call)
{
	struct machine *machine = call->machine;
	uint32_t ticks;
	uint8_t *passed = bios_byte(machine, MIDNIGHT_PASSED);

	clock_advance(machine, CLOCK_BIOS_POLL);
	ticks = bios_long(machine, TICKS);
	call->a.x = *passed;
	*passed = 0;
	call->c.x = (uint16_t)(ticks >> 16);
	call->d.x = (uint16_t)ticks;
	bios_flag(call, FLAG_CARRY, false);
	return BIOS_DONE;
}

static enum bios_result set_ticks(struct bios_call *call)
{
	bios_set_long(call->machine, TICKS, (uint32_t)call->c.x << 16 | call->d.x);
	*bios_byte(call->machine, MIDNIGHT_PASSED) = 0;
	return bios_succeed(call);
}

static enum bios_result get_time(struct bios_call *call)
{
	struct rtc_time time;

	clock_advance(call->machine, CLOCK_BIOS_POLL);
	rtc_time(call->machine, &time);
	call->c.h = to_bcd(time.hour);
	call->c.l = to_bcd(time.minute);
	call->d.h = to_bcd(time.second);
	call->d.l = 0; /* no daylight saving time */
	return bios_succeed(call);
}

static enum bios_result set_time(struct bios_call *call)
{
	struct rtc_time time;

	rtc_time(call->machine, &time);
	time.hour = from_bcd(call->c.h, 0, 23);
	time.minute = from_bcd(call->c.l, 0, 59);
	time.second = from_bcd(call->d.h, 0, 59);
	rtc_set_time(call->machine, &time);
	return bios_succeed(call);
}

static enum bios_result get_date(struct bios_call *call)
{
	struct rtc_time time;

	rtc_time(call->machine, &time);
	call->c.h = to_bcd(time.year / 100);
	call->c.l = to_bcd(time.year);
	call->d.h = to_bcd(time.month);
	call->d.l = to_bcd(time.day);
	return bios_succeed(call);
}

static enum bios_result set_date(struct bios_call *call)
{
	struct rtc_time time;

	rtc_time(call->machine, &time);
	time.year = from_bcd(call->c.h, 19, 99) * 100 + from_bcd(call->c.l, 0, 99);
	/* The clock begins with 1970. */
	time.year += time.year < 1970 ? 100 : 0;
	time.month = from_bcd(call->d.h, 1, 12);
	time.day = from_bcd(call->d.l, 1, 31);
	rtc_set_time(call->machine, &time);
	return bios_succeed(call);
}

/* CF alone: what is not there has no status of its own. */
static enum bios_result refuse(struct bios_call *call)
{
	bios_flag(call, FLAG_CARRY, true);
	return BIOS_DONE;
}

const struct bios_service int1a_services[] = {
	{0x00, "get ticks", get_ticks},
	{0x01, "set ticks", set_ticks},
	{0x02, "get time", get_time},
	{0x03, "set time", set_time},
	{0x04, "get date", get_date},
	{0x05, "set date", set_date},
	{0x06, "set alarm", refuse},
	{0x07, "cancel alarm", refuse},
	{0xb1, "PCI BIOS", refuse},
	{0xbb, "trusted platform module", refuse},
	{0},
};

static enum bios_result rtc_interrupt(struct bios_call *call)
{
	rtc_acknowledge(call->machine);
	pic_end(&call->machine->pic, IRQ_RTC);
	return BIOS_DONE;
}

const struct bios_service int70_services[] = {{BIOS_ANY, "real-time clock", rtc_interrupt}, {0}};
