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

static const char *const layout_names[REGISTER_LAYOUTS] = {
	"16-bit", "32-bit", "64-bit",
	"16-bit, system", "32-bit, system", "64-bit, system",
	"16-bit, core",	  "32-bit, core",   "64-bit, core"};

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

/*
 * Their sizes and types, with those of the system registers that every layout has. What users put into
 * conditions is an integer; the flags types have 32 bits, for gdb cannot assign to a longer one.
 */
static const char types_legacy[] =
	"eax:32:int32 ecx:32:int32 edx:32:int32 ebx:32:int32 esp:32:data_ptr ebp:32:data_ptr "
	"esi:32:int32 edi:32:int32 eip:32:code_ptr ";
static const char types_64[] =
	"rax:64:int64 rbx:64:int64 rcx:64:int64 rdx:64:int64 rsi:64:int64 rdi:64:int64 "
	"rbp:64:data_ptr rsp:64:data_ptr r8:64:int64 r9:64:int64 r10:64:int64 r11:64:int64 "
	"r12:64:int64 r13:64:int64 r14:64:int64 r15:64:int64 rip:64:code_ptr ";
static const char types_any[] =
	"eflags:32:i386_eflags cs:32:int32 ss:32:int32 ds:32:int32 es:32:int32 fs:32:int32 gs:32:int32 "
	"st0:80:i387_ext st7:80:i387_ext fctrl:32:int fstat:32:int ftag:32:int fiseg:32:int "
	"fioff:32:int foseg:32:int fooff:32:int fop:32:int xmm0:128:vec128 xmm7:128:vec128 mxcsr:32:int ";
static const char types_system[] =
	"ip:16:uint16 sp16:16:uint16 cs_base:64:int64 ss_base:64:int64 ds_base:64:int64 es_base:64:int64 "
	"cr0:32:cr0_t cr2:64:int64 cr3:64:int64 cr4:32:cr4_t cr8:64:int64 efer:32:efer_t cpu_mode:32:int32 ";

/*
 * How each description begins: other text than "none" is an OS ABI that gdb does not know, and without
 * the compatible architectures it refuses the description when it was given a file, or told another one.
 */
static const char *const heads[MODE_COUNT] = {
	[MODE_16] = "<architecture>i8086</architecture>\n<osabi>none</osabi>\n"
		    "<compatible>i386:x86-64</compatible>\n<feature name=\"org.gnu.gdb.i386.core\">\n",
	[MODE_32] = "<architecture>i386</architecture>\n<osabi>none</osabi>\n"
		    "<compatible>i386:x86-64</compatible>\n<feature name=\"org.gnu.gdb.i386.core\">\n",
	[MODE_64] = "<architecture>i386:x86-64</architecture>\n<osabi>none</osabi>\n"
		    "<compatible>i386</compatible>\n<compatible>i8086</compatible>\n"
		    "<feature name=\"org.gnu.gdb.i386.core\">\n"};

/* A host that has everything. */
static bool has(void *context, const struct register_row *row)
{
	(void)context;
	(void)row;
	return true;
}

/* One that has what its context names the components of, and no model-specific register. */
static bool has_components(void *context, const struct register_row *row)
{
	const unsigned int *components = context;

	return row->home != HOME_MSR && row->home != HOME_DEBUG && row->home != HOME_XCR0 &&
	       (row->home != HOME_XSTATE || *components >> row->component & 1);
}

static void test_order(int layout)
{
	const char *expected = layout % MODE_COUNT == MODE_64 ? core_64 : core_legacy;
	const struct register_layout *l = register_layout(layout);
	char names[1024] = "";

	for (int i = 0; i < l->count && strlen(names) < strlen(expected) && register_row(layout, i); i++) {
		strcat(names, register_row(layout, i)->name);
		strcat(names, " ");
	}
	if (!result(!strcmp(names, expected), "%s: gdb's registers come first, in gdb's order",
		    layout_names[layout]))
		comment("%s", names);
}

