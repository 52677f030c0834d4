/* Guest memory by linear address, as the code that runs sees it, whatever its privilege level. */
#ifndef MEMORY_H
#define MEMORY_H

#include <sys/types.h>

#include "gdbstub.h"
#include "vcpu.h"

/*
 * Returns how many bytes could be read from the start, at least 1 of `len`, or -EFAULT. Never shows
 * a planted breakpoint.
 */
ssize_t memory_read(const struct vcpu *vcpu, uint64_t linear, void *buf, size_t len);
/* Writes all or nothing: 0, or -EFAULT. Page permissions do not matter to a debugger. */
int memory_write(struct vcpu *vcpu, uint64_t linear, const void *buf, size_t len);
/* The same by guest-physical address. memory_write_physical() writes all or nothing. */
ssize_t memory_read_physical(const struct vcpu *vcpu, uint64_t gpa, void *buf, size_t len);
int memory_write_physical(struct vcpu *vcpu, uint64_t gpa, const void *buf, size_t len);
/* Translates: 0 and the guest-physical address, or -EFAULT. Whether memory is there is another matter. */
int memory_translate(const struct vcpu *vcpu, uint64_t linear, uint64_t *gpa);
/* A sentence: where an address leads, with what the page allows; or the level of the page tables at which it ends. */
void memory_describe(const struct vcpu *vcpu, uint64_t linear, char *text, size_t size);
/*
 * Whether code at this privilege level may read, or with `write` write, all of it without an exception, and there is
 * RAM for it, not a ROM or a device. For what the program does in the guest's place.
 */
bool memory_allows(const struct vcpu *vcpu, uint64_t linear, size_t len, bool write, unsigned int cpl);
/*
 * Whether code at this privilege level may run there, the CPU would leave no trace of it in the page tables, and all
 * `len` bytes are in one page of RAM or ROM.
 */
bool memory_runs(const struct vcpu *vcpu, uint64_t linear, size_t len, unsigned int cpl);
/* Where that is in this program, and in *left how many bytes follow in one piece; NULL if nowhere. */
void *memory_host(const struct vcpu *vcpu, uint64_t linear, uint64_t *left);
/* The region that `linear` is in; memory that is not there is not mapped. */
void memory_region(const struct vcpu *vcpu, uint64_t linear, struct gdbstub_region *region);
void memory_region_physical(const struct vcpu *vcpu, uint64_t gpa, struct gdbstub_region *region);
/* Why the last byte of a failed access could not be reached, in a sentence. */
void memory_why(const struct vcpu *vcpu, uint64_t linear, size_t len, char *why, size_t size);

#endif
