/* What CPUID tells the guest of its CPU, and the registers that come with some of it: those of the XSAVE area. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vcpu.h"

#define CPUID_ENTRIES 256

/* The XSAVE header's bitmap of components (SDM volume 1, 13.4.2). */
#define XSTATE_BV 512
#define XSTATE_BV_X87 0x1
#define XSTATE_BV_SSE 0x2

/* The least that a component must have to be used; those that are not named are not. */
static const uint16_t xstate_needed[XSTATE_COUNT] = {
	[XSTATE_AVX] = 16 * 16,	      [XSTATE_OPMASK] = 8 * 8, [XSTATE_ZMM_HI256] = 16 * 32,
	[XSTATE_HI16_ZMM] = 16 * 64, [XSTATE_PKRU] = 4,
};

/* CPUID leaf 0xd: what there is, and where; Intel's and AMD's places differ (SDM volume 1, 13.2). */
static void find_xstate(struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	uint64_t present = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 0xd && !cpuid->entries[i].index)
			present = cpuid->entries[i].eax;
	}
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function != 0xd || entry->index >= XSTATE_COUNT ||
		    !xstate_needed[entry->index] || !(present >> entry->index & 1))
			continue;
		if (entry->eax >= xstate_needed[entry->index] && entry->eax <= vcpu->xsave_size &&
		    entry->ebx > XSTATE_BV && entry->ebx <= vcpu->xsave_size - entry->eax)
			vcpu->xstate_offset[entry->index] = entry->ebx;
	}
}

/*
 * Bits of CPUID's leaves that are no good to a guest (SDM volume 2, CPUID; AMD's manual, volume 3, appendix E): what a
 * local APIC has that is not in lapic.c, and, since there is one processor, what the host has of others.
 */
static const struct {
	uint32_t function, eax, ebx, ecx, edx;
} hidden[] = {
	/* The APIC's number and how many processors there are; x2APIC, TSC deadline; that they are counted. */
	{0x00000001, 0, 0xffff0000, 1u << 21 | 1u << 24, 1u << 28},
	{0x00000004, 0xffffc000, 0, 0, 0}, /* whom a cache is shared with, and the number of cores */
	{0x0000000b, ~0u, ~0u, ~0u, ~0u},  /* topology */
	{0x0000001f, ~0u, ~0u, ~0u, ~0u},
	/* More than one core, extended APIC space, topology. */
	{0x80000001, 0, 0, 1u << 1 | 1u << 3 | 1u << 22, 0},
	{0x80000008, 0, 0, 0xf0ff, 0},	  /* the number of cores */
	{0x8000001d, 0x03ffc000, 0, 0, 0}, /* whom a cache is shared with */
	{0x8000001e, ~0u, ~0u, ~0u, ~0u},  /* topology */
	{0x80000026, ~0u, ~0u, ~0u, ~0u},
};

/* Of two of the leaves, in EDX. */
#define HAS_APIC (1u << 9)

static void hide_others(struct kvm_cpuid2 *cpuid, bool has_apic)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		for (size_t k = 0; k < sizeof(hidden) / sizeof(*hidden); k++) {
			if (entry->function != hidden[k].function)
				continue;
			entry->eax &= ~hidden[k].eax;
			entry->ebx &= ~hidden[k].ebx;
			entry->ecx &= ~hidden[k].ecx;
			entry->edx &= ~hidden[k].edx;
		}
		if (!has_apic && (entry->function == 1 || entry->function == 0x80000001))
			entry->edx &= ~HAS_APIC;
		/* Some KVM has them counted nevertheless. */
		if (entry->function == 1)
			entry->ebx |= 1u << 16;
	}
}

/*
 * Without it KVM knows a guest CPU with no features at all, and refuses long mode and most control
 * register bits to it.
 */
static int set_cpuid(struct vcpu *vcpu)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[CPUID_ENTRIES];
	} cpuid = {.head.nent = CPUID_ENTRIES};

	if (ioctl(vcpu->vm->device, KVM_GET_SUPPORTED_CPUID, &cpuid))
		return -errno;
	find_xstate(vcpu, &cpuid.head);
	hide_others(&cpuid.head, vcpu->has_apic);
	return ioctl(vcpu->fd, KVM_SET_CPUID2, &cpuid) ? -errno : 0;
}

/* More than a page only where the process may use what is that large (KVM_CAP_XSAVE2). */
static int allocate_xsave(struct vcpu *vcpu)
{
	int size = ioctl(vcpu->vm->device, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);

	vcpu->xsave_size = sizeof(struct kvm_xsave);
	if (size > (int)sizeof(struct kvm_xsave))
		vcpu->xsave_size = (size_t)size;
	vcpu->xsave = calloc(1, vcpu->xsave_size);
	return vcpu->xsave ? 0 : -ENOMEM;
}

int vcpu_need_features(struct vcpu *vcpu)
{
	int result = 0;

	if (vcpu->has_features)
		return 0;
	if (!vcpu->xsave)
		result = allocate_xsave(vcpu);
	if (!result)
		result = set_cpuid(vcpu);
	vcpu->has_features = !result;
	return result;
}

static int read_xsave(struct vcpu *vcpu)
{
	int result = vcpu_need_features(vcpu);
	bool large = vcpu->xsave_size > sizeof(struct kvm_xsave);

	if (result)
		return result;
	if (!vcpu->fpu_valid &&
	    ioctl(vcpu->fd, large ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, vcpu->xsave))
		return -errno;
	vcpu->fpu_valid = true;
	return 0;
}

static uint64_t xstate_present(const struct vcpu *vcpu)
{
	uint64_t present;

	memcpy(&present, vcpu->xsave + XSTATE_BV, sizeof(present));
	return present;
}

/* Without their bits the components would be set to their initial state. */
static int write_xsave(struct vcpu *vcpu, uint64_t components)
{
	components |= xstate_present(vcpu);
	memcpy(vcpu->xsave + XSTATE_BV, &components, sizeof(components));
	vcpu->fpu_valid = false;
	return ioctl(vcpu->fd, KVM_SET_XSAVE, vcpu->xsave) ? -errno : 0;
}

const struct fxsave *vcpu_fpu(struct vcpu *vcpu)
{
	int result = read_xsave(vcpu);

	errno = -result;
	return result ? NULL : (const struct fxsave *)vcpu->xsave;
}

int vcpu_set_fpu(struct vcpu *vcpu, const struct fxsave *fpu)
{
	int result = read_xsave(vcpu);

	if (result)
		return result;
	memcpy(vcpu->xsave, fpu, sizeof(*fpu));
	return write_xsave(vcpu, XSTATE_BV_X87 | XSTATE_BV_SSE);
}

const uint8_t *vcpu_xstate(struct vcpu *vcpu, unsigned int component)
{
	static const uint8_t initial[XSTATE_SIZE_MAX];
	int result = read_xsave(vcpu);

	errno = -result;
	if (result)
		return NULL;
	return xstate_present(vcpu) >> component & 1 ? vcpu->xsave + vcpu->xstate_offset[component]
						     : initial;
}

int vcpu_set_xstate(struct vcpu *vcpu, unsigned int component, size_t offset, const void *bytes,
		    size_t len)
{
	int result = read_xsave(vcpu);
	uint8_t *state = vcpu->xsave + vcpu->xstate_offset[component];

	if (result)
		return result;
	if (!(xstate_present(vcpu) >> component & 1))
		memset(state, 0, xstate_needed[component]);
	memcpy(state + offset, bytes, len);
	return write_xsave(vcpu, 1ull << component);
}