/* "name:bits:type " for each register of a list is in the description so. */
static bool has_types(const char *text, const char *list)
{
	char name[20], type[20], reg[160];
	bool all = true;
	int bits, len;

	for (; sscanf(list, "%19[^:]:%d:%19s %n", name, &bits, type, &len) == 3; list += len) {
		snprintf(reg, sizeof(reg), "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\" ", name, bits, type);
		if (strstr(text, reg))
			continue;
		comment("expected %s", reg);
		all = false;
	}
	return all && !*list;
}

static void test_text(int layout)
{
	const char *text = register_description(layout), *head = heads[layout % MODE_COUNT];
	const char *types = layout % MODE_COUNT == MODE_64 ? types_64 : types_legacy;
	const char *begin = strstr(text, "<architecture>");
	bool typed = has_types(text, types) && has_types(text, types_any);

	result(begin && !strncmp(begin, head, strlen(head)), "%s: the architecture and what else gdb takes",
	       layout_names[layout]);
	if (layout / MODE_COUNT != REGISTERS_CORE)
		typed &= has_types(text, types_system);
	result(typed, "%s: sizes and types that gdb can work with", layout_names[layout]);
}

static void test_names(int layout)
{
	const struct register_layout *l = register_layout(layout);
	bool unique = true, free_names = true;

	for (int i = 0; i < l->count; i++) {
		if (!register_row(layout, i))
			continue;
		for (int j = 0; j < i; j++)
			unique &= !register_row(layout, j) || strcmp(register_row(layout, i)->name, register_row(layout, j)->name) != 0;
		free_names &= strcmp(register_row(layout, i)->name, "pc") && strcmp(register_row(layout, i)->name, "sp");
	}
	result(unique, "%s: no name stands twice", layout_names[layout]);
	result(free_names, "%s: $pc and $sp are left to gdb", layout_names[layout]);
}

static int count_of(const char *text, const char *word)
{
	int n = 0;

	while ((text = strstr(text, word)) != NULL) {
		text += strlen(word);
		n++;
	}
	return n;
}

/* The text has a <reg> for each row and no other, with its number and size. */
static void test_description(int layout)
{
	const struct register_layout *l = register_layout(layout);
	const char *text = register_description(layout);
	size_t size = 0;
	bool same = true;
	int n = 0;

	for (int i = 0; i < l->count; i++) {
		char reg[160];

		if (!register_row(layout, i))
			continue;
		n++;
		snprintf(reg, sizeof(reg), "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\" regnum=\"%d\"",
			 register_row(layout, i)->name, register_row(layout, i)->bits, register_row(layout, i)->type, i);
		if (count_of(text, reg) != 1) {
			comment("expected %s", reg);
			same = false;
		}
		same &= register_row(layout, i)->bits / 8 <= REGISTER_SIZE_MAX;
		if (i < l->block_count)
			size += register_row(layout, i)->bits / 8;
	}
	result(same && n == count_of(text, "<reg "),
	       "%s: the description has the table's registers", layout_names[layout]);
	result(count_of(text, "<feature ") == count_of(text, "</feature>") &&
		       strstr(text, "<osabi>none</osabi>") && strstr(text, "</target>\n"),
	       "%s: the description is whole and has no OS ABI", layout_names[layout]);
	result(size == l->size && size <= REGISTER_BLOCK_MAX, "%s: the g packet has the first of them",
	       layout_names[layout]);
	result(!strstr(text, "org.gnu.gdb.i386.segments") == (layout % MODE_COUNT != MODE_64),
	       "%s: the segments feature is there in 64-bit mode only", layout_names[layout]);
}

