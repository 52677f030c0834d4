/* Exits from the guest: those that are served, and what the others mean to the user. */
#ifndef EXITS_H
#define EXITS_H

#include <stdbool.h>

#include "machine.h"

/* How far a piece of running the guest has come. */
enum outcome {
	GOES_ON,     /* nothing to be reported yet */
	STEPPED,     /* one instruction, or one iteration of a string instruction, is done */
	INTERRUPTED, /* there was a kick */
	STOPPED,     /* *stop says why */
};

enum outcome exit_report(struct gdbstub_stop *stop, enum gdbstub_reason reason, int signal);

/* The guest has halted: says so. */
void exit_halt(struct machine *machine);

/*
 * Whether `exit` is KVM's giving up at an instruction that it cannot emulate. Of one at privilege level 3 some KVMs that
 * emulate guest code (kvm_pvm) make an exception that they cannot deliver, and that a shutdown.
 */
bool exit_is_unemulated(const struct machine *machine, int exit);

/*
 * An exit that ends the run: says what it means. `exit` is what vcpu_enter() has returned, a KVM_EXIT_*
 * reason or a negative errno. Returns STOPPED.
 */
enum outcome exit_fail(struct machine *machine, int exit, struct gdbstub_stop *stop);

/*
 * KVM_RUN has ended while it delivered an interrupt or an exception: because of a kick, or since the stack is
 * guarded. What comes next may be a step, which is to see what it enters. Returns 0 or a negative errno.
 */
int exit_take_back(struct machine *machine);

/*
 * Serves a KVM_EXIT_IO or KVM_EXIT_MMIO. *bus_error is set when an access went to where there is no
 * memory and a debugger is to be told.
 */
void exit_serve_io(struct machine *machine, int exit, bool *bus_error);

/*
 * Completes the I/O instruction that was served last, and what further accesses it makes. On some
 * hosts that ends a step (STEPPED), on others nobody says so (GOES_ON).
 */
enum outcome exit_complete_io(struct machine *machine, bool *bus_error, struct gdbstub_stop *stop);

#endif
