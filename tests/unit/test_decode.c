/*
 * The decoder: lengths, classes and memory accesses of instructions, in each mode. Where objdump is
 * installed the lengths of random bytes are compared with its, too.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode.h"
#include "kvm.h"
#include "segment.h"
#include "tap.h"

#define MEMORY_SIZE 0x10000u
#define CODE 0x4000u	 /* linear; CS begins at 0x1000 in 16- and 32-bit mode */
#define RANDOM_SIZE 0x8000u /* random bytes in one piece */
#define RANDOM_PIECES 4

#define DF 0x400u
#define OF 0x800u

/* Registers: a different base for each segment, and nothing that is 0. */
static uint8_t memory[MEMORY_SIZE];
static struct vm vm = {.memory = memory, .size = MEMORY_SIZE, .low_size = MEMORY_SIZE};
static struct kvm_sregs sregs;
static struct kvm_regs regs;
static struct vcpu vcpu = {.vm = &vm, .regs = &regs, .sregs = &sregs};

enum variant {
	PRESET,
	STACK_32 = 1,  /* 16-bit code with SS.B */
	STACK_16 = 2,  /* 32-bit code without */
	COUNT_0 = 4,   /* RCX */
	OVERFLOW = 8,  /* OF */
	PROTECTED = 16,
};

static void set_up(enum vcpu_mode mode, unsigned int variant)
{
	bool flat = mode == MODE_64;

	regs = (struct kvm_regs){
		.rax = 0x1111111111110012, .rcx = 0x2222222200000005, .rdx = 0x60,
		.rbx = 0x0000000100000200, .rsp = 0x0000000100000800, .rbp = 0x0000000100000300,
		.rsi = 0x0000000100000400, .rdi = 0x0000000100000500, .r8 = 0x600,
		.r9 = 0xffffffffffffffff,  .r12 = 0x700,	      .r13 = 0x900,
		.rflags = 2 | (variant & OVERFLOW ? OF : 0),
	};
	if (variant & COUNT_0)
		regs.rcx = mode == MODE_16 ? 0xffff0000 : 0xffffffff00000000;
	sregs = (struct kvm_sregs){.cr0 = flat || variant & PROTECTED || mode == MODE_32};
	sregs.efer = flat ? EFER_LMA : 0;
	sregs.cs = (struct kvm_segment){.base = 0x1000, .db = mode == MODE_32, .l = flat};
	sregs.ss = (struct kvm_segment){.base = 0x20000, .db = mode == MODE_32};
	if (variant & STACK_32)
		sregs.ss.db = 1;
	if (variant & STACK_16)
		sregs.ss.db = 0;
	sregs.ds.base = 0x30000;
	sregs.es.base = 0x40000;
	sregs.fs.base = 0x50000;
	sregs.gs.base = 0x60000;
	regs.rip = CODE - (flat ? 0 : 0x1000);
}

static size_t put_code(uint32_t at, const char *hex)
{
	size_t n = 0;

	memset(memory + at, 0x90, 32);
	for (; *hex; hex += 2) {
		unsigned int value;

		while (*hex == ' ')
			hex++;
		if (sscanf(hex, "%2x", &value) != 1)
			break;
		memory[at + n++] = (uint8_t)value;
	}
	return n;
}

struct row {
	enum vcpu_mode mode;
	unsigned int variant;
	const char *code; /* all of the instruction */
	enum instruction_class class;
	/* "r30200.2 w40500.4": reads and writes, linear address in hex, bytes */
	const char *accesses;
};

#define STRING_16(code, accesses) {MODE_16, PRESET, code, CLASS_STRING, accesses}

