/*
 * The guest's time, and what happens in it. It is virtual: an access to a port or a BIOS service takes a fixed
 * time, a HLT jumps to the next event, and only code that does neither is given time by the host's clock. So
 * a guest that is run again sees the same.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define CLOCK_SECOND 1000000000ull
#define CLOCK_MILLISECOND 1000000ull
#define CLOCK_MICROSECOND 1000ull
#define CLOCK_NEVER UINT64_MAX

#define CLOCK_PORT_ACCESS (1 * CLOCK_MICROSECOND)
#define CLOCK_BIOS_SERVICE (20 * CLOCK_MICROSECOND)
#define CLOCK_BIOS_POLL (100 * CLOCK_MICROSECOND) /* of one that is called until something has happened */
#define CLOCK_KICK (10 * CLOCK_MILLISECOND)	  /* of code without exits: the same on the host's CPU */
#define CLOCK_BUSY 16 /* advances between two kicks that make the second say nothing */
#define CLOCK_AHEAD_MAX (60 * CLOCK_SECOND)	  /* a guest that is idle for longer is to cost nothing */
#define CLOCK_STEP 500ull			  /* of an instruction that is stepped */

struct clock {
	uint64_t now;  /* nanoseconds since power-on */
	uint64_t next; /* when a device has something to do; CLOCK_NEVER */
	bool real;     /* the guest waits in the host's time: somebody plays with it */
	uint64_t host; /* the host's monotonic clock when `now` was 0 */
	uint64_t paced;	       /* with clock.real: when it was last held back */
	unsigned int advances; /* since the last kick */
	uint64_t used;	       /* what this thread had used of the host's CPUs at the last kick */
	uint64_t credit;       /* of the kicks' time what the guest has not been given yet */
};

void clock_reset(struct machine *machine);
/* Lets time go on, and the devices do what they have to do by then. */
void clock_advance(struct machine *machine, uint64_t nanoseconds);
/* A device has changed its plans. */
void clock_plan(struct machine *machine);
/*
 * The guest waits for an interrupt: time goes on to the next event, at once or, with clock.real or once the
 * guest is CLOCK_AHEAD_MAX ahead, as it does for the host; a kick ends it early. False if nothing will ever
 * happen.
 */
bool clock_wait(struct machine *machine);

/*
 * While it is on, a vCPU that runs without exits is kicked each CLOCK_KICK, and clock_was_kicked() tells so
 * once. For a guest that no interrupt can reach there is no need to.
 */
void clock_run(struct machine *machine);
void clock_stop(void);
bool clock_was_kicked(void);
/*
 * The host's time for a kick, which clock_spend() gives to the guest: of its CPU, since a guest that has to wait for that
 * has not come any farther. One that has used ports or services meanwhile
 * was given time for that, which is the same each time that it runs.
 */
void clock_kick(struct machine *machine);
/*
 * To be called before the guest runs: the time from kicks goes on, but not over an interrupt that the guest has yet to
 * take, or a timer that ticks faster than the kicks would lose most of its ticks.
 */
void clock_spend(struct machine *machine);

#endif
