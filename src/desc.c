#define _GNU_SOURCE
#include "desc.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"

/* Those up to FEATURE_SYSTEM are in the g packet: they cost no system call of their own. */
enum register_feature {
	FEATURE_CORE,
	FEATURE_SSE,
	FEATURE_SEGMENTS,
	FEATURE_SYSTEM,
	FEATURE_TABLES,
	FEATURE_DEBUG,
	FEATURE_AVX,
	FEATURE_AVX512,
	FEATURE_PKEYS,
	FEATURE_MSR,
	FEATURE_COUNT
};

#define M16 (1u << MODE_16)
#define M32 (1u << MODE_32)
#define M64 (1u << MODE_64)
#define LEGACY (M16 | M32)
#define ANY (LEGACY | M64)

#define GENERAL(name_, field, bits_, type_, modes_)                                             \
	{.name = name_, .home = HOME_GENERAL, .index = offsetof(struct kvm_regs, field),        \
	 .bits = bits_, .type = type_, .feature = FEATURE_CORE, .modes = modes_}
#define CORE(name_, home_, index_, bits_, type_, modes_)                                        \
	{.name = name_, .home = home_, .index = index_, .bits = bits_, .type = type_,           \
	 .feature = FEATURE_CORE, .modes = modes_}
#define FLOAT(name_, home_)                                                                     \
	{.name = name_, .home = home_, .bits = 32, .type = "int", .feature = FEATURE_CORE,      \
	 .modes = ANY, .group = "float"}
#define ST(n) CORE("st" #n, HOME_ST, n, 80, "i387_ext", ANY)
#define XMM(n, modes_)                                                                          \
	{.name = "xmm" #n, .home = HOME_XMM, .index = n, .bits = 128, .type = "vec128",         \
	 .feature = FEATURE_SSE, .modes = modes_}
/* lldb goes by the group; gdb's x86 code has its own rules and does not. */
#define OWN(feature_, name_, home_, index_, bits_, type_, modes_)                               \
	{.name = name_, .home = home_, .index = index_, .bits = bits_, .type = type_,           \
	 .feature = feature_, .modes = modes_, .group = "system"}
#define SYSTEM(...) OWN(FEATURE_SYSTEM, __VA_ARGS__)
#define TABLE(name_, home_, index_, bits_, type_)                                               \
	OWN(FEATURE_TABLES, name_, home_, index_, bits_, type_, ANY)
#define DEBUG(name_, home_, index_, bits_, type_)                                               \
	OWN(FEATURE_DEBUG, name_, home_, index_, bits_, type_, ANY)
#define MSR(name_, address) OWN(FEATURE_MSR, name_, HOME_MSR, address, 64, "int64", ANY)

#define XSTATE(feature_, name_, component_, offset, bits_, type_, modes_)                       \
	{.name = name_, .home = HOME_XSTATE, .component = component_, .index = offset,          \
	 .bits = bits_, .type = type_, .feature = feature_, .modes = modes_, .group = "vector"}
