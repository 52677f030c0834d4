/*
 * Bytes planted in guest memory as breakpoints. They are kept by guest-physical address, stay planted
 * while the guest is stopped, and are hidden from all that reads and writes through memory.c.
 */
#ifndef TRAP_H
#define TRAP_H

#include "kvm.h"

/*
 * To change what is planted: traps_begin(), traps_want() for each, traps_commit(), which takes away
 * those that nobody wants any more and plants again what the guest has overwritten. traps_want()
 * returns 0, -EFAULT where there is no memory, or -ENOMEM.
 */
void traps_begin(struct vm *vm);
int traps_want(struct vm *vm, uint64_t gpa, uint8_t instruction, uint64_t linear);
void traps_commit(struct vm *vm);
/*
 * Takes all of them out of memory for a while, and puts them there again, likewise over what the guest has written
 * meanwhile. False, with some not planted, where one would wait now, or is lost: they are to be chosen anew.
 */
void traps_lift(struct vm *vm);
/* Takes those of a range out alone, which costs nothing for the others. */
void traps_lift_range(struct vm *vm, uint64_t gpa, uint64_t len);
bool traps_plant(struct vm *vm);
/*
 * Plants again what the guest has overwritten with other code; of many, some at each call. Returns whether
 * there was any.
 */
bool traps_renew(struct vm *vm);
/* Takes all of them out of memory. */
void traps_remove(struct vm *vm);
/* Those of a range, before the guest has no memory there any more. */
void traps_remove_range(struct vm *vm, uint64_t start, uint64_t size);
/* For memory that is given up. */
void traps_forget(struct vm *vm);

/* Whether there is no memory, or a loader has still to bring the code, and would overwrite a trap. */
bool trap_would_wait(const struct vm *vm, uint64_t gpa);
/* Whether there is a trap for gpa, planted or lifted. */
bool traps_have(const struct vm *vm, uint64_t gpa);
/* The trap that is planted at gpa now, or NULL. */
const struct trap *trap_at(const struct vm *vm, uint64_t gpa);
/* Puts the original bytes into a copy of the memory at gpa. */
void traps_hide(const struct vm *vm, uint64_t gpa, void *copy, size_t len);
/* Writes to memory at gpa, under the traps; all of it is in one piece at `host`. */
void traps_write(struct vm *vm, uint64_t gpa, void *host, const void *data, size_t len);

#endif
