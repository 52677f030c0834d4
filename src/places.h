/*
 * Where breakpoints and watchpoints lead that are armed by their place in physical memory: the guest may map
 * another page at their addresses while it runs. No KVM tells when it does. To write-protect its page tables is
 * no way to learn it, since what a processor reads of them counts as written (AMD APM volume 2, 15.25.5; SDM
 * volume 3, accessed and dirty flags for EPT). So it is looked for whenever the guest exits.
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

/* As they were when the points were armed. */
struct places {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t sum; /* of what the points' pages lead to */
	bool many;    /* too many to be looked at when these registers have not changed */
};

void places_note(struct machine *machine);
/* Whether a point that is in no debug register leads elsewhere than when places_note() was called. */
bool places_have_moved(const struct machine *machine);

#endif