static const struct row rows[] = {
	/* 16-bit addresses: every form */
	{MODE_16, 0, "8b 00", CLASS_PLAIN, "r30600.2"},
	{MODE_16, 0, "8b 01", CLASS_PLAIN, "r30700.2"},
	{MODE_16, 0, "8b 02", CLASS_PLAIN, "r20700.2"},
	{MODE_16, 0, "8b 03", CLASS_PLAIN, "r20800.2"},
	{MODE_16, 0, "8b 04", CLASS_PLAIN, "r30400.2"},
	{MODE_16, 0, "8b 05", CLASS_PLAIN, "r30500.2"},
	{MODE_16, 0, "8b 06 34 12", CLASS_PLAIN, "r31234.2"},
	{MODE_16, 0, "8b 07", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "8b 46 fe", CLASS_PLAIN, "r202fe.2"},
	{MODE_16, 0, "8b 86 00 fe", CLASS_PLAIN, "r20100.2"},
	{MODE_16, 0, "8b 87 ff ff", CLASS_PLAIN, "r301ff.2"},
	{MODE_16, 0, "8b 87 00 fd", CLASS_PLAIN, "r3ff00.2"}, /* wraps at 64 KiB */
	{MODE_16, 0, "8b c1", CLASS_PLAIN, ""},
	/* segment overrides, the last of which counts */
	{MODE_16, 0, "26 8b 07", CLASS_PLAIN, "r40200.2"},
	{MODE_16, 0, "2e 8b 07", CLASS_PLAIN, "r1200.2"},
	{MODE_16, 0, "36 8b 07", CLASS_PLAIN, "r20200.2"},
	{MODE_16, 0, "3e 8b 46 00", CLASS_PLAIN, "r30300.2"},
	{MODE_16, 0, "64 8b 07", CLASS_PLAIN, "r50200.2"},
	{MODE_16, 0, "65 8b 07", CLASS_PLAIN, "r60200.2"},
	{MODE_16, 0, "26 65 8b 07", CLASS_PLAIN, "r60200.2"},
	{MODE_64, 0, "26 8b 03", CLASS_PLAIN, "r100000200.4"}, /* does nothing there */
	{MODE_64, 0, "64 8b 03", CLASS_PLAIN, "r100050200.4"},
	{MODE_64, 0, "65 48 8b 03", CLASS_PLAIN, "r100060200.8"},
	/* 32-bit addresses */
	{MODE_32, 0, "8b 03", CLASS_PLAIN, "r30200.4"},
	{MODE_32, 0, "8b 05 78 56 34 12", CLASS_PLAIN, "r12375678.4"},
	{MODE_32, 0, "8b 43 80", CLASS_PLAIN, "r30180.4"},
	{MODE_32, 0, "8b 83 00 00 01 00", CLASS_PLAIN, "r40200.4"},
	{MODE_32, 0, "8b 45 00", CLASS_PLAIN, "r20300.4"},
	{MODE_32, 0, "8b 04 24", CLASS_PLAIN, "r20800.4"},
	{MODE_32, 0, "8b 44 24 fc", CLASS_PLAIN, "r207fc.4"},
	{MODE_32, 0, "8b 04 b3", CLASS_PLAIN, "r31200.4"},
	{MODE_32, 0, "8b 04 f3", CLASS_PLAIN, "r32200.4"},
	{MODE_32, 0, "8b 04 b5 10 00 00 00", CLASS_PLAIN, "r31010.4"}, /* no base */
	{MODE_32, 0, "8b 04 25 10 00 00 00", CLASS_PLAIN, "r30010.4"}, /* nor an index */
	{MODE_32, 0, "8b 44 75 01", CLASS_PLAIN, "r20b01.4"},
	{MODE_32, 0, "67 8b 07", CLASS_PLAIN, "r30200.4"},
	{MODE_32, 0, "67 8b 46 01", CLASS_PLAIN, "r20301.4"},
	{MODE_16, 0, "67 8b 04 b3", CLASS_PLAIN, "r31200.2"},
	{MODE_16, 0, "67 66 8b 03", CLASS_PLAIN, "r30200.4"},
	{MODE_32, 0, "66 8b 03", CLASS_PLAIN, "r30200.2"},
	/* 64-bit ones: REX, relative to RIP, at the ends of the address space */
	{MODE_64, 0, "48 8b 03", CLASS_PLAIN, "r100000200.8"},
	{MODE_64, 0, "49 8b 00", CLASS_PLAIN, "r600.8"},
	{MODE_64, 0, "41 8b 04 24", CLASS_PLAIN, "r700.4"}, /* R12 wants a SIB byte */
	{MODE_64, 0, "41 8b 45 00", CLASS_PLAIN, "r900.4"},
	{MODE_64, 0, "41 8b 44 25 00", CLASS_PLAIN, "r900.4"},
	{MODE_64, 0, "42 8b 04 63", CLASS_PLAIN, "r100001000.4"}, /* index R12 */
	{MODE_64, 0, "41 8b 01", CLASS_PLAIN, "rffffffffffffffff.4"},
	{MODE_64, 0, "8b 05 00 01 00 00", CLASS_PLAIN, "r4106.4"},
	{MODE_64, 0, "c7 05 00 01 00 00 01 02 03 04", CLASS_PLAIN, "w410a.4"},
	{MODE_64, 0, "80 3d 00 01 00 00 07", CLASS_PLAIN, "r4107.1"},
	{MODE_64, 0, "67 8b 03", CLASS_PLAIN, "r200.4"},
	{MODE_64, 0, "67 8b 05 00 01 00 00", CLASS_PLAIN, "r4107.4"},
	{MODE_64, 0, "48 66 8b 03", CLASS_PLAIN, "r100000200.2"}, /* REX before another prefix */
	{MODE_64, 0, "66 48 8b 03", CLASS_PLAIN, "r100000200.8"},
	{MODE_64, 0, "8b 04 25 10 00 00 00", CLASS_PLAIN, "r10.4"},
	/* read, write, both */
	{MODE_16, 0, "00 07", CLASS_PLAIN, "rw30200.1"},
	{MODE_16, 0, "38 07", CLASS_PLAIN, "r30200.1"},
	{MODE_16, 0, "88 07", CLASS_PLAIN, "w30200.1"},
	{MODE_16, 0, "80 07 01", CLASS_PLAIN, "rw30200.1"},
	{MODE_16, 0, "80 3f 01", CLASS_PLAIN, "r30200.1"},
	{MODE_16, 0, "81 07 01 02", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "66 81 3f 01 02 03 04", CLASS_PLAIN, "r30200.4"},
	{MODE_16, 0, "83 2f 01", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "84 07", CLASS_PLAIN, "r30200.1"},
	{MODE_16, 0, "87 07", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "f6 07 01", CLASS_PLAIN, "r30200.1"},
	{MODE_16, 0, "f7 07 01 02", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "f7 1f", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "f7 27", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "fe 07", CLASS_PLAIN, "rw30200.1"},
	{MODE_16, 0, "c1 27 03", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "d3 27", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "8d 07", CLASS_PLAIN, ""},
	{MODE_16, 0, "69 07 01 02", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "6b 07 01", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "8c 07", CLASS_PLAIN, "w30200.2"},
	{MODE_32, 0, "8e 1b", CLASS_FAR, "r30200.2"},
	{MODE_16, 0, "8e 17", CLASS_LOAD_SS, "r30200.2"},
	{MODE_16, 0, "8e d0", CLASS_LOAD_SS, ""},
	{MODE_16, 0, "c4 07", CLASS_FAR, "r30200.4"},
	{MODE_16, 0, "66 c5 07", CLASS_FAR, "r30200.6"},
	{MODE_16, 0, "0f b2 07", CLASS_FAR, "r30200.4"},
	{MODE_32, 0, "62 03", CLASS_PLAIN, "r30200.8"},
	{MODE_16, 0, "0f b6 07", CLASS_PLAIN, "r30200.1"},
	{MODE_32, 0, "0f bf 03", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "0f 94 07", CLASS_PLAIN, "w30200.1"},
	{MODE_16, 0, "0f 44 07", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "0f a4 07 03", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "f0 0f c1 07", CLASS_PLAIN, "rw30200.2"},
	{MODE_16, 0, "0f c3 07", CLASS_PLAIN, "w30200.4"},
	{MODE_32, 0, "66 0f 38 f6 03", CLASS_PLAIN, "r30200.4"},
	{MODE_16, 0, "f0 0f b0 07", CLASS_PLAIN, "rw30200.1"},
	{MODE_32, 0, "f0 0f c7 0b", CLASS_PLAIN, "rw30200.8"},
	{MODE_64, 0, "f0 48 0f c7 0b", CLASS_PLAIN, "rw100000200.16"},
	{MODE_32, 0, "0f 01 03", CLASS_PLAIN, "w30200.6"},
	{MODE_64, 0, "0f 01 13", CLASS_PLAIN, "r100000200.10"},
	{MODE_32, 0, "0f 00 03", CLASS_PLAIN, "w30200.2"},
	{MODE_64, 0, "48 63 03", CLASS_PLAIN, "r100000200.4"},
	{MODE_32, 0, "0f 20 c0", CLASS_PLAIN, ""},
	{MODE_32, 0, "0f 22 03", CLASS_PLAIN, ""}, /* mod does not count */
	/* bit strings */
	{MODE_16, 0, "0f a3 0f", CLASS_PLAIN, "r30200.2"},
	{MODE_32, 0, "0f ab 03", CLASS_PLAIN, "rw2252200.4"},
	{MODE_16, 0, "0f ab 37", CLASS_PLAIN, "rw30280.2"},
	{MODE_64, 0, "4c 0f b3 0b", CLASS_PLAIN, "rw1000001f8.8"}, /* bit -1 */
	{MODE_64, 0, "66 44 0f bb 0b", CLASS_PLAIN, "rw1000001fe.2"},
	{MODE_16, 0, "0f ba 27 0f", CLASS_PLAIN, "r30200.2"},
	{MODE_16, 0, "0f ba 2f 0f", CLASS_PLAIN, "rw30200.2"},
	/* absolute addresses and XLAT */
	{MODE_16, 0, "a0 34 12", CLASS_PLAIN, "r31234.1"},
	{MODE_16, 0, "26 a3 34 12", CLASS_PLAIN, "w41234.2"},
	{MODE_16, 0, "67 a1 34 12 00 00", CLASS_PLAIN, "r31234.2"},
	{MODE_32, 0, "67 a2 34 12", CLASS_PLAIN, "w31234.1"},
	{MODE_64, 0, "48 a1 88 77 66 55 44 33 22 11", CLASS_PLAIN, "r1122334455667788.8"},
	{MODE_64, 0, "67 a1 78 56 34 12", CLASS_PLAIN, "r12345678.4"},
	{MODE_16, 0, "d7", CLASS_PLAIN, "r30212.1"},
	{MODE_64, 0, "65 d7", CLASS_PLAIN, "r100060212.1"},
	/* the stack: what is stored by the operand's size, where by that of SS */
	{MODE_16, 0, "50", CLASS_PLAIN, "w207fe.2"},
	{MODE_16, 0, "66 50", CLASS_PLAIN, "w207fc.4"},
	{MODE_16, STACK_32, "50", CLASS_PLAIN, "w207fe.2"},
	{MODE_32, STACK_16, "50", CLASS_PLAIN, "w207fc.4"},
	{MODE_32, 0, "66 6a 01", CLASS_PLAIN, "w207fe.2"},
	{MODE_32, 0, "68 01 02 03 04", CLASS_PLAIN, "w207fc.4"},
	{MODE_64, 0, "50", CLASS_PLAIN, "w1000007f8.8"},
	{MODE_64, 0, "66 50", CLASS_PLAIN, "w1000007fe.2"},
	{MODE_64, 0, "58", CLASS_PLAIN, "r100000800.8"},
	{MODE_16, 0, "58", CLASS_PLAIN, "r20800.2"},
	{MODE_16, 0, "1f", CLASS_FAR, "r20800.2"},
	{MODE_16, 0, "17", CLASS_POP_SS, "r20800.2"},
	{MODE_16, 0, "0f a0", CLASS_PLAIN, "w207fe.2"},
	{MODE_16, 0, "0f a9", CLASS_FAR, "r20800.2"},
	{MODE_16, 0, "9c", CLASS_PUSHF, "w207fe.2"},
	{MODE_64, 0, "9c", CLASS_PUSHF, "w1000007f8.8"},
	{MODE_32, 0, "66 9d", CLASS_POPF, "r20800.2"},
	{MODE_16, 0, "60", CLASS_PLAIN, "w207f0.16"},
	{MODE_32, 0, "60", CLASS_PLAIN, "w207e0.32"},
	{MODE_16, 0, "61", CLASS_PLAIN, "r20800.6 r20808.8"},
	{MODE_16, 0, "ff 37", CLASS_PLAIN, "r30200.2 w207fe.2"},
	{MODE_16, 0, "8f 07", CLASS_PLAIN, "r20800.2 w30200.2"},
	/* with the stack pointer as it is after that */
	{MODE_16, 0, "67 8f 44 24 04", CLASS_PLAIN, "r20800.2 w20806.2"},
	{MODE_32, 0, "8f 04 24", CLASS_PLAIN, "r20800.4 w20804.4"},
	{MODE_32, 0, "66 8f 44 9c f8", CLASS_PLAIN, "r20800.2 w20ffa.2"},
	{MODE_64, 0, "8f 44 24 f8", CLASS_PLAIN, "r100000800.8 w100000800.8"},
	{MODE_64, 0, "41 8f 04 24", CLASS_PLAIN, "r100000800.8 w700.8"},
	{MODE_16, 0, "e8 00 00", CLASS_CALL, "w207fe.2"},
	{MODE_32, 0, "e8 00 00 00 00", CLASS_CALL, "w207fc.4"},
	{MODE_64, 0, "e8 00 00 00 00", CLASS_CALL, "w1000007f8.8"},
	{MODE_16, 0, "ff 17", CLASS_CALL, "r30200.2 w207fe.2"},
	{MODE_64, 0, "ff 13", CLASS_CALL, "r100000200.8 w1000007f8.8"},
	{MODE_16, 0, "9a 00 10 00 00", CLASS_FAR, "w207fc.4"},
	{MODE_32, 0, "9a 00 10 00 00 08 00", CLASS_FAR, "w207f8.8"},
	{MODE_16, 0, "ff 1f", CLASS_FAR, "r30200.4 w207fc.4"},
	{MODE_16, 0, "ff 27", CLASS_PLAIN, "r30200.2"},
	{MODE_32, 0, "ff 2b", CLASS_FAR, "r30200.6"},
	{MODE_16, 0, "c3", CLASS_PLAIN, "r20800.2"},
	{MODE_16, 0, "c2 04 00", CLASS_PLAIN, "r20800.2"},
	{MODE_64, 0, "c3", CLASS_PLAIN, "r100000800.8"},
	{MODE_16, 0, "cb", CLASS_FAR, "r20800.4"},
	{MODE_32, 0, "ca 04 00", CLASS_FAR, "r20800.8"},
	{MODE_16, 0, "c8 10 00 00", CLASS_PLAIN, "w207fe.2"},
	{MODE_16, 0, "c8 10 00 02", CLASS_PLAIN, "w207fa.6"},
	{MODE_16, 0, "c9", CLASS_PLAIN, "r20300.2"},
	{MODE_64, 0, "c9", CLASS_PLAIN, "r100000300.8"},
	{MODE_16, 0, "cd 21", CLASS_INT, "w207fa.6"},
	{MODE_16, 0, "cc", CLASS_INT, "w207fa.6"},
	{MODE_16, 0, "ce", CLASS_PLAIN, ""},
	{MODE_16, OVERFLOW, "ce", CLASS_INT, "w207fa.6"},
	{MODE_16, PROTECTED, "cd 21", CLASS_INT, ""},
	{MODE_16, 0, "cf", CLASS_IRET, "r20800.6"},
	{MODE_32, 0, "cf", CLASS_IRET, "r20800.12"},
	{MODE_64, 0, "48 cf", CLASS_IRET, "r100000800.40"},
	/* strings */
	STRING_16("a4", "r30400.1 w40500.1"),
	STRING_16("66 a5", "r30400.4 w40500.4"),
	STRING_16("f3 26 a5", "r40400.2 w40500.2"),
	STRING_16("67 a5", "r30400.2 w40500.2"),
	STRING_16("f3 a6", "r30400.1 r40500.1"),
	STRING_16("ab", "w40500.2"),
	STRING_16("64 ad", "r50400.2"),
	STRING_16("64 af", "r40500.2"),
	STRING_16("6d", "w40500.2"),
	STRING_16("f3 66 6f", "r30400.4"),
	{MODE_16, COUNT_0, "f3 a5", CLASS_STRING, ""},
	{MODE_16, COUNT_0, "67 f3 a5", CLASS_STRING, "r30400.2 w40500.2"},
	{MODE_16, COUNT_0, "a5", CLASS_STRING, "r30400.2 w40500.2"},
	{MODE_64, COUNT_0, "f2 ae", CLASS_STRING, "r100000500.1"},
	{MODE_64, COUNT_0, "67 f2 ae", CLASS_STRING, ""},
	{MODE_64, 0, "f3 48 a5", CLASS_STRING, "r100000400.8 w100000500.8"},
	{MODE_64, 0, "48 6d", CLASS_STRING, "w100000500.4"},
	{MODE_64, 0, "67 a5", CLASS_STRING, "r400.4 w500.4"},
	/* ports and the rest */
	{MODE_16, 0, "e4 60", CLASS_IO, ""},
	{MODE_16, 0, "ef", CLASS_IO, ""},
	{MODE_16, 0, "f4", CLASS_HLT, ""},
	{MODE_16, 0, "f1", CLASS_ICEBP, ""},
	{MODE_16, 0, "74 10", CLASS_PLAIN, ""},
	{MODE_16, 0, "0f 84 10 00", CLASS_PLAIN, ""},
	{MODE_32, 0, "0f 84 10 00 00 00", CLASS_PLAIN, ""},
	{MODE_16, 0, "66 b8 01 02 03 04", CLASS_PLAIN, ""},
	{MODE_64, 0, "48 b8 01 02 03 04 05 06 07 08", CLASS_PLAIN, ""},
	{MODE_16, 0, "ea 00 10 00 00", CLASS_FAR, ""},
	{MODE_32, 0, "0f 1f 84 00 00 00 00 00", CLASS_PLAIN, ""},
	/* x87 */
	{MODE_32, 0, "d9 03", CLASS_PLAIN, "r30200.4"},
	{MODE_32, 0, "dd 1b", CLASS_PLAIN, "w30200.8"},
	{MODE_32, 0, "db 2b", CLASS_PLAIN, "r30200.10"},
	{MODE_32, 0, "db 3b", CLASS_PLAIN, "w30200.10"},
	{MODE_32, 0, "de 03", CLASS_PLAIN, "r30200.2"},
	{MODE_32, 0, "d9 3b", CLASS_PLAIN, "w30200.2"},
	{MODE_32, 0, "d9 33", CLASS_PLAIN, "w30200.28"},
	{MODE_16, 0, "d9 37", CLASS_PLAIN, "w30200.14"},
	{MODE_32, 0, "dd 33", CLASS_PLAIN, "w30200.108"},
	{MODE_32, 0, "df 33", CLASS_PLAIN, "w30200.10"},
	{MODE_32, 0, "d8 c1", CLASS_PLAIN, ""},
	/* SSE and VEX */
	{MODE_32, 0, "0f 10 03", CLASS_PLAIN, "r30200.16"},
	{MODE_32, 0, "f3 0f 11 03", CLASS_PLAIN, "w30200.4"},
	{MODE_32, 0, "f2 0f 58 03", CLASS_PLAIN, "r30200.8"},
	{MODE_32, 0, "0f 7f 03", CLASS_PLAIN, "w30200.8"},
	{MODE_32, 0, "66 0f 7f 03", CLASS_PLAIN, "w30200.16"},
	{MODE_32, 0, "66 0f d6 03", CLASS_PLAIN, "w30200.8"},
	{MODE_64, 0, "66 48 0f 7e 03", CLASS_PLAIN, "w100000200.8"},
	{MODE_32, 0, "0f 5a 03", CLASS_PLAIN, "r30200.8"},
	{MODE_32, 0, "66 0f 5a 03", CLASS_PLAIN, "r30200.16"},
	{MODE_32, 0, "f3 0f e6 03", CLASS_PLAIN, "r30200.8"},
	{MODE_32, 0, "f2 0f e6 03", CLASS_PLAIN, "r30200.16"},
	{MODE_32, 0, "66 0f c4 03 01", CLASS_PLAIN, "r30200.2"},
	{MODE_32, 0, "66 0f 3a 14 03 01", CLASS_PLAIN, "w30200.1"},
	{MODE_32, 0, "66 0f 38 00 03", CLASS_PLAIN, "r30200.16"},
	{MODE_32, 0, "0f 38 f1 03", CLASS_PLAIN, "w30200.4"},
	{MODE_32, 0, "0f ae 03", CLASS_PLAIN, "w30200.512"},
	{MODE_32, 0, "0f ae 13", CLASS_PLAIN, "r30200.4"},
	{MODE_32, 0, "0f ae f0", CLASS_PLAIN, ""},
	{MODE_64, 0, "c5 fc 10 03", CLASS_PLAIN, "r100000200.32"},
	{MODE_64, 0, "c5 f8 11 03", CLASS_PLAIN, "w100000200.16"},
	{MODE_64, 0, "c4 c1 7c 10 00", CLASS_PLAIN, "r600.32"},
	{MODE_64, 0, "c4 e2 7d 00 03", CLASS_PLAIN, "r100000200.32"},
	{MODE_64, 0, "c4 e3 7d 19 03 01", CLASS_PLAIN, "w100000200.16"},
	{MODE_32, 0, "c5 f8 10 03", CLASS_PLAIN, "r30200.16"},
	{MODE_64, 0, "c5 f8 90 03", CLASS_PLAIN, "r100000200.2"}, /* KMOV */
	{MODE_64, 0, "c4 e1 f8 91 03", CLASS_PLAIN, "w100000200.8"},
	/* EVEX: the displacement of a byte counts what is accessed, or elements */
	{MODE_64, 0, "62 f1 7c 48 10 43 01", CLASS_PLAIN, "r100000240.64"},
	{MODE_64, 0, "62 f1 7c 28 11 43 ff", CLASS_PLAIN, "w1000001e0.32"},
	{MODE_64, 0, "62 f1 7c 58 58 43 01", CLASS_PLAIN, "r100000204.4"},
	{MODE_64, 0, "62 f1 ff 48 58 43 01", CLASS_PLAIN, "r100000208.8"},
	{MODE_64, 0, "62 f1 7c 58 5a 43 01", CLASS_PLAIN, "r100000204.4"},
	{MODE_64, 0, "62 f1 7c 48 5a 43 01", CLASS_PLAIN, "r100000220.32"},
	{MODE_64, 0, "62 f1 fd 08 d6 43 01", CLASS_PLAIN, "w100000208.8"},
	{MODE_64, 0, "62 f1 7d 48 70 43 01 07", CLASS_PLAIN, "r100000240.64"},
	{MODE_64, 0, "62 f2 7e 48 31 43 01", CLASS_PLAIN, "w100000210.16"},
	{MODE_64, 0, "62 f2 7d 49 8a 43 01", CLASS_PLAIN, "w100000204.64"},
	{MODE_64, 0, "62 f3 7d 48 39 43 01 01", CLASS_PLAIN, "w100000210.16"},
	{MODE_64, 0, "62 f1 7c 08 10 05 10 00 00 00", CLASS_PLAIN, "r401a.16"},
	{MODE_64, 0, "62 d1 7c 08 10 44 24 01", CLASS_PLAIN, "r710.16"},
	{MODE_64, 0, "62 f1 7c 48 10 83 01 00 00 00", CLASS_PLAIN, "r100000201.64"},
	{MODE_32, 0, "62 f1 7c 48 10 43 01", CLASS_PLAIN, "r30240.64"},
	{MODE_16, 0, "62 f1 7c 48 10 47 01", CLASS_PLAIN, "r30240.64"},
	{MODE_64, 0, "0f 07", CLASS_SYSRET, ""},
	{MODE_32, 0, "c5 03", CLASS_FAR, "r30200.6"}, /* LDS */
	/* as long as an instruction can be */
	{MODE_16, 0, "2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 8b 07", CLASS_PLAIN, "r1200.2"},
};

