/*
 * Watchpoints in any number, and planted breakpoints that the guest must not overwrite unseen, where the
 * processor runs the guest: the pages that they lie in are taken from the guest, so that KVM_RUN fails at an
 * instruction that uses them; that is then stepped, and compared.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

struct guarded_pages {
	uint8_t *host;
	size_t size;
	int protection; /* PROT_READ if only writes matter, PROT_NONE */
};

struct guard {
	struct guarded_pages *list; /* by host address, apart */
	size_t count, capacity;
};

/*
 * Plans which pages are to be guarded for the watchpoints that are set. False, with none planned, if that
 * does not do: some of what is watched is in no memory yet, or the code that runs now is in a page that
 * would have to be taken away.
 */
bool guard_plan(struct machine *machine);
/* Whether the code that runs now could not even be fetched. */
bool guard_takes_code(const struct machine *machine);
void guard_plan_nothing(struct guard *guard);
/* Adds a planted byte to what is not to be written; guard_end_plan() is to follow the last. */
bool guard_plan_trap(struct guard *guard, uint8_t *host);
void guard_end_plan(struct guard *guard);
void guard_free(struct guard *guard);

/*
 * To be called around KVM_RUN alone, since the pages are taken from this program as well. guard_apply()
 * returns 0, or a negative errno with nothing guarded.
 */
int guard_apply(const struct guard *guard);
void guard_release(const struct guard *guard);

#endif
