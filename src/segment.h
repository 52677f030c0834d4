/* Segments: real-mode addressing, and loading a selector as the CPU would. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "vcpu.h"

enum segment {
	SEGMENT_CS,
	SEGMENT_SS,
	SEGMENT_DS,
	SEGMENT_ES,
	SEGMENT_FS,
	SEGMENT_GS,
	/* System segments, which instructions do not name. */
	SEGMENT_LDTR,
	SEGMENT_TR
};

struct kvm_segment *segment_of(struct kvm_sregs *sregs, enum segment which);
const char *segment_name(enum segment which);

/* A real-mode segment: base = selector * 16, 64 KiB, as VMX without unrestricted guest wants it. */
void segment_set_real(struct kvm_segment *segment, enum segment which, uint16_t selector);
/* A flat 4 GiB segment at privilege level 0; code is 64-bit code with `l`. */
void segment_set_flat(struct kvm_segment *segment, enum segment which, uint16_t selector, bool l);

/*
 * What loading `selector` into a segment register would do at this moment: in real mode the base
 * follows, in protected mode the descriptor is read from the GDT or LDT and checked. LDTR and TR are
 * loaded as by LLDT and LTR, but a busy task state segment will do, and memory is left alone. Changes
 * *sregs only. Returns 0, or -EINVAL with a sentence in `why`.
 */
int segment_load(const struct vcpu *vcpu, struct kvm_sregs *sregs, enum segment which,
		 uint16_t selector, char *why, size_t size);

/* What a descriptor says of a segment, loaded by a selector. */
void segment_decode(struct kvm_segment *segment, uint16_t selector, uint64_t descriptor);
bool segment_is_code(const struct kvm_segment *segment);
bool segment_is_conforming(const struct kvm_segment *segment); /* of code */
bool segment_is_writable(const struct kvm_segment *segment);   /* data that can be written */

/*
 * Whether code that is not 64-bit code may read, or with `write` write, `len` bytes at an offset: they are within the
 * limit, and in protected mode the segment is of such a type.
 */
bool segment_allows(const struct vcpu *vcpu, const struct kvm_segment *segment, uint64_t offset, size_t len, bool write);

/* The descriptor that a selector names in protected mode, or its base; false if there is none. */
bool segment_descriptor(const struct vcpu *vcpu, uint16_t selector, uint64_t *descriptor);
uint64_t segment_descriptor_base(uint64_t descriptor);
bool segment_base(const struct vcpu *vcpu, uint16_t selector, uint64_t *base);

#endif
