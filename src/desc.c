#define _GNU_SOURCE
#include "desc.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"

enum register_feature { FEATURE_CORE, FEATURE_SSE, FEATURE_SEGMENTS, FEATURE_SYSTEM, FEATURE_COUNT };

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
#define SYSTEM(name_, home_, index_, bits_, type_, modes_)                                      \
	{.name = name_, .home = home_, .index = index_, .bits = bits_, .type = type_,           \
	 .feature = FEATURE_SYSTEM, .modes = modes_}

/*
 * In the order of gdb's register numbers. The core features' names, sizes and order are gdb's
 * (i386-tdep, "Target Description Standard Features" in the manual). Registers that users put into
 * conditions have integer types, which the debugger can evaluate anywhere; CR0 is 32 bits wide, since
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
	SYSTEM("cr4", HOME_CONTROL, 4, 32, "int32", ANY),
	SYSTEM("cr8", HOME_CONTROL, 8, 64, "int64", ANY),
	SYSTEM("efer", HOME_EFER, 0, 32, "int32", ANY),
	SYSTEM("cpu_mode", HOME_MODE, 0, 32, "int32", ANY),
};

/* A flags type: the names of its bits. gdb prints the ones that are set. */
struct flags_type {
	const char *id;
	struct {
		const char *name;
		int bit;
	} fields[20];
};

static const struct flags_type eflags = {
	"i386_eflags",
	{{"CF", 0}, {"", 1}, {"PF", 2}, {"AF", 4}, {"ZF", 6}, {"SF", 7}, {"TF", 8}, {"IF", 9},
	 {"DF", 10}, {"OF", 11}, {"NT", 14}, {"RF", 16}, {"VM", 17}, {"AC", 18}, {"VIF", 19},
	 {"VIP", 20}, {"ID", 21}}};

static const struct flags_type cr0 = {
	"cr0_t",
	{{"PE", 0}, {"MP", 1}, {"EM", 2}, {"TS", 3}, {"ET", 4}, {"NE", 5}, {"WP", 16}, {"AM", 18},
	 {"NW", 29}, {"CD", 30}, {"PG", 31}}};

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

static struct register_layout layouts[MODE_COUNT];
static char descriptions[MODE_COUNT][8192];

const struct register_layout *register_layout(int layout)
{
	struct register_layout *l = &layouts[layout];
	int expedited = 0;

	if (l->count)
		return l;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct register_row *row = &rows[i];

		if (!(row->modes & 1u << layout))
			continue;
		/* What gdb asks for at every stop: with them in the reply it asks for nothing. */
		if (row->home == HOME_PC || row->home == HOME_SP ||
		    (row->home == HOME_GENERAL && row->index == offsetof(struct kvm_regs, rbp)))
			l->expedited[expedited++] = l->count;
		l->size += row->bits / 8;
		l->row[l->count++] = row;
	}
	l->expedited[expedited] = -1;
	return l;
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
		    type->fields[i].bit, type->fields[i].bit);
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

static void add_feature(struct text *text, const struct register_layout *l, int feature)
{
	bool begun = false;

	for (int number = 0; number < l->count; number++) {
		const struct register_row *row = l->row[number];

		if (row->feature != feature)
			continue;
		if (!begun) {
			add(text, "<feature name=\"%s\">\n", feature_names[feature]);
			if (feature == FEATURE_CORE)
				add_flags(text, &eflags);
			if (feature == FEATURE_SSE)
				add_vectors(text);
			if (feature == FEATURE_SYSTEM)
				add_flags(text, &cr0);
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
	const struct register_layout *l = register_layout(layout);
	struct text text = {descriptions[layout], sizeof(descriptions[layout])};

	if (*descriptions[layout])
		return descriptions[layout];
	add(&text, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
		   "<target version=\"1.0\">\n<architecture>%s</architecture>\n"
		   "<osabi>none</osabi>\n", /* any other text makes gdb warn of an unknown OS ABI */
	    architectures[layout].architecture);
	for (size_t i = 0; i < 2 && architectures[layout].compatible[i]; i++)
		add(&text, "<compatible>%s</compatible>\n", architectures[layout].compatible[i]);
	for (int feature = 0; feature < FEATURE_COUNT; feature++)
		add_feature(&text, l, feature);
	add(&text, "</target>\n");
	return descriptions[layout];
}
