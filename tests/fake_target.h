/*
 * A target for libgdbstub that is no machine of anybody's: what it does is the same every time, and
 * small enough to be known by heart.
 *
 * Memory: 0x10000 bytes at 0 and 0x8000 at the end of the address space, nothing between them; all
 * zero at first. Every thread has two registers, a and b, a pc and a layout:
 *
 *   0 narrow: a, b, pc of 16 bits, numbers 0 to 2
 *   1 wide:   a, b, pc of 64 bits, and mode, number 3, a byte that cannot be written
 *
 * all little-endian; pc is expedited. Threads are 1 and, if asked for, 1f (31), which begins at
 * 0x100. They run in turn, an instruction each:
 *
 *   00    stays there, until it is interrupted
 *   .     nothing
 *   a     adds 1 to a
 *   j N   jumps to N
 *   R N   reads the byte at N into a
 *   W N   writes a to the byte at N
 *   p C   prints the character C
 *   P N   prints N times 256 characters 'x'
 *   n, w  the layout becomes narrow, wide
 *   h     prints "halted", stops with SIGTERM, pc unchanged
 *   f     stops with SIGSEGV, pc unchanged; so does having no memory at pc
 *   e N   ends with status N
 *   else  stops with SIGILL, pc unchanged
 *
 * A breakpoint is hit when the thread gets there, not when it is resumed there; a watchpoint by R
 * and W, behind them. There can be 32 points, with kinds of 1 to 8; a hardware breakpoint of kind 3
 * is not supported.
 *
 * There are no memory regions while the first byte of memory is 'E'. It begins anew unless the last byte of the low memory is other than 0.
 *
 * If asked for, there is a file "/fake#$*", of 0x30003 bytes: the byte at N is N modulo 251, and what is
 * behind 0x30000 cannot be read. Since its size was told it has grown, by many 'x'. The program runs 0x7c00 above where it was linked.
 */
#ifndef FAKE_TARGET_H
#define FAKE_TARGET_H

#include <signal.h>

#include "gdbstub.h"

enum {
	FAKE_THREADS = 2,
	FAKE_POINTS = 32,
	FAKE_LOW_SIZE = 0x10000,
	FAKE_HIGH_SIZE = 0x8000,
	FAKE_SECOND_THREAD = 0x1f,
	FAKE_FILE_SIZE = 0x30003,
	FAKE_FILE_READABLE = 0x30000,
	FAKE_FILE_MODULUS = 251,
};

struct fake_thread {
	uint64_t a, b, pc;
	int layout;
};

struct fake_point {
	enum gdbstub_point kind;
	uint64_t addr, len;
};

struct fake_target {
	struct gdbstub *stub;
	int threads;
	bool has_file;
	bool rom; /* memory is not cleared by a reset */
	/*
	 * What it does when nothing moves: waits for kick(), or, where there are no signals, looks
	 * a few times and then ends with status 0xff.
	 */
	bool waits;
	struct fake_thread thread[FAKE_THREADS];
	struct fake_point point[FAKE_POINTS];
	int points;
	volatile sig_atomic_t kicked;
	uint8_t low[FAKE_LOW_SIZE], high[FAKE_HIGH_SIZE];
};

extern const struct gdbstub_ops fake_ops;

/* As after power-on; memory too, unless it is a ROM. */
void fake_reset(struct fake_target *fake);

#endif
