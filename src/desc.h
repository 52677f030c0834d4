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
	HOME_LIMIT,	/* index: enum segment */
	HOME_TABLE_BASE, /* index: enum descriptor_table */
	HOME_TABLE_LIMIT,
	HOME_APIC_BASE,
	HOME_XCR0,
	HOME_DEBUG,	/* index: 0 to 3, 6 or 7 */
	HOME_XSTATE,	/* index: offset in the component */
	HOME_MSR,	/* index: its address */
};

enum descriptor_table { TABLE_GDT, TABLE_IDT };

struct register_row {
	const char *name;
	enum register_home home;
	uint32_t index;
	uint16_t bits;
	const char *type;  /* gdb's */
	uint8_t feature;   /* enum register_feature, in desc.c */
	uint8_t modes;	   /* bit n: in the layout of mode n */
	uint8_t component; /* HOME_XSTATE: XSTATE_* */
	const char *group;
};

/*
 * How many of the registers a client wants: all; all but the model-specific ones; those of gdb's own
 * features alone.
 */
enum register_set { REGISTERS_ALL, REGISTERS_SYSTEM, REGISTERS_CORE, REGISTERS_SETS };

/*
 * A layout's number is that of the mode that it suits, enum vcpu_mode, plus MODE_COUNT times the set. In
 * each mode a register has the same number in all sets and on all hosts; numbers without a register
 * have no row.
 */
#define REGISTER_LAYOUTS (MODE_COUNT * REGISTERS_SETS)
#define REGISTERS_MAX 256
#define REGISTER_BLOCK_MAX 1024
#define REGISTER_SIZE_MAX 32 /* the upper half of a ZMM register */

struct register_layout {
	const struct register_row *row[REGISTERS_MAX]; /* by gdb's register number; for register_row() beyond the block */
	int count;	   /* of the numbers */
	int block_count;   /* of the first ones, which the g packet's block has */
	size_t size;	   /* of that block, in bytes; at most REGISTER_BLOCK_MAX */
	int expedited[4];  /* pc, sp, the frame pointer, -1 */
};

/*
 * Chooses, once for a machine, the registers to be served among those that not every host has. Without it
 * there are none of them. has() is asked about these alone, when the first of them is asked for.
 */
void registers_choose(bool (*has)(void *context, const struct register_row *row), void *context);

const struct register_layout *register_layout(int layout);
/* The one with gdb's number `number`; NULL where none is served. */
const struct register_row *register_row(int layout, int number);
/* The whole text of target.xml for a layout. Never fails: it is made from the table on first use. */
const char *register_description(int layout);

#endif
