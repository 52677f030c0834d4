/* The guests that probe.c and probe_table.c run: a few bytes of code in a machine of their own. */
#ifndef PROBE_GUEST_H
#define PROBE_GUEST_H

#include "vcpu.h"

/* Where things are in the probe's memory; what is not named here is free. */
#define PROBE_HANDLER 0x800  /* where every real-mode interrupt goes: a HLT; the stack is below */
#define PROBE_DATA 0x900     /* 8 bytes */
#define PROBE_CODE 0x1000
#define PROBE_TABLES 0x2000    /* of 64-bit code: PML4, page directory pointers, page directory */
#define PROBE_ACCESSED_DIRTY 0x60
#define PROBE_READ_ONLY 0x8000 /* a page that a slot of its own makes read-only */
#define PROBE_ABSENT 0x9000    /* a page without memory */

struct prober {
	struct vm vm;
	struct vcpu vcpu;
	struct kvm_sregs reset;
	bool disturbed; /* a call of KVM has failed, or a signal has come: what was tried says nothing of the host */
};

int prober_create(struct prober *p, char *why, size_t size);
void prober_destroy(struct prober *p);

/*
 * Makes a fresh CPU of the given mode, at privilege level 3 if `user`, with `code` at PROBE_CODE, NOPs
 * behind that, and a HLT in the end. False if KVM refuses it.
 */
bool prober_begin(struct prober *p, enum vcpu_mode mode, bool user, const void *code, size_t len);

/*
 * Runs to the next exit with KVM_GUESTDBG_* bits and debug register 0: DR7's R/W field is `condition`,
 * its length 1, 2, 4 or 8. Returns as vcpu_enter().
 */
int prober_enter(struct prober *p, uint32_t control, uint64_t address, unsigned int condition,
		 unsigned int length);
int prober_step(struct prober *p);

/*
 * MOV [address],AL or MOV AL,[address], whose address has the size of the mode, and an OUT, into `code`.
 * Returns the length of both.
 */
#define PROBE_ACCESS_MAX 11
#define PROBE_OUT_SIZE 2
size_t prober_access_code(uint8_t code[PROBE_ACCESS_MAX], enum vcpu_mode mode, bool write,
			  uint64_t address);

#endif
