/*
 * Breakpoints and watchpoints: what the client has set, and how each is armed: in a debug register, as
 * a trap in memory, by guarding pages, or, where none of these works, by stepping and comparing.
 */
#ifndef POINTS_H
#define POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode.h"
#include "gdbstub.h"
#include "vcpu.h"

struct machine;

struct point {
	uint64_t addr; /* linear */
	uint64_t len;  /* bytes that are watched; 0 for a breakpoint */
	enum gdbstub_point kind;
	bool in_register; /* a breakpoint that holds a debug register */
	uint64_t hits, misses; /* how often it was reported, and how often its conditions said no */
};

/* What a debug register watches: a piece of a watchpoint. */
struct watch_register {
	uint64_t addr;
	unsigned int len; /* 0: the register is not used for data */
	enum gdbstub_point kind;
};

struct points {
	struct point *list; /* by address, then kind, then length */
	size_t count, capacity;
	size_t watches;	    /* of them, what watches data */
	uint64_t watch_len; /* the longest that was ever set */
	uint64_t debugreg[8]; /* as KVM_SET_GUEST_DEBUG takes them */
	struct watch_register watch[VCPU_DEBUG_REGISTERS];
	bool traps_int3; /* a planted 0xCC is to be reported */
};

enum points_armed {
	POINTS_NONE,  /* nothing to wait for */
	POINTS_ARMED, /* the guest can run freely */
	POINTS_STEP,  /* some can only be found by stepping */
};

/* Idempotent; -ENOMEM, or -ENOSPC above POINTS_MAX. `len` is for watchpoints, at least 1. */
#define POINTS_MAX 100000
int points_insert(struct points *points, enum gdbstub_point kind, uint64_t addr, uint64_t len);
void points_remove(struct points *points, enum gdbstub_point kind, uint64_t addr, uint64_t len);
void points_clear(struct points *points);
void points_free(struct points *points);

/* What a stop at `addr` is reported as: GDBSTUB_STOPPED where there is no breakpoint. */
enum gdbstub_reason points_at(const struct points *points, uint64_t addr);
/*
 * The guest has come to the breakpoints at `addr`: what that is reported as, by their conditions; GDBSTUB_STOPPED
 * if it is not to be, or there are none. Counts it.
 */
enum gdbstub_reason points_hit(struct machine *machine, uint64_t addr);
/*
 * What an access to data is reported as, and the first watched byte of it; GDBSTUB_STOPPED if nobody
 * watches that.
 */
enum gdbstub_reason points_watching(const struct points *points, const struct data_access *access,
				    uint64_t *addr);
/* Likewise for what DR6 says. */
enum gdbstub_reason points_watch_register(const struct points *points, uint64_t dr6, uint64_t *addr);

/* The address of a breakpoint that is set on the memory at the vCPU's pc; false if there is none. */
bool points_alias(const struct machine *machine, uint64_t *addr);

/* Arms all points for the guest to run freely in the mode that it is in. */
enum points_armed points_arm(struct machine *machine);
/* The KVM_GUESTDBG_* bits that report what points_arm() has armed. */
uint32_t points_control(const struct points *points);

#endif