static const char *describe(const struct instruction *instruction)
{
	static char text[200];
	size_t at = 0;

	text[0] = 0;
	for (int i = 0; i < instruction->accesses; i++) {
		const struct data_access *access = &instruction->access[i];

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s%llx.%u", i ? " " : "",
				       access->read ? "r" : "", access->write ? "w" : "",
				       (unsigned long long)access->linear, access->len);
	}
	return text;
}

static void check_row(const struct row *row)
{
	struct instruction instruction;
	size_t length;

	set_up(row->mode, row->variant);
	length = put_code(CODE, row->code);
	decode_next(&vcpu, &instruction);
	if (!result(instruction.length == length && instruction.class == row->class &&
			    !strcmp(describe(&instruction), row->accesses),
		    "%d-bit%s: %s", 16 << row->mode, row->variant ? " (variant)" : "", row->code))
		comment("length %u of %zu, class %d of %d, accesses '%s' of '%s'",
			instruction.length, length, instruction.class, row->class,
			describe(&instruction), row->accesses);
}

/* What else is told of an instruction. */
static void check_details(void)
{
	struct instruction in;

	set_up(MODE_16, PRESET);
	put_code(CODE, "cd 21");
	decode_next(&vcpu, &in);
	result(in.vector == 0x21, "INT's vector");
	put_code(CODE, "f3 66 67 a5");
	decode_next(&vcpu, &in);
	result(in.repeated && in.element == 4 && in.address_size == 4 && !in.port, "REP MOVSD");
	put_code(CODE, "6c");
	decode_next(&vcpu, &in);
	result(!in.repeated && in.element == 1 && in.address_size == 2 && in.port, "INSB");
	put_code(CODE, "8e d3");
	decode_next(&vcpu, &in);
	result(in.from_register && in.selector == 0x200, "MOV SS, BX");
	put_code(CODE, "8e 17");
	decode_next(&vcpu, &in);
	result(!in.from_register, "MOV SS, [BX]");
}

