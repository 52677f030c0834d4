/*
 * Breakpoints by where in memory they are: with paging on, the guest may come to one by another address than its own. A
 * trap there finds it; for a guest that is stepped there is a hash table.
 */
#ifndef ALIASES_H
#define ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

struct alias {
	uint64_t gpa; /* UINT64_MAX: the slot is free */
	uint64_t addr; /* the breakpoint's own, linear */
};

struct aliases {
	struct alias *table;
	size_t room;  /* a power of 2, at least twice as many as there are breakpoints; or 0 */
	size_t count; /* that are noted */
};

/* For so many points in all. False: no memory. What was noted may be gone. */
bool aliases_make_room(struct aliases *aliases, size_t points);
/* Looks where in memory the breakpoints are, for aliases_at_pc() while the guest is stepped. */
void aliases_note(struct machine *machine);
/*
 * The address of a breakpoint whose trap is in the memory at the vCPU's pc, or that leads there while the guest is
 * stepped; false if there is none.
 */
bool aliases_at_pc(const struct machine *machine, uint64_t *addr);

#endif
