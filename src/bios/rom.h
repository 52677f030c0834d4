/* The ROM's contents: stubs for the interrupt vectors, and what is expected at fixed places of a PC's. */
#ifndef ROM_H
#define ROM_H

#include <stdint.h>

#include "kvm.h"

#define ROM_SEGMENT 0xf000
#define ROM_BASE 0xf0000u
#define ROM_SIZE 0x10000u

/* The fonts' offsets, with 256 glyphs each. */
#define ROM_FONT16 0x8000
#define ROM_FONT14 0x9000
#define ROM_FONT8 0xa000
#define ROM_FONT8_UPPER 0xa400 /* its second half */
#define ROM_FONT8_LOWER 0xfa6e /* the first one again, where programs have looked for it since the first PC */
/* What INT 10h AH=1Bh says of the screen's hardware: 16 bytes. */
#define ROM_VIDEO_ABILITIES 0xa800

/* Where code of the ROM's own calls the program, beside the vectors 0 to 255. */
enum rom_trap {
	ROM_SCAN_CODE = 256, /* called by the code of INT 09h */
	ROM_UNUSED,	     /* of all vectors that a PC leaves to the programs */
	ROM_TRAPS,
};

/* Parameters of diskettes, at the place that programs know by heart, and of two hard disks. */
#define ROM_DISKETTE_TABLE 0xefc7
#define ROM_HARD_DISK_TABLES 0xef80
#define ROM_HARD_DISK_TABLE_SIZE 16
/* The tables of Intel's MultiProcessor Specification, which the pointer leads to. */
#define ROM_MP_POINTER 0xb000
/* The system configuration table of INT 15h AH=C0h. */
#define ROM_CONFIGURATION 0xf400

/* Of each stub: the OUT, then where it goes on when the service is done, or is to be waited for. */
#define ROM_STUB_SIZE 8
#define ROM_STUB_DONE 2
#define ROM_STUB_WAIT 3

void rom_write(struct vm *vm);
/* The stub's offset in ROM_SEGMENT; `trap` is a vector or an enum rom_trap. */
uint16_t rom_stub(unsigned int trap);
/* Which stub's OUT ends at this linear address, or -1. */
int rom_trap_at(uint64_t linear);

#endif