/* What may raise an exception, as those do that are no instructions, although they touch no memory. */
static void check_faults(void)
{
	static const struct {
		enum vcpu_mode mode;
		const char *code;
		bool may_fault;
	} rows_of_faults[] = {
		{MODE_16, "90", false}, {MODE_16, "01 c0", false},	{MODE_16, "f0 01 c0", true}, {MODE_16, "f0 90", true},
		{MODE_16, "ff f8", true}, {MODE_16, "ff c0", false},	{MODE_16, "c7 c8 00 00", true}, {MODE_16, "fe d0", true},
		{MODE_16, "0f 0b", true}, {MODE_32, "27", false},	{MODE_64, "27", true},	     {MODE_64, "ce", true},
		{MODE_32, "d6", false}, {MODE_64, "d6", true},
	};
	struct instruction in;

	for (size_t i = 0; i < sizeof(rows_of_faults) / sizeof(*rows_of_faults); i++) {
		set_up(rows_of_faults[i].mode, PRESET);
		put_code(CODE, rows_of_faults[i].code);
		decode_next(&vcpu, &in);
		result(in.may_fault == rows_of_faults[i].may_fault, "%d-bit: %s %s fault", 16 << rows_of_faults[i].mode,
		       rows_of_faults[i].code, rows_of_faults[i].may_fault ? "may" : "does not");
	}
}

