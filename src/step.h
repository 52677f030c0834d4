/* One instruction at a time. */
#ifndef STEP_H
#define STEP_H

#include "exits.h"

/*
 * Runs one instruction, or one iteration of a string instruction, the same way on every host: a HLT,
 * an I/O instruction and an instruction that enters a handler are one instruction each, and nothing of
 * the stepping is left in the guest. With `interrupts`, one that waits and that the guest is ready for
 * is taken instead, and ends a HLT. Returns STEPPED; INTERRUPTED, with nothing done; or STOPPED, also
 * when the instruction was done and has hit a watchpoint.
 */
enum outcome step(struct machine *machine, bool interrupts, struct gdbstub_stop *stop);

#endif