/* In the part of the text that is feature `name`, each type is gdb's own or stands before its use. */
static void test_types(int layout)
{
	static const char *const known[] = {"int", "int32", "int64", "uint16", "uint32", "uint64",
					    "uint128", "data_ptr", "code_ptr", "i387_ext", NULL};
	const struct register_layout *l = register_layout(layout);
	bool good = true;

	for (int i = 0; i < l->count; i++) {
		const char *text = register_description(layout), *feature = NULL, *at;
		char reg[80], id[40];
		bool ok = false;

		if (!register_row(layout, i))
			continue;
		for (const char *const *type = known; *type; type++)
			ok |= !strcmp(*type, register_row(layout, i)->type);
		snprintf(reg, sizeof(reg), "<reg name=\"%s\" ", register_row(layout, i)->name);
		snprintf(id, sizeof(id), "id=\"%s\"", register_row(layout, i)->type);
		at = strstr(text, reg);
		for (const char *p = text; at && (p = strstr(p, "<feature ")) != NULL && p < at; p++)
			feature = p;
		feature = feature ? strstr(feature, id) : NULL;
		if (!ok && !(feature && feature < at)) {
			comment("%s has an unknown type", register_row(layout, i)->name);
			good = false;
		}
	}
	result(good, "%s: every type is known", layout_names[layout]);
}

/* What the g packet has costs nothing but the read of the x87 and SSE registers. */
static void test_block(int layout)
{
	const struct register_layout *l = register_layout(layout);
	bool cheap = true, whole = true;

	for (int i = 0; i < l->block_count; i++) {
		const struct register_row *row = register_row(layout, i);

		whole &= row != NULL;
		cheap &= row && row->home != HOME_MSR && row->home != HOME_DEBUG && row->home != HOME_XCR0;
	}
	result(whole, "%s: the g packet has no holes", layout_names[layout]);
	result(cheap, "%s: nothing in it is asked of KVM by itself", layout_names[layout]);
}

/* A client of fewer registers knows them by the same numbers, as does one on another host. */
static void test_numbers(int layout)
{
	const struct register_layout *all = register_layout(layout % MODE_COUNT);
	const struct register_layout *l = register_layout(layout);
	bool same = l->count == all->count;

	for (int i = 0; i < l->count; i++)
		same &= !register_row(layout, i) || register_row(layout, i) == register_row(layout % MODE_COUNT, i);
	result(same, "%s: the numbers are those of the whole", layout_names[layout]);
}

static void test_expedited(int layout)
{
	const struct register_layout *l = register_layout(layout);
	bool pc = false, sp = false;
	int n = 0;

	for (; l->expedited[n] >= 0; n++) {
		pc |= register_row(layout, l->expedited[n])->home == HOME_PC;
		sp |= register_row(layout, l->expedited[n])->home == HOME_SP;
	}
	result(n == 3 && pc && sp, "%s: pc, sp and the frame pointer are sent with a stop",
	       layout_names[layout]);
}

static bool has_feature(int layout, const char *name)
{
	char text[80];

	snprintf(text, sizeof(text), "<feature name=\"%s\">", name);
	return strstr(register_description(layout), text) != NULL;
}

static void test_sets(void)
{
	static const struct {
		const char *feature;
		int first_without; /* enum register_set */
	} features[] = {
		{"org.gnu.gdb.i386.core", REGISTERS_SETS},   {"org.gnu.gdb.i386.sse", REGISTERS_SETS},
		{"org.gnu.gdb.i386.avx", REGISTERS_SETS},    {"org.gnu.gdb.i386.avx512", REGISTERS_SETS},
		{"org.gnu.gdb.i386.pkeys", REGISTERS_SETS},  {"org.kvm.x86.sys", REGISTERS_CORE},
		{"org.kvm.x86.tables", REGISTERS_CORE},	     {"org.kvm.x86.debug", REGISTERS_CORE},
		{"org.kvm.x86.msr", REGISTERS_SYSTEM},
	};

	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
		bool right = true;

		for (int layout = 0; layout < REGISTER_LAYOUTS; layout++)
			right &= has_feature(layout, features[i].feature) ==
				 (layout / MODE_COUNT < features[i].first_without);
		result(right, "%s is in the sets that it belongs to", features[i].feature);
	}
	/* What a gdb without a description expects. */
	result(register_layout(MODE_16 + MODE_COUNT * REGISTERS_CORE)->size == 308 &&
		       register_layout(MODE_64 + MODE_COUNT * REGISTERS_CORE)->size == 552,
	       "the core set's g packet is gdb's own");
}

