/* The MC146818 real-time clock, and the 128 bytes of CMOS memory that it keeps. */
#ifndef RTC_H
#define RTC_H

#include <stdbool.h>
#include <stdint.h>

#define RTC_SIZE 128

/* Its memory, as a PC's BIOS uses it (RBIL, CMOS.LST). */
enum {
	RTC_SHUTDOWN = 0x0f,
	RTC_FLOPPIES = 0x10, /* types: first in the high half */
	RTC_HARD_DISKS = 0x12,
	RTC_EQUIPMENT = 0x14,
	RTC_BASE_MEMORY = 0x15,	    /* KiB, two bytes */
	RTC_EXTENDED_MEMORY = 0x17, /* KiB above 1 MiB, two bytes */
	RTC_CHECKSUM = 0x2e,	    /* of 0x10 to 0x2d, high byte first */
	RTC_EXTENDED_FOUND = 0x30,
	RTC_CENTURY = 0x32,
	RTC_MEMORY_16M = 0x34, /* above 16 MiB, in 64 KiB, two bytes */
	RTC_MEMORY_4G = 0x5b,  /* above 4 GiB, in 64 KiB, three bytes */
};

/* 2026-01-01 00:00:00, so that each run is the same. */
#define RTC_START_DEFAULT 1767225600

struct rtc_time {
	unsigned int year, month, day; /* 1 to 12, 1 to 31 */
	unsigned int hour, minute, second;
};

struct rtc {
	uint8_t index;		   /* port 0x70, without the NMI's bit */
	uint8_t data[RTC_SIZE];	   /* the time's registers only while it is being set */
	int64_t time;		   /* in seconds since 1970, no time zone, when the guest's clock was `since` */
	uint64_t since;
	int64_t kept;		   /* rtc_keep() */
	uint64_t periods, seconds; /* that the flags know of */
	uint64_t alarm;		   /* the next, in the guest's time */
	uint16_t last[RTC_SIZE];   /* what was read last, plus 0x100: the same again is a poll */
};

struct machine;

/* In the CMOS memory, with the checksum kept; `index` is not one of the clock's. */
void rtc_set_memory(struct machine *machine, unsigned int index, uint8_t value);
void rtc_time(const struct machine *machine, struct rtc_time *time);
void rtc_set_time(struct machine *machine, const struct rtc_time *time);
/* Notes the time before the guest's clock begins anew. */
void rtc_keep(struct machine *machine);
/* Whether the next interrupt of the clock would be lost, since the guest has not looked at the last one's cause. */
bool rtc_would_lose(const struct machine *machine);
/* INT 70h: takes the interrupt's cause, and the line falls. */
void rtc_acknowledge(struct machine *machine);

/* Seconds since 1970 for "2026-01-01", with or without "T12:34:56" or " 12:34:56". False if it is none. */
bool rtc_parse(const char *text, int64_t *time);

#endif
