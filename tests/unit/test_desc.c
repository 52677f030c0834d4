/*
 * The register table: what gdb demands of a description, that the description and the layouts of the packets
 * are one thing, and the values of registers that need no KVM.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "desc.h"
#include "segment.h"
#include "state.h"
#include "tap.h"

#define EIP_16 8 /* gdb's register numbers in the legacy layouts */

static const char *const mode_names[MODE_COUNT] = {"16-bit", "32-bit", "64-bit"};

static struct kvm_sregs sregs;
static struct kvm_regs regs;
static struct vcpu vcpu = {.fd = -1, .regs = &regs, .sregs = &sregs};

/* The core feature, as gdb's i386-tdep and amd64-tdep number it. */
static const char core_legacy[] =
	"eax ecx edx ebx esp ebp esi edi eip eflags cs ss ds es fs gs st0 st1 st2 st3 st4 st5 st6 st7 "
	"fctrl fstat ftag fiseg fioff foseg fooff fop xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 mxcsr ";
static const char core_64[] =
	"rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cs ss ds es fs gs "
	"st0 st1 st2 st3 st4 st5 st6 st7 fctrl fstat ftag fiseg fioff foseg fooff fop xmm0 xmm1 xmm2 "
	"xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 mxcsr fs_base gs_base ";

static void test_order(int mode)
{
	const char *expected = mode == MODE_64 ? core_64 : core_legacy;
	const struct register_layout *l = register_layout(mode);
	char names[1024] = "";

	for (int i = 0; i < l->count && strlen(names) < strlen(expected); i++) {
		strcat(names, l->row[i]->name);
		strcat(names, " ");
	}
	if (!result(!strcmp(names, expected), "%s: gdb's registers come first, in gdb's order",
		    mode_names[mode]))
		comment("%s", names);
}

static void test_names(int mode)
{
	const struct register_layout *l = register_layout(mode);
	bool unique = true, free_names = true;

	for (int i = 0; i < l->count; i++) {
		for (int j = 0; j < i; j++)
			unique &= strcmp(l->row[i]->name, l->row[j]->name) != 0;
		free_names &= strcmp(l->row[i]->name, "pc") && strcmp(l->row[i]->name, "sp");
	}
	result(unique, "%s: no name stands twice", mode_names[mode]);
	result(free_names, "%s: $pc and $sp are left to gdb", mode_names[mode]);
}

/* The text has a <reg> for each row and no other, with its number and size, in order. */
static void test_description(int mode)
{
	const struct register_layout *l = register_layout(mode);
	const char *at = register_description(mode);
	size_t size = 0;
	bool same = true;
	int i;

	for (i = 0; i < l->count && same; i++) {
		char reg[160];

		snprintf(reg, sizeof(reg), "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\" regnum=\"%d\"",
			 l->row[i]->name, l->row[i]->bits, l->row[i]->type, i);
		at = strstr(at, "<reg ");
		same = at && !strncmp(at, reg, strlen(reg));
		if (!same)
			comment("expected %s", reg);
		else
			at++;
		size += l->row[i]->bits / 8;
	}
	result(same && !strstr(at, "<reg "), "%s: the description has the table's registers",
	       mode_names[mode]);
	result(size == l->size, "%s: the g packet has room for all of them", mode_names[mode]);
	at = register_description(mode);
	result(strstr(at, "<osabi>none</osabi>") && strstr(at, "</target>\n"),
	       "%s: the description is whole and has no OS ABI", mode_names[mode]);
	result(!strstr(at, "org.gnu.gdb.i386.segments") == (mode != MODE_64),
	       "%s: the segments feature is there in 64-bit mode only", mode_names[mode]);
}

static void test_expedited(int mode)
{
	const struct register_layout *l = register_layout(mode);
	bool pc = false, sp = false;
	int n = 0;

	for (; l->expedited[n] >= 0; n++) {
		pc |= l->row[l->expedited[n]]->home == HOME_PC;
		sp |= l->row[l->expedited[n]]->home == HOME_SP;
	}
	result(n == 3 && pc && sp, "%s: pc, sp and the frame pointer are sent with a stop",
	       mode_names[mode]);
}

static const struct register_row *find(int mode, const char *name)
{
	const struct register_layout *l = register_layout(mode);

	for (int i = 0; i < l->count; i++) {
		if (!strcmp(l->row[i]->name, name))
			return l->row[i];
	}
	return NULL;
}