#define YMMH(n, modes_)                                                                         \
	XSTATE(FEATURE_AVX, "ymm" #n "h", XSTATE_AVX, 16 * n, 128, "uint128", modes_)
#define K(n) XSTATE(FEATURE_AVX512, "k" #n, XSTATE_OPMASK, 8 * n, 64, "uint64", ANY)
#define ZMMH(n, modes_)                                                                         \
	XSTATE(FEATURE_AVX512, "zmm" #n "h", XSTATE_ZMM_HI256, 32 * n, 256, "v2ui128", modes_)
/* Those from 16 on are in one piece. */
#define HI16(name_, n, offset, bits_, type_)                                                    \
	XSTATE(FEATURE_AVX512, name_, XSTATE_HI16_ZMM, 64 * (n - 16) + offset, bits_, type_, M64)
#define HI16_XMM(n) HI16("xmm" #n, n, 0, 128, "vec128")
#define HI16_YMMH(n) HI16("ymm" #n "h", n, 16, 128, "uint128")
#define HI16_ZMMH(n) HI16("zmm" #n "h", n, 32, 256, "v2ui128")
#define SIXTEEN_TO_31(row)                                                                      \
	row(16), row(17), row(18), row(19), row(20), row(21), row(22), row(23), row(24),        \
		row(25), row(26), row(27), row(28), row(29), row(30), row(31)

/*
 * In the order of gdb's register numbers. The core features' names, sizes and order are gdb's
 * (i386-tdep, "Target Description Standard Features" in the manual). Registers that users put into
 * conditions have integer types, which the debugger can evaluate anywhere; flags are 32 bits wide, since
 * gdb cannot assign to a flags type of 8 bytes. None may be called "pc" or "sp": gdb looks up the
 * target's registers before its own $pc and $sp.
 */
static const struct register_row rows[] = {
	GENERAL("eax", rax, 32, "int32", LEGACY),
	GENERAL("ecx", rcx, 32, "int32", LEGACY),
	GENERAL("edx", rdx, 32, "int32", LEGACY),
	GENERAL("ebx", rbx, 32, "int32", LEGACY),
	CORE("esp", HOME_SP, 0, 32, "data_ptr", LEGACY),
	GENERAL("ebp", rbp, 32, "data_ptr", LEGACY),
	GENERAL("esi", rsi, 32, "int32", LEGACY),
	GENERAL("edi", rdi, 32, "int32", LEGACY),
	CORE("eip", HOME_PC, 0, 32, "code_ptr", LEGACY),

	GENERAL("rax", rax, 64, "int64", M64),
	GENERAL("rbx", rbx, 64, "int64", M64),
	GENERAL("rcx", rcx, 64, "int64", M64),
	GENERAL("rdx", rdx, 64, "int64", M64),
	GENERAL("rsi", rsi, 64, "int64", M64),
	GENERAL("rdi", rdi, 64, "int64", M64),
	GENERAL("rbp", rbp, 64, "data_ptr", M64),
	CORE("rsp", HOME_SP, 0, 64, "data_ptr", M64),
	GENERAL("r8", r8, 64, "int64", M64),
	GENERAL("r9", r9, 64, "int64", M64),
	GENERAL("r10", r10, 64, "int64", M64),
	GENERAL("r11", r11, 64, "int64", M64),
	GENERAL("r12", r12, 64, "int64", M64),
	GENERAL("r13", r13, 64, "int64", M64),
	GENERAL("r14", r14, 64, "int64", M64),
	GENERAL("r15", r15, 64, "int64", M64),
	CORE("rip", HOME_PC, 0, 64, "code_ptr", M64),

	CORE("eflags", HOME_FLAGS, 0, 32, "i386_eflags", ANY),
	CORE("cs", HOME_SELECTOR, SEGMENT_CS, 32, "int32", ANY),
	CORE("ss", HOME_SELECTOR, SEGMENT_SS, 32, "int32", ANY),
	CORE("ds", HOME_SELECTOR, SEGMENT_DS, 32, "int32", ANY),
	CORE("es", HOME_SELECTOR, SEGMENT_ES, 32, "int32", ANY),
	CORE("fs", HOME_SELECTOR, SEGMENT_FS, 32, "int32", ANY),
	CORE("gs", HOME_SELECTOR, SEGMENT_GS, 32, "int32", ANY),
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
	FLOAT("fctrl", HOME_FCTRL),
	FLOAT("fstat", HOME_FSTAT),
	FLOAT("ftag", HOME_FTAG),
	FLOAT("fiseg", HOME_FISEG),
	FLOAT("fioff", HOME_FIOFF),
	FLOAT("foseg", HOME_FOSEG),
	FLOAT("fooff", HOME_FOOFF),
	FLOAT("fop", HOME_FOP),

	XMM(0, ANY), XMM(1, ANY), XMM(2, ANY), XMM(3, ANY),
	XMM(4, ANY), XMM(5, ANY), XMM(6, ANY), XMM(7, ANY),
	XMM(8, M64), XMM(9, M64), XMM(10, M64), XMM(11, M64),
	XMM(12, M64), XMM(13, M64), XMM(14, M64), XMM(15, M64),
	{.name = "mxcsr", .home = HOME_MXCSR, .bits = 32, .type = "int", .feature = FEATURE_SSE,
	 .modes = ANY, .group = "vector"},

	/* gdb 13 aborts on this feature in a 32-bit description. */
	{.name = "fs_base", .home = HOME_BASE, .index = SEGMENT_FS, .bits = 64, .type = "int",
	 .feature = FEATURE_SEGMENTS, .modes = M64},
	{.name = "gs_base", .home = HOME_BASE, .index = SEGMENT_GS, .bits = 64, .type = "int",
	 .feature = FEATURE_SEGMENTS, .modes = M64},

	SYSTEM("ip", HOME_RAW_IP, 0, 16, "uint16", ANY),
	SYSTEM("sp16", HOME_RAW_SP, 0, 16, "uint16", ANY),
	SYSTEM("cs_base", HOME_BASE, SEGMENT_CS, 64, "int64", ANY),
	SYSTEM("ss_base", HOME_BASE, SEGMENT_SS, 64, "int64", ANY),
	SYSTEM("ds_base", HOME_BASE, SEGMENT_DS, 64, "int64", ANY),
	SYSTEM("es_base", HOME_BASE, SEGMENT_ES, 64, "int64", ANY),
	SYSTEM("fs_base", HOME_BASE, SEGMENT_FS, 64, "int64", LEGACY),
	SYSTEM("gs_base", HOME_BASE, SEGMENT_GS, 64, "int64", LEGACY),
	SYSTEM("cr0", HOME_CONTROL, 0, 32, "cr0_t", ANY),
	SYSTEM("cr2", HOME_CONTROL, 2, 64, "int64", ANY),
	SYSTEM("cr3", HOME_CONTROL, 3, 64, "int64", ANY),
	SYSTEM("cr4", HOME_CONTROL, 4, 32, "cr4_t", ANY),
	SYSTEM("cr8", HOME_CONTROL, 8, 64, "int64", ANY),
	SYSTEM("efer", HOME_EFER, 0, 32, "efer_t", ANY),
	SYSTEM("cpu_mode", HOME_MODE, 0, 32, "int32", ANY),

	TABLE("gdt_base", HOME_TABLE_BASE, TABLE_GDT, 64, "int64"),
	TABLE("gdt_limit", HOME_TABLE_LIMIT, TABLE_GDT, 16, "uint16"),
	TABLE("idt_base", HOME_TABLE_BASE, TABLE_IDT, 64, "int64"),
	TABLE("idt_limit", HOME_TABLE_LIMIT, TABLE_IDT, 16, "uint16"),
	TABLE("ldtr", HOME_SELECTOR, SEGMENT_LDTR, 16, "uint16"),
	TABLE("ldtr_base", HOME_BASE, SEGMENT_LDTR, 64, "int64"),
	TABLE("ldtr_limit", HOME_LIMIT, SEGMENT_LDTR, 32, "uint32"),
	TABLE("tr", HOME_SELECTOR, SEGMENT_TR, 16, "uint16"),
	TABLE("tr_base", HOME_BASE, SEGMENT_TR, 64, "int64"),
	TABLE("tr_limit", HOME_LIMIT, SEGMENT_TR, 32, "uint32"),

	DEBUG("xcr0", HOME_XCR0, 0, 32, "xcr0_t"),
	DEBUG("dr0", HOME_DEBUG, 0, 64, "int64"),
	DEBUG("dr1", HOME_DEBUG, 1, 64, "int64"),
	DEBUG("dr2", HOME_DEBUG, 2, 64, "int64"),
	DEBUG("dr3", HOME_DEBUG, 3, 64, "int64"),
	DEBUG("dr6", HOME_DEBUG, 6, 32, "dr6_t"),
	DEBUG("dr7", HOME_DEBUG, 7, 32, "dr7_t"),

	/* gdb makes $ymm0, $zmm0 and so on of these and the XMM registers. */
	YMMH(0, ANY), YMMH(1, ANY), YMMH(2, ANY), YMMH(3, ANY),
	YMMH(4, ANY), YMMH(5, ANY), YMMH(6, ANY), YMMH(7, ANY),
	YMMH(8, M64), YMMH(9, M64), YMMH(10, M64), YMMH(11, M64),
	YMMH(12, M64), YMMH(13, M64), YMMH(14, M64), YMMH(15, M64),
	K(0), K(1), K(2), K(3), K(4), K(5), K(6), K(7),
	ZMMH(0, ANY), ZMMH(1, ANY), ZMMH(2, ANY), ZMMH(3, ANY),
	ZMMH(4, ANY), ZMMH(5, ANY), ZMMH(6, ANY), ZMMH(7, ANY),
	ZMMH(8, M64), ZMMH(9, M64), ZMMH(10, M64), ZMMH(11, M64),
	ZMMH(12, M64), ZMMH(13, M64), ZMMH(14, M64), ZMMH(15, M64),
	SIXTEEN_TO_31(HI16_ZMMH), SIXTEEN_TO_31(HI16_XMM), SIXTEEN_TO_31(HI16_YMMH),
	XSTATE(FEATURE_PKEYS, "pkru", XSTATE_PKRU, 0, 32, "int", ANY),

	/* More of them can follow without another number for any. */
	OWN(FEATURE_MSR, "apic_base", HOME_APIC_BASE, 0, 64, "int64", ANY),
	MSR("tsc", 0x10),
	MSR("sysenter_cs", 0x174),
	MSR("sysenter_esp", 0x175),
	MSR("sysenter_eip", 0x176),
	MSR("misc_enable", 0x1a0),
	MSR("pat", 0x277),
	MSR("mtrr_def_type", 0x2ff),
	MSR("star", 0xc0000081),
	MSR("lstar", 0xc0000082),
	MSR("cstar", 0xc0000083),
	MSR("fmask", 0xc0000084),
	MSR("kernel_gs_base", 0xc0000102),
	MSR("tsc_aux", 0xc0000103),
};

#define ROWS (sizeof(rows) / sizeof(*rows))

_Static_assert(ROWS <= REGISTERS_MAX, "every register has a number");

/* A flags type: the names of its bits, of which gdb prints those that are set. */
struct flags_type {
	const char *id;
	enum register_feature feature;
	uint32_t pairs; /* where a field of two bits begins, which gdb prints as a number */
	struct {
		const char *name;
		int bit;
	} fields[28];
};

static const struct flags_type flags_types[] = {
	{"i386_eflags", FEATURE_CORE, 0,
	 {{"CF", 0}, {"", 1}, {"PF", 2}, {"AF", 4}, {"ZF", 6}, {"SF", 7}, {"TF", 8}, {"IF", 9},
	  {"DF", 10}, {"OF", 11}, {"NT", 14}, {"RF", 16}, {"VM", 17}, {"AC", 18}, {"VIF", 19},
	  {"VIP", 20}, {"ID", 21}}},
	{"cr0_t", FEATURE_SYSTEM, 0,
	 {{"PE", 0}, {"MP", 1}, {"EM", 2}, {"TS", 3}, {"ET", 4}, {"NE", 5}, {"WP", 16}, {"AM", 18},
	  {"NW", 29}, {"CD", 30}, {"PG", 31}}},
	{"cr4_t", FEATURE_SYSTEM, 0,
	 {{"VME", 0}, {"PVI", 1}, {"TSD", 2}, {"DE", 3}, {"PSE", 4}, {"PAE", 5}, {"MCE", 6},
	  {"PGE", 7}, {"PCE", 8}, {"OSFXSR", 9}, {"OSXMMEXCPT", 10}, {"UMIP", 11}, {"LA57", 12},
	  {"VMXE", 13}, {"SMXE", 14}, {"FSGSBASE", 16}, {"PCIDE", 17}, {"OSXSAVE", 18}, {"KL", 19},
	  {"SMEP", 20}, {"SMAP", 21}, {"PKE", 22}, {"CET", 23}, {"PKS", 24}}},
	{"efer_t", FEATURE_SYSTEM, 0,
	 {{"SCE", 0}, {"LME", 8}, {"LMA", 10}, {"NXE", 11}, {"SVME", 12}, {"LMSLE", 13},
	  {"FFXSR", 14}, {"TCE", 15}, {"MCOMMIT", 17}, {"INTWB", 18}, {"UAIE", 20}, {"AIBRSE", 21}}},
	{"xcr0_t", FEATURE_DEBUG, 0,
	 {{"X87", 0}, {"SSE", 1}, {"AVX", 2}, {"BNDREGS", 3}, {"BNDCSR", 4}, {"OPMASK", 5},
	  {"ZMM_HI256", 6}, {"HI16_ZMM", 7}, {"PKRU", 9}, {"TILECFG", 17}, {"TILEDATA", 18}}},
	{"dr6_t", FEATURE_DEBUG, 0,
	 {{"B0", 0}, {"B1", 1}, {"B2", 2}, {"B3", 3}, {"BD", 13}, {"BS", 14}, {"BT", 15}}},
	{"dr7_t", FEATURE_DEBUG, 0x55550000,
	 {{"L0", 0}, {"G0", 1}, {"L1", 2}, {"G1", 3}, {"L2", 4}, {"G2", 5}, {"L3", 6}, {"G3", 7},
	  {"LE", 8}, {"GE", 9}, {"RTM", 11}, {"GD", 13}, {"RW0", 16}, {"LEN0", 18},
	  {"RW1", 20}, {"LEN1", 22}, {"RW2", 24}, {"LEN2", 26}, {"RW3", 28},
	  {"LEN3", 30}}},
};

/* The union by which gdb shows a vector register. */
static const struct {
	const char *id, *type;
	int count;
	const char *field;
} vectors[] = {
	{"v4f", "ieee_single", 4, "v4_float"}, {"v2d", "ieee_double", 2, "v2_double"},
	{"v16i8", "int8", 16, "v16_int8"},     {"v8i16", "int16", 8, "v8_int16"},
	{"v4i32", "int32", 4, "v4_int32"},     {"v2i64", "int64", 2, "v2_int64"},
};

static const char *const feature_names[FEATURE_COUNT] = {
	[FEATURE_CORE] = "org.gnu.gdb.i386.core",
	[FEATURE_SSE] = "org.gnu.gdb.i386.sse",
	[FEATURE_SEGMENTS] = "org.gnu.gdb.i386.segments",
	[FEATURE_SYSTEM] = "org.kvm.x86.sys",
	[FEATURE_TABLES] = "org.kvm.x86.tables",
	[FEATURE_DEBUG] = "org.kvm.x86.debug",
	[FEATURE_AVX] = "org.gnu.gdb.i386.avx",
	[FEATURE_AVX512] = "org.gnu.gdb.i386.avx512",
	[FEATURE_PKEYS] = "org.gnu.gdb.i386.pkeys",
	[FEATURE_MSR] = "org.kvm.x86.msr",
};

/*
 * gdb takes a description whose architecture is compatible with the one that it has from a file; the
 * others are named so that a file of another mode does not make it refuse the description.
 */
static const struct {
	const char *architecture, *compatible[2];
} architectures[MODE_COUNT] = {
	[MODE_16] = {"i8086", {"i386:x86-64", NULL}},
	[MODE_32] = {"i386", {"i386:x86-64", NULL}},
	[MODE_64] = {"i386:x86-64", {"i386", "i8086"}},
};

/* Of those that not every host has; unknown until has_row() is asked about one. */
static bool chosen[ROWS], is_chosen;
static bool (*has_row)(void *context, const struct register_row *row);
static void *has_row_context;
static struct register_layout layouts[REGISTER_LAYOUTS];
static char descriptions[REGISTER_LAYOUTS][32768];
static bool is_described[REGISTER_LAYOUTS];

/* Whether every host has it. */
static bool is_everywhere(const struct register_row *row)
{
	return row->feature <= FEATURE_TABLES || row->home == HOME_APIC_BASE;
}

void registers_choose(bool (*has)(void *context, const struct register_row *row), void *context)
{
	has_row = has;
	has_row_context = context;
	is_chosen = false;
	memset(is_described, 0, sizeof(is_described));
}

static bool is_served(const struct register_row *row)
{
	if (is_everywhere(row))
		return true;
	for (size_t i = 0; i < ROWS && !is_chosen; i++)
		chosen[i] = has_row && !is_everywhere(&rows[i]) && has_row(has_row_context, &rows[i]);
	is_chosen = true;
	return chosen[row - rows];
}

static bool is_in_set(const struct register_row *row, int set)
{
	switch (row->feature) {
	case FEATURE_SYSTEM:
	case FEATURE_TABLES:
	case FEATURE_DEBUG:
		return set != REGISTERS_CORE;
	case FEATURE_MSR:
		return set == REGISTERS_ALL;
	default:
		return true;
	}
}

const struct register_layout *register_layout(int layout)
{
	struct register_layout *l = &layouts[layout];
	int expedited = 0;

	if (l->count)
		return l;
	for (size_t i = 0; i < ROWS; i++) {
		const struct register_row *row = &rows[i];
		int number = l->count;

		if (!(row->modes & 1u << layout % MODE_COUNT))
			continue;
		l->count++;
		if (!is_in_set(row, layout / MODE_COUNT))
			continue;
		/* What gdb asks for at every stop: with them in the reply it asks for nothing. */
		if (row->home == HOME_PC || row->home == HOME_SP ||
		    (row->home == HOME_GENERAL && row->index == offsetof(struct kvm_regs, rbp)))
			l->expedited[expedited++] = number;
		if (row->feature <= FEATURE_SYSTEM) {
			l->block_count = l->count;
			l->size += row->bits / 8;
		}
		l->row[number] = row;
	}
	l->expedited[expedited] = -1;
	return l;
}

const struct register_row *register_row(int layout, int number)
{
	const struct register_layout *l = register_layout(layout);
	const struct register_row *row = number >= 0 && number < l->count ? l->row[number] : NULL;

	return row && is_served(row) ? row : NULL;
}

struct text {
	char *at;
	size_t left;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->at, text->left, format, args);
	va_end(args);
	if (len > 0 && (size_t)len < text->left) {
		text->at += len;
		text->left -= (size_t)len;
	}
}

static void add_flags(struct text *text, const struct flags_type *type)
{
	add(text, "<flags id=\"%s\" size=\"4\">", type->id);
	for (size_t i = 0; type->fields[i].name; i++)
		add(text, "<field name=\"%s\" start=\"%d\" end=\"%d\"/>", type->fields[i].name,
		    type->fields[i].bit,
		    type->fields[i].bit + (int)(type->pairs >> type->fields[i].bit & 1));
	add(text, "</flags>\n");
}

static void add_vectors(struct text *text)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		add(text, "<vector id=\"%s\" type=\"%s\" count=\"%d\"/>", vectors[i].id,
		    vectors[i].type, vectors[i].count);
	add(text, "\n<union id=\"vec128\">");
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		add(text, "<field name=\"%s\" type=\"%s\"/>", vectors[i].field, vectors[i].id);
	add(text, "<field name=\"uint128\" type=\"uint128\"/></union>\n");
}