/* The accesses of a repeated instruction, taken together. */
static void check_repeated(void)
{
	struct instruction in;
	struct kvm_regs after;
	struct data_access access;

	set_up(MODE_16, PRESET);
	put_code(CODE, "f3 ab");
	decode_next(&vcpu, &in);
	after = regs;
	after.rcx -= 3;
	access = decode_access(&in, 0, &regs, &after);
	result(access.linear == 0x40500 && access.len == 6, "three iterations of STOSW");
	regs.rflags |= DF;
	access = decode_access(&in, 0, &regs, &after);
	result(access.linear == 0x404fc && access.len == 6, "three, downwards");
	after.rcx = regs.rcx - 1;
	access = decode_access(&in, 0, &regs, &after);
	result(access.linear == 0x40500 && access.len == 2, "one");
	result((after.rcx & decode_count_mask(&in)) == 4, "four are left");
}

static void check_cut_off(void)
{
	static const char *const codes[] = {"66", "8b", "8b 87", "8b 87 00", "0f", "0f 38", "c4",
					    "c5", "b8 01", "cd", "c4 e2 7d", "67 8b 04"};
	struct instruction in;
	bool good = true;

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		size_t length = (strlen(codes[i]) + 1) / 3;

		set_up(MODE_16, PRESET);
		sregs.cs.base = 0;
		memset(memory + MEMORY_SIZE - 32, 0x90, 32);
		for (size_t n = 0; n < length; n++)
			memory[MEMORY_SIZE - length + n] =
				(uint8_t)strtoul(codes[i] + 3 * n, NULL, 16);
		regs.rip = MEMORY_SIZE - length;
		decode_next(&vcpu, &in);
		if (in.class != CLASS_UNKNOWN || in.length || in.accesses) {
			good = false;
			comment("%s: length %u", codes[i], in.length);
		}
	}
	result(good, "instructions that the end of memory cuts off");
	set_up(MODE_16, PRESET);
	sregs.cs.base = MEMORY_SIZE;
	regs.rip = 0;
	decode_next(&vcpu, &in);
	result(in.class == CLASS_UNKNOWN && !in.length, "no memory");
	set_up(MODE_16, PRESET);
	memset(memory + CODE, 0x2e, 32);
	memory[CODE + 15] = 0x90;
	decode_next(&vcpu, &in);
	result(in.class == CLASS_UNKNOWN && !in.length, "an instruction of 16 bytes");
}

