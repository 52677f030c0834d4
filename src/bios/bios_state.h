/* What the BIOS remembers outside of the guest's memory. */
#ifndef BIOS_STATE_H
#define BIOS_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct bios {
	bool trapped; /* the guest has called, and its OUT is to be completed first */
	bool waits;   /* the service that is in progress has asked for BIOS_WAIT */
	bool moved;   /* the cursor was put into another row since the last text */
	unsigned int handlers_run;   /* INT 16h AH=01h: in one call with interrupts off */
	uint64_t wait_until;	     /* INT 15h AH=86h: the end of the wait in progress; 0: none */
	uint64_t event_at;	     /* INT 15h AH=83h: when the caller is to see it; 0: none */
	uint64_t event_byte;	     /* and where, a linear address */
	bool idle;		     /* APM's CPU idle is in progress, called with this stack pointer */
	uint64_t idle_sp;
	bool caught;		     /* the user was told of this call, with this stack pointer */
	uint64_t caught_sp;
	bool has_told;		     /* the user of an unknown service: machine.told_of_service */
};

#endif
