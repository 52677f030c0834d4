/*
 * Breakpoints and watchpoints: what the client has set, and how each is armed: in a debug register, as
 * a trap in memory, by guarding pages, or, where none of these works, by stepping and comparing.
 */
#ifndef POINTS_H
#define POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aliases.h"
#include "decode.h"
#include "gdbstub.h"
#include "point_list.h"
#include "vcpu.h"

struct machine;

/* What a debug register watches: a piece of a watchpoint. */
struct watch_register {
	uint64_t addr;
	unsigned int len; /* 0: the register is not used for data */
	enum gdbstub_point kind;
};

enum points_armed {
	POINTS_NONE,  /* nothing to wait for */
	POINTS_ARMED, /* the guest can run freely */
	POINTS_STEP,  /* some can only be found by stepping */
};

/* What it depends on how points are armed, beside them. */
struct points_situation {
	const struct abilities *able;
	enum vcpu_mode mode;
	bool real, paging;
	uint64_t cs_base, pc; /* on hosts where they matter */
};

struct points {
	struct point_list list; /* those that are set, and those that were when points were armed last */
	size_t count;		/* that are set */
	size_t watches;		/* of them, what watches data */
	size_t changes;		/* that are set and were not, or the other way round */
	uint64_t watch_len;	/* the longest that was ever set */
	bool is_armed;		/* as follows, while the guest's place and memory are alike */
	enum points_armed armed;
	struct points_situation situation;
	const struct point *held[VCPU_DEBUG_REGISTERS]; /* the breakpoint that a debug register holds, or NULL */
	struct aliases aliases;
	uint64_t debugreg[8]; /* as KVM_SET_GUEST_DEBUG takes them */
	struct watch_register watch[VCPU_DEBUG_REGISTERS];
	bool may_lose_upper; /* an upper half (enum point_half) waits without a register */
	bool traps_int3; /* a planted 0xCC is to be reported */
};

/* Idempotent; -ENOMEM, or -ENOSPC above POINTS_MAX. `len` is for watchpoints, at least 1. */
#define POINTS_MAX 100000
int points_insert(struct points *points, enum gdbstub_point kind, uint64_t addr, uint64_t len);
/*
 * The same for a breakpoint that a client of 32-bit code sets: from 2 GiB on it is one at the sign-extended address as
 * well, for when the guest has come to 64-bit code. Whichever is removed, both are, but not an upper one that a client
 * has set as it is.
 */
int points_insert_narrow(struct points *points, enum gdbstub_point kind, uint64_t addr);
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
/* The same for one of writes whose bytes the access has changed: `was` and `is` have all that were accessed. */
enum gdbstub_reason points_watching_change(const struct points *points, const struct data_access *access,
					   const uint8_t *was, const uint8_t *is, uint64_t *addr);
/* Likewise for what DR6 says. */
enum gdbstub_reason points_watch_register(const struct points *points, uint64_t dr6, uint64_t *addr);

/* Counts what was reported for an access, of kind GDBSTUB_WATCH to _AWATCH at `addr`. */
void points_count_watch(struct points *points, enum gdbstub_reason reason, uint64_t addr);

/*
 * Arms all points for the guest to run freely in the mode that it is in. Little is done where they, and what it
 * depends on how they are armed, are as they were. `exact`: none, so that all are found by stepping.
 */
enum points_armed points_arm(struct machine *machine, bool exact);
/* monitor points: how each is armed, and how often it was hit. */
int points_monitor(struct gdbstub *stub, void *target, const char *args);
/* The KVM_GUESTDBG_* bits that report what points_arm() has armed. */
uint32_t points_control(const struct points *points);

#endif
