/*
 * The points that are set, in the order of their addresses: a skip list, in which finding, adding and removing one
 * of n takes about log n steps, in whatever order a client does that.
 */
#ifndef POINT_LIST_H
#define POINT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub.h"

#define POINT_LEVELS 10 /* each has a quarter of the one below: enough for 4^10 */

/*
 * A client of 32-bit code names a place in the upper half of 64-bit code by its lower 32 bits, as gdb does, and may mean
 * either: then there are two points.
 */
enum point_half { POINT_WHOLE, POINT_LOWER, POINT_UPPER };

/* The address of the other half. */
static inline uint64_t point_other_half(uint64_t addr)
{
	return addr ^ 0xffffffff00000000;
}

struct point {
	uint64_t addr; /* linear */
	uint64_t len;  /* bytes that are watched; 0 for a breakpoint */
	enum gdbstub_point kind;
	enum point_half half;
	bool is_set;	  /* else it was, when points were armed last: a client may set it again */
	bool was_set;	  /* when points were armed last */
	bool in_register; /* a breakpoint that holds a debug register */
	bool is_planted;  /* a breakpoint that is a trap in memory */
	uint64_t hits, misses; /* how often it was reported or had its commands carried out, and how often its conditions said no */
	struct point *next[]; /* on each of its levels; NULL at the end */
};

struct point_list {
	struct point *first[POINT_LEVELS];
	uint32_t random;
};

/* Whether it watches data. */
static inline bool point_watches(const struct point *point)
{
	return point->kind >= GDBSTUB_POINT_WRITE;
}

/*
 * The first that is not before (addr, kind, len), or NULL. Breakpoints come before watchpoints of the same
 * address.
 */
struct point *point_list_from(const struct point_list *list, enum gdbstub_point kind, uint64_t addr, uint64_t len);
/* The one itself, set or not, or NULL. */
struct point *point_list_find(const struct point_list *list, enum gdbstub_point kind, uint64_t addr, uint64_t len);
/* Adds one that is not there yet. NULL: no memory. */
struct point *point_list_add(struct point_list *list, enum gdbstub_point kind, uint64_t addr, uint64_t len);
void point_list_remove(struct point_list *list, struct point *point);

#endif
