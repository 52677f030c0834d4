/*
 * The registers that a debugger sees: one table, from which the target descriptions and the layouts
 * of the g, p and P packets all follow.
 */
#ifndef DESC_H
#define DESC_H

#include <stddef.h>
#include <stdint.h>

#include "vcpu.h"

/* Where a register lives; `index` says which of its kind. */
enum register_home {
	HOME_GENERAL,	/* index: offset in struct kvm_regs */
	HOME_PC,	/* linear outside 64-bit mode */
	HOME_SP,	/* likewise */
	HOME_RAW_IP,	/* the low 16 bits of RIP */
	HOME_RAW_SP,	/* the low 16 bits of RSP */
	HOME_FLAGS,
	HOME_SELECTOR,	/* index: enum segment */
	HOME_BASE,	/* index: enum segment */
	HOME_ST,	/* index: st(n) */
	HOME_FCTRL,
	HOME_FSTAT,
	HOME_FTAG,
	HOME_FISEG,
	HOME_FIOFF,
	HOME_FOSEG,
	HOME_FOOFF,
	HOME_FOP,
	HOME_XMM,	/* index: xmm number */
	HOME_MXCSR,
	HOME_CONTROL,	/* index: 0, 2, 3, 4 or 8 */
	HOME_EFER,
	HOME_MODE,	/* 16, 32 or 64; read-only */
};

struct register_row {
	const char *name;
	enum register_home home;
	uint16_t index;
	uint16_t bits;
	const char *type; /* gdb's */
	uint8_t feature;  /* enum register_feature, in desc.c */
	uint8_t modes;	  /* bit n: in the layout of mode n */
	const char *group;
};

/* A layout is numbered as the mode that it suits: enum vcpu_mode. */
struct register_layout {
	const struct register_row *row[96]; /* by gdb's register number */
	int count;
	size_t size;	   /* of the g packet's block, in bytes */
	int expedited[4];  /* pc, sp, the frame pointer, -1 */
};

const struct register_layout *register_layout(int layout);
/* The whole text of target.xml for a layout. Never fails: it is made from the table on first use. */
const char *register_description(int layout);

#endif
