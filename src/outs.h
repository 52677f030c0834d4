/*
 * What OUTS has read, on a processor. KVM carries it out itself, unseen by debug registers, and has moved on in it
 * when it exits.
 */
#ifndef OUTS_H
#define OUTS_H

#include "decode.h"

struct machine;

/*
 * At a KVM_EXIT_IO: whether it is of an OUTS whose operand debug registers watch. Then *access is that, and *rip
 * where RIP is to be when the output is done.
 */
bool outs_is_watched(const struct machine *machine, struct data_access *access, uint64_t *rip);

#endif