/* Each feature has types of its own. */
static void add_types(struct text *text, int feature)
{
	for (size_t i = 0; i < sizeof(flags_types) / sizeof(*flags_types); i++) {
		if ((int)flags_types[i].feature == feature)
			add_flags(text, &flags_types[i]);
	}
	if (feature == FEATURE_SSE || feature == FEATURE_AVX512)
		add_vectors(text);
	if (feature == FEATURE_AVX512)
		add(text, "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n");
}

static void add_feature(struct text *text, int layout, int feature)
{
	int count = register_layout(layout)->count;
	bool begun = false;

	for (int number = 0; number < count; number++) {
		const struct register_row *row = register_row(layout, number);

		if (!row || (int)row->feature != feature)
			continue;
		if (!begun) {
			add(text, "<feature name=\"%s\">\n", feature_names[feature]);
			add_types(text, feature);
			begun = true;
		}
		add(text, "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\" regnum=\"%d\"", row->name,
		    row->bits, row->type, number);
		if (row->group)
			add(text, " group=\"%s\"", row->group);
		add(text, "/>\n");
	}
	if (begun)
		add(text, "</feature>\n");
}

const char *register_description(int layout)
{
	struct text text = {descriptions[layout], sizeof(descriptions[layout])};

	if (is_described[layout])
		return descriptions[layout];
	is_described[layout] = true;
	add(&text, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
		   "<target version=\"1.0\">\n<architecture>%s</architecture>\n"
		   "<osabi>none</osabi>\n", /* any other text makes gdb warn of an unknown OS ABI */
	    architectures[layout % MODE_COUNT].architecture);
	for (size_t i = 0; i < 2 && architectures[layout % MODE_COUNT].compatible[i]; i++)
		add(&text, "<compatible>%s</compatible>\n", architectures[layout % MODE_COUNT].compatible[i]);
	for (int feature = 0; feature < FEATURE_COUNT; feature++)
		add_feature(&text, layout, feature);
	add(&text, "</target>\n");
	return descriptions[layout];
}