static uint64_t value_of(int mode, const char *name)
{
	uint8_t bytes[16] = {0};
	uint64_t value;

	state_read(&vcpu, find(mode, name), bytes);
	memcpy(&value, bytes, sizeof(value));
	return value;
}

static int set(int mode, const char *name, uint64_t value)
{
	uint8_t bytes[16] = {0};
	char why[200];

	memcpy(bytes, &value, sizeof(value));
	return state_write(&vcpu, find(mode, name), bytes, why, sizeof(why));
}

static void begin(uint16_t cs, uint16_t ss)
{
	memset(&sregs, 0, sizeof(sregs));
	memset(&regs, 0, sizeof(regs));
	segment_set_real(&sregs.cs, SEGMENT_CS, cs);
	segment_set_real(&sregs.ss, SEGMENT_SS, ss);
	regs.rflags = 2;
}

static void test_real_mode(void)
{
	begin(0x7c0, 0x2000);
	regs.rip = 0xc;
	regs.rsp = 0xabcd1000;
	result(value_of(MODE_16, "eip") == 0x7c0c, "eip is linear");
	result(value_of(MODE_16, "ip") == 0xc, "ip is not");
	result(value_of(MODE_16, "esp") == 0x21000, "esp is linear, and 16 bits of it count");
	result(value_of(MODE_16, "sp16") == 0x1000, "sp16 is not linear");
	result(value_of(MODE_16, "cpu_mode") == 16, "cpu_mode is 16");
	result(!set(MODE_16, "eip", 0x7c31) && regs.rip == 0x31 && vcpu.regs_dirty,
	       "eip is written within its segment");
	result(!set(MODE_16, "esp", 0x20ffe) && regs.rsp == 0xabcd0ffe,
	       "esp is written within its segment, and keeps its upper half");
	result(set(MODE_16, "eip", 0x200000) < 0 && regs.rip == 0x31,
	       "an eip that real mode does not reach is refused");
	result(register_layout(MODE_16)->row[EIP_16]->home == HOME_PC, "register 8 is eip");
}

static void test_parts(void)
{
	begin(0, 0);
	regs.rax = 0x1122334455667788;
	result(value_of(MODE_32, "eax") == 0x55667788, "eax is the low half of rax");
	result(!set(MODE_32, "eax", 0x99aabbcc) && regs.rax == 0x1122334499aabbcc,
	       "writing eax keeps the rest of rax");
	result(set(MODE_16, "eflags", 0x80000002) < 0 && regs.rflags == 2,
	       "eflags has no bit 31");
	result(!set(MODE_16, "eflags", 0x4) && regs.rflags == 6, "bit 1 of eflags stays set");
	result(set(MODE_16, "cpu_mode", 32) < 0, "cpu_mode cannot be written");
	result(set(MODE_16, "cr0", 0x80000000) < 0, "cr0.PG without PE is refused");
	result(set(MODE_16, "cr8", 16) < 0, "a cr8 above 15 is refused");
	result(set(MODE_16, "efer", 0x400) < 0, "efer.LMA alone is refused");
	result(set(MODE_16, "cs", 0x10000) < 0, "a selector has 16 bits");
}

static void test_long_mode(void)
{
	begin(0, 0);
	sregs.efer = EFER_LME | EFER_LMA;
	sregs.cr0 = CR0_PE | CR0_PG;
	sregs.cs.l = 1;
	regs.rip = 0xffffffff80000123;
	result(value_of(MODE_64, "rip") == 0xffffffff80000123, "rip is what it is");
	result(value_of(MODE_64, "cpu_mode") == 64, "cpu_mode is 64");
	result(set(MODE_64, "rip", 0x800000000000) < 0, "a rip that is not canonical is refused");
	result(set(MODE_64, "gs_base", 0x800000000000) < 0, "so is such a base");
	result(value_of(MODE_16, "eip") == 0x80000123, "a client of another layout gets it cut");
}

int main(void)
{
	for (int mode = MODE_16; mode < MODE_COUNT; mode++) {
		test_order(mode);
		test_names(mode);
		test_description(mode);
		test_expedited(mode);
	}
	test_real_mode();
	test_parts();
	test_long_mode();
	return finish();
}
