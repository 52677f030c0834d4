/* Memory that is looked at where it is, instead of being sent: qCRC and qSearch:memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#define PART 0x4000	     /* read at a time */
#define PARTS_UNWATCHED 64   /* between two looks at the client and the clock */
#define PAGE 0x1000	     /* holes have at least so much */

/*
 * gdb takes a reply for lost that does not come within three times its remotetimeout, 2 s, and later for the one
 * to another packet. What is in memory takes a fraction of that; but page tables can make much more of it.
 */
#define SECONDS_MAX 4

struct scan {
	struct gdbstub *stub;
	uint64_t at, left; /* the range that is still to be read; it does not wrap */
	unsigned int parts;
	time_t began;
};

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void scan_begin(struct scan *scan, struct gdbstub *stub, uint64_t addr, uint64_t len)
{
	*scan = (struct scan){.stub = stub, .at = addr, .left = len};
	/* The end of the address space is not its beginning. */
	if (len && addr + (len - 1) < addr)
		scan->left = -addr;
	stub->session.interrupted = false;
}

static void scan_skip(struct scan *scan, uint64_t len)
{
	scan->at += len;
	scan->left -= len;
}

/* An error if it is to be given up. */
static int scan_watch(struct scan *scan)
{
	struct gdbstub *stub = scan->stub;

	if (++scan->parts % PARTS_UNWATCHED)
		return 0;
	if (!scan->began)
		scan->began = now();
	/* The target may have the client's signal blocked, and does not run. */
	transport_hear(&stub->transport);
	stub->session.interrupt_answered = gdbstub_poll(stub);
	if (stub->session.interrupt_answered)
		return gdbstub_error(stub, -EINTR, "interrupted at 0x%llx", (unsigned long long)scan->at);
	if (now() - scan->began >= SECONDS_MAX)
		return gdbstub_error(stub, -ETIMEDOUT, "it takes too long, and has come to 0x%llx",
				     (unsigned long long)scan->at);
	return 0;
}

/* Reads the next part; returns its length, at least 1, or an error where there is nothing to be read. */
static ssize_t scan_read(struct scan *scan, void *buf, size_t size)
{
	struct gdbstub *stub = scan->stub;
	ssize_t got;

	if (size > scan->left)
		size = scan->left;
	got = stub->ops->memory_read(stub->target, stub->session.general_thread, scan->at, buf, size);
	if (got > 0)
		scan_skip(scan, (size_t)got);
	return got;
}

/* Goes on behind the hole that begins here. */
static void scan_skip_hole(struct scan *scan)
{
	struct gdbstub *stub = scan->stub;
	struct gdbstub_region region = {0};
	uint64_t hole = PAGE - scan->at % PAGE;

	if (stub->ops->memory_region &&
	    !stub->ops->memory_region(stub->target, stub->session.general_thread, scan->at, &region) &&
	    !region.readable && scan->at - region.start < region.size)
		hole = region.size - (scan->at - region.start);
	scan_skip(scan, hole < scan->left ? hole : scan->left);
}

#define CRC_POLYNOMIAL 0x04c11db7u /* of CRC-32, the highest bit first */

/* crc_table[n][b]: what byte b, with n bytes of 0 behind it, makes of a CRC of 0. */
static uint32_t crc_table[8][256];

static void make_crc_table(void)
{
	if (crc_table[0][1])
		return;
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte << 24;

		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc >> 31 ? CRC_POLYNOMIAL : 0);
		crc_table[0][byte] = crc;
	}
	for (int n = 1; n < 8; n++) {
		for (int byte = 0; byte < 256; byte++) {
			uint32_t before = crc_table[n - 1][byte];

			crc_table[n][byte] = before << 8 ^ crc_table[0][before >> 24];
		}
	}
}

uint32_t scan_crc(uint32_t crc, const uint8_t *p, size_t len)
{
	make_crc_table();
	for (; len >= 8; len -= 8, p += 8)
		crc = crc_table[7][crc >> 24 ^ p[0]] ^ crc_table[6][(crc >> 16 & 0xff) ^ p[1]] ^
		      crc_table[5][(crc >> 8 & 0xff) ^ p[2]] ^ crc_table[4][(crc & 0xff) ^ p[3]] ^
		      crc_table[3][p[4]] ^ crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
	while (len--)
		crc = crc << 8 ^ crc_table[0][crc >> 24 ^ *p++];
	return crc;
}

/* qCRC:addr,length: a checksum of the whole range, or of nothing. */
int memory_crc(struct gdbstub *stub, char *args, size_t len)
{
	uint64_t addr, size;
	uint32_t crc = UINT32_MAX;
	struct scan scan;

	(void)len;
	if (!range_parse(args, &addr, &size, NULL))
		return -EINVAL;
	scan_begin(&scan, stub, addr, size);
	if (scan.left != size)
		return gdbstub_error(stub, -EFAULT, "the address space ends before the range");
	while (scan.left) {
		ssize_t got = scan_read(&scan, stub->scratch, PART);
		int result;

		if (got < 0)
			return (int)got;
		crc = scan_crc(crc, (uint8_t *)stub->scratch, (size_t)got);
		result = scan_watch(&scan);
		if (result)
			return result;
	}
	reply_format(&stub->packets, "C%x", crc);
	return 0;
}

/*
 * qSearch:memory:addr;length;pattern: where the pattern is first, in the readable part of the range. What cannot be
 * read does not end it: nobody knows beforehand where the memory of a machine is.
 */
int memory_search(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	char *pattern = stub->packets.out, *window = stub->window;
	size_t pattern_len, kept = 0;
	bool any = false;
	uint64_t addr, size;
	struct scan scan;
	int result = 0;

	if (!hex_number(&p, &addr) || *p++ != ';' || !hex_number(&p, &size) || *p++ != ';')
		return -EINVAL;
	pattern_len = len - (size_t)(p - args);
	if (!pattern_len)
		return -EINVAL;
	/* What comes from the client meanwhile goes where the packet is; the reply is not begun yet. */
	memcpy(pattern, p, pattern_len);
	scan_begin(&scan, stub, addr, size);
	while (scan.left && !result) {
		ssize_t got = scan_read(&scan, window + kept, pattern_len > PART ? pattern_len : PART);
		const char *found;

		if (got < 0) {
			scan_skip_hole(&scan);
			kept = 0;
			result = any || scan.left ? 0 : (int)got;
		} else {
			size_t there = kept + (size_t)got;

			any = true;
			found = memmem(window, there, pattern, pattern_len);
			if (found) {
				reply_format(&stub->packets, "1,%llx",
					     (unsigned long long)(scan.at - there + (size_t)(found - window)));
				return 0;
			}
			/* It may begin here and end in what is read next. */
			kept = there < pattern_len - 1 ? there : pattern_len - 1;
			memmove(window, window + there - kept, kept);
		}
		if (!result)
			result = scan_watch(&scan);
	}
	if (!result)
		reply_text(&stub->packets, "0");
	return result;
}
