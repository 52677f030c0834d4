/*
 * INS and OUTS with memory that is watched. KVM carries them out itself, seen neither by debug registers nor, but for
 * reads, by guarded pages, and on a processor it has moved on in an OUTS when it exits.
 */
#ifndef STRING_IO_H
#define STRING_IO_H

#include "exits.h"

/*
 * At a KVM_EXIT_IO or KVM_EXIT_MMIO while the guest runs freely: if it is of such an instruction, carries out one
 * iteration and says in *outcome whether a watchpoint was hit, which *stop is then. False: it is none, and is untouched.
 */
bool string_io_serve(struct machine *machine, int exit, struct gdbstub_stop *stop, enum outcome *outcome);

#endif