/* Lines of objdump that are not to be compared. */
static bool is_prefix(const char *word)
{
	static const char *const words[] = {"rep",  "repz", "repnz",  "lock",	"data16", "data32",
					    "addr16", "addr32", "cs", "ds", "es", "ss", "fs", "gs",
					    "xacquire", "xrelease", "bnd", "notrack"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(word, words[i]))
			return true;
	}
	return !strncmp(word, "rex", 3);
}

static bool is_known_evex(const uint8_t *code)
{
	return !(code[1] & 8) && (code[1] & 7) >= 1 && (code[1] & 7) <= 3 && code[2] & 4;
}

static bool is_comparable(const uint8_t *code, size_t length, const char *text)
{
	char copy[200], *word, *rest = copy;
	bool only_prefixes = true;
	size_t at = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while (only_prefixes && (word = strsep(&rest, " \n"))) {
		if (*word)
			only_prefixes = is_prefix(word);
	}
	if (only_prefixes || strstr(text, "(bad)") || strstr(text, ".byte") || strstr(text, "%tr") ||
	    strstr(text, "gather") || strstr(text, "scatter"))
		return false;
	while (at < length && code[at] &&
	       (strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", code[at]) ||
		(code[at] & 0xf0) == 0x40))
		at++;
	/* What is not decoded of EVEX, XOP, and FWAIT, which objdump takes for a part of the next instruction. */
	return at >= length || ((code[at] != 0x62 || is_known_evex(code + at)) && code[at] != 0x8f &&
				code[at] != 0x9b);
}

