/*
 * Breakpoints: what the client has set, and how each is armed: in a debug register, as a trap in
 * memory, or, where neither works, by stepping and comparing.
 */
#ifndef POINTS_H
#define POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub.h"
#include "vcpu.h"

struct machine;

struct point {
	uint64_t addr; /* linear */
	enum gdbstub_point kind;
	uint8_t debug_register; /* its number + 1; 0: none */
};

struct points {
	struct point *list; /* by address, then kind */
	size_t count, capacity;
	uint64_t debugreg[8]; /* as KVM_SET_GUEST_DEBUG takes them */
	bool traps_int3;      /* a planted 0xCC is to be reported */
};

enum points_armed {
	POINTS_NONE,  /* nothing to wait for */
	POINTS_ARMED, /* the guest can run freely */
	POINTS_STEP,  /* some can only be found by stepping */
};

/* Idempotent; -ENOMEM, or -ENOSPC above POINTS_MAX. */
#define POINTS_MAX 100000
int points_insert(struct points *points, enum gdbstub_point kind, uint64_t addr);
void points_remove(struct points *points, enum gdbstub_point kind, uint64_t addr);
void points_clear(struct points *points);
void points_free(struct points *points);

/* What a stop at `addr` is reported as: GDBSTUB_STOPPED where there is no point. */
enum gdbstub_reason points_at(const struct points *points, uint64_t addr);

/* Arms all points for the guest to run freely in the mode that it is in. */
enum points_armed points_arm(struct machine *machine);
/* The KVM_GUESTDBG_* bits that report what points_arm() has armed. */
uint32_t points_control(const struct points *points);

#endif
