/* The registers of the XSAVE area: x87, SSE and what came after them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "state_parts.h"

/* --- x87: FXSAVE keeps the registers in stack order, with the tag word abridged --- */

/* The full tag word: FXSAVE keeps only "empty or not", the rest is in the values (SDM 1, 8.1.7). */
static uint16_t full_tags(const struct fxsave *fpu)
{
	unsigned int top = fpu->fsw >> 11 & 7, tags = 0;

	for (unsigned int physical = 0; physical < 8; physical++) {
		const uint8_t *st = fpu->st[(physical - top) & 7];
		uint64_t mantissa;
		unsigned int exponent = (unsigned int)(st[9] & 0x7f) << 8 | st[8], tag;

		memcpy(&mantissa, st, sizeof(mantissa));
		if (!(fpu->ftw & 1u << physical))
			tag = 3; /* empty */
		else if (!exponent && !mantissa)
			tag = 1; /* zero */
		else if (exponent == 0x7fff || !exponent || !(mantissa >> 63))
			tag = 2; /* special */
		else
			tag = 0;
		tags |= tag << 2 * physical;
	}
	return (uint16_t)tags;
}

static uint8_t abridged_tags(uint64_t tags)
{
	unsigned int abridged = 0;

	for (unsigned int physical = 0; physical < 8; physical++) {
		if ((tags >> 2 * physical & 3) != 3)
			abridged |= 1u << physical;
	}
	return (uint8_t)abridged;
}

static uint64_t fpu_control(const struct fxsave *fpu, enum register_home home)
{
	switch (home) {
	case HOME_FCTRL:
		return fpu->fcw;
	case HOME_FSTAT:
		return fpu->fsw;
	case HOME_FTAG:
		return full_tags(fpu);
	/* FXSAVE64's layout: the selectors take the upper halves of 64-bit pointers. */
	case HOME_FISEG:
		return fpu->fip >> 32 & 0xffff;
	case HOME_FIOFF:
		return fpu->fip & 0xffffffff;
	case HOME_FOSEG:
		return fpu->fdp >> 32 & 0xffff;
	case HOME_FOOFF:
		return fpu->fdp & 0xffffffff;
	case HOME_FOP:
		return fpu->fop;
	default: /* HOME_MXCSR */
		return fpu->mxcsr;
	}
}

static void set_fpu_control(struct fxsave *fpu, enum register_home home, uint64_t value)
{
	const uint64_t low = 0xffffffff;

	switch (home) {
	case HOME_FCTRL:
		fpu->fcw = (uint16_t)value;
		break;
	case HOME_FSTAT:
		fpu->fsw = (uint16_t)value;
		break;
	case HOME_FTAG:
		fpu->ftw = abridged_tags(value);
		break;
	case HOME_FISEG:
		fpu->fip = (fpu->fip & low) | (value & 0xffff) << 32;
		break;
	case HOME_FIOFF:
		fpu->fip = (fpu->fip & ~low) | (value & low);
		break;
	case HOME_FOSEG:
		fpu->fdp = (fpu->fdp & low) | (value & 0xffff) << 32;
		break;
	case HOME_FOOFF:
		fpu->fdp = (fpu->fdp & ~low) | (value & low);
		break;
	case HOME_FOP:
		fpu->fop = value & 0x7ff;
		break;
	default: /* HOME_MXCSR */
		fpu->mxcsr = (uint32_t)value;
	}
}

bool state_is_fpu(enum register_home home)
{
	return home == HOME_ST || home == HOME_XMM || home == HOME_MXCSR || home == HOME_XSTATE ||
	       (home >= HOME_FCTRL && home <= HOME_FOP);
}

static void get(const struct fxsave *fpu, const struct register_row *row, uint8_t *value)
{
	uint64_t control;

	if (row->home == HOME_ST) {
		memcpy(value, fpu->st[row->index], 10);
	} else if (row->home == HOME_XMM) {
		memcpy(value, fpu->xmm[row->index], 16);
	} else {
		control = fpu_control(fpu, row->home);
		memcpy(value, &control, row->bits / 8);
	}
}

int state_read_fpu(struct vcpu *vcpu, const struct register_row *row, uint8_t *value)
{
	const struct fxsave *fpu;
	const uint8_t *state;

	if (row->home == HOME_XSTATE) {
		state = vcpu_xstate(vcpu, row->component);
		if (!state)
			return -errno;
		memcpy(value, state + row->index, row->bits / 8);
		return 0;
	}
	fpu = vcpu_fpu(vcpu);
	if (!fpu)
		return -errno;
	get(fpu, row, value);
	return 0;
}

/* `meant` is what the register is to be then. */
static int write_fxsave(struct vcpu *vcpu, const struct register_row *row, const uint8_t *value,
			uint8_t *meant, char *why, size_t size)
{
	const struct fxsave *now = vcpu_fpu(vcpu);
	struct fxsave fpu;
	uint64_t control = 0;

	if (!now)
		return -errno;
	fpu = *now;
	if (row->home == HOME_ST) {
		memcpy(fpu.st[row->index], value, 10);
	} else if (row->home == HOME_XMM) {
		memcpy(fpu.xmm[row->index], value, 16);
	} else {
		memcpy(&control, value, row->bits / 8);
		if (row->home == HOME_MXCSR && control >> 16)
			return state_refuse(why, size, "mxcsr has no bits above 15");
		set_fpu_control(&fpu, row->home, control);
	}
	get(&fpu, row, meant);
	return vcpu_set_fpu(vcpu, &fpu);
}

int state_write_fpu(struct vcpu *vcpu, const struct register_row *row, const uint8_t *value,
		    char *why, size_t size)
{
	uint8_t meant[REGISTER_SIZE_MAX], now[REGISTER_SIZE_MAX];
	int result;

	if (row->home == HOME_XSTATE) {
		memcpy(meant, value, row->bits / 8);
		result = vcpu_set_xstate(vcpu, row->component, row->index, value, row->bits / 8);
	} else {
		result = write_fxsave(vcpu, row, value, meant, why, size);
	}
	if (result) {
		if (!*why)
			snprintf(why, size, "KVM refuses this value of %s: %s", row->name,
				 strerror(-result));
		return result;
	}
	result = state_read_fpu(vcpu, row, now);
	if (!result && memcmp(now, meant, row->bits / 8))
		return state_refuse(why, size, "KVM ignores what is written to %s", row->name);
	return result;
}