/* Compares one line; false if there is a difference. */
static bool compare_line(enum vcpu_mode mode, char *line, unsigned int *compared)
{
	unsigned long at = strtoul(line, &line, 16);
	char *text = *line == ':' ? strchr(line + 2, '\t') : NULL;
	struct instruction in;
	size_t length = 0;

	if (!text)
		return true;
	for (char *byte = line + 1; byte < text; byte++) {
		if (isxdigit((unsigned char)byte[0]) && isxdigit((unsigned char)byte[1])) {
			length++;
			byte++;
		}
	}
	/* The last ones may be cut off. */
	if (at < CODE || at + 32 > CODE + RANDOM_SIZE ||
	    !is_comparable(memory + at, length, text + 1))
		return true;
	regs.rip = at - (mode == MODE_64 ? 0 : 0x1000);
	decode_next(&vcpu, &in);
	++*compared;
	if (in.length == length)
		return true;
	text[strcspn(text, "\n")] = 0;
	comment("%d-bit: %u bytes, objdump: %zu bytes: %s", 16 << mode, in.length, length,
		text + 1);
	for (size_t i = 0; i < length; i++)
		comment("  %02x", memory[at + i]);
	return false;
}

static void check_objdump(enum vcpu_mode mode)
{
	static const char *const machines[] = {"i8086", "i386", "i386:x86-64"};
	char path[] = "/tmp/test_decode.XXXXXX", command[200], line[400];
	unsigned int compared = 0, different = 0;
	int fd = mkstemp(path);
	FILE *objdump;

	if (fd < 0 || write(fd, memory + CODE, RANDOM_SIZE) != (ssize_t)RANDOM_SIZE) {
		result(false, "a file of random bytes");
		return;
	}
	close(fd);
	snprintf(command, sizeof(command),
		 "objdump -D -b binary -m %s --insn-width=16 --adjust-vma=0x%x %s", machines[mode],
		 CODE, path);
	objdump = popen(command, "r");
	while (objdump && fgets(line, sizeof(line), objdump)) {
		if (!compare_line(mode, line, &compared) && ++different == 20)
			break;
	}
	if (objdump)
		pclose(objdump);
	unlink(path);
	result(compared > 1000 && !different, "%d-bit: %u random instructions, with objdump",
	       16 << mode, compared);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_row(&rows[i]);
	check_details();
	check_faults();
	check_repeated();
	check_cut_off();
	if (system("objdump --version >/dev/null 2>&1")) {
		result(true, "random instructions # SKIP no objdump");
		return finish();
	}
	srandom(1);
	for (int piece = 0; piece < RANDOM_PIECES; piece++) {
		for (uint32_t i = 0; i < RANDOM_SIZE; i++)
			memory[CODE + i] = (uint8_t)(random() >> 8);
		for (enum vcpu_mode mode = MODE_16; mode < MODE_COUNT; mode++) {
			set_up(mode, PRESET);
			check_objdump(mode);
		}
	}
	return finish();
}
