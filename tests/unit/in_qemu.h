/*
 * Whether the KVM of this machine is QEMU's emulation (of kvm_amd). It loses the flags of an instruction that uses
 * them and is left halfway: for a page that is not there yet, or for a debug register.
 */
#ifndef IN_QEMU_H
#define IN_QEMU_H

#include <cpuid.h>
#include <stdbool.h>
#include <string.h>

static inline bool in_qemu(void)
{
	unsigned int max, signature[3];

	__cpuid(0x40000000, max, signature[0], signature[1], signature[2]);
	return !memcmp(signature, "TCGTCGTCGTCG", sizeof(signature));
}

#endif