/* A host without AVX, with it, and with AVX-512. */
static void test_hosts(void)
{
	const int avx512 = 1 << XSTATE_OPMASK | 1 << XSTATE_ZMM_HI256 | 1 << XSTATE_HI16_ZMM;
	unsigned int components = 0;
	int lstar = 0;

	while (strcmp(register_row(MODE_64, lstar)->name, "lstar"))
		lstar++;
	registers_choose(has_components, &components);
	result(!has_feature(MODE_64, "org.gnu.gdb.i386.avx") &&
		       !has_feature(MODE_64, "org.kvm.x86.debug"),
	       "nothing is described that the host lacks");
	result(strstr(register_description(MODE_64), "\"apic_base\"") && !register_row(MODE_64, lstar),
	       "a register that it lacks has no row");
	components = 1 << XSTATE_AVX;
	registers_choose(has_components, &components);
	result(has_feature(MODE_64, "org.gnu.gdb.i386.avx") &&
		       !has_feature(MODE_64, "org.gnu.gdb.i386.avx512"),
	       "AVX without AVX-512");
	components |= (unsigned int)avx512;
	registers_choose(has_components, &components);
	result(has_feature(MODE_64, "org.gnu.gdb.i386.avx512"), "AVX-512");
	registers_choose(has, NULL);
	result(!strcmp(register_row(MODE_64, lstar)->name, "lstar"),
	       "a register's number does not depend on the host");
}

/* In the vCPU: components that its CPUID has. */
static void test_components(void)
{
	const struct register_layout *l = register_layout(MODE_64);
	uint32_t *offset = vcpu.xstate_offset;
	int avx512 = 0, avx = 0, mixed = 0;

	for (int round = 0; round < 3; round++) {
		offset[XSTATE_AVX] = round > 0 ? 576 : 0;
		offset[XSTATE_OPMASK] = 832;
		offset[XSTATE_ZMM_HI256] = 896;
		offset[XSTATE_HI16_ZMM] = round != 1 ? 1408 : 0;
		vcpu.fpu_valid = vcpu.has_features = true;
		for (int i = 0; i < l->count; i++) {
			const struct register_row *row = register_row(MODE_64, i);

			if (!row || row->home != HOME_XSTATE || row->component == XSTATE_PKRU || !state_has(&vcpu, row))
				continue;
			avx += row->component == XSTATE_AVX && round;
			avx512 += row->component != XSTATE_AVX && round == 2;
			mixed += round == 0 || (row->component != XSTATE_AVX && round < 2);
		}
	}
	result(avx == 2 * 16 && avx512 == 8 + 32 + 16 + 16, "components of the CPU make registers");
	result(!mixed, "AVX-512 is there as a whole or not at all");
	memset(offset, 0, sizeof(vcpu.xstate_offset));
}

static const struct register_row *find(int mode, const char *name)
{
	const struct register_layout *l = register_layout(mode);

	for (int i = 0; i < l->count; i++) {
		if (register_row(mode, i) && !strcmp(register_row(mode, i)->name, name))
			return register_row(mode, i);
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
	char why[200] = "";

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
	result(set(MODE_16, "tr", 8) < 0 && set(MODE_16, "ldtr", 8) < 0,
	       "real mode has no task and no LDT to be loaded");
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
	static uint8_t area[4096];

	vcpu.xsave = area;
	vcpu.xsave_size = sizeof(area);
	registers_choose(has, NULL);
	for (int layout = 0; layout < REGISTER_LAYOUTS; layout++) {
		test_order(layout);
		test_names(layout);
		test_text(layout);
		test_description(layout);
		test_types(layout);
		test_block(layout);
		test_numbers(layout);
		test_expedited(layout);
	}
	test_sets();
	test_hosts();
	test_components();
	test_real_mode();
	test_parts();
	test_long_mode();
	return finish();
}
