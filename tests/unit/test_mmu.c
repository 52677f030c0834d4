/*
 * The page walk of src/mmu.c, against tables written by hand and, at random, against a second
 * implementation. Nothing but the encodings of the manual is shared with the code under test.
 */
#include "mmu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Control registers. */
#define PG UINT64_C(0x80000000)
#define PSE UINT64_C(0x10)
#define PAE UINT64_C(0x20)
#define LA57 UINT64_C(0x1000)
#define LME UINT64_C(0x100)
#define LMA UINT64_C(0x400)
#define NXE UINT64_C(0x800)

/* Entries. */
#define P UINT64_C(0x1)
#define W UINT64_C(0x2)
#define U UINT64_C(0x4)
#define A UINT64_C(0x20)
#define PS UINT64_C(0x80)
#define NX UINT64_C(0x8000000000000000)

/* ------------------------------------------------------------------- memory */

/*
 * 64 KiB from 0 up, the last page below 4 GiB and the last page below 2^52. A host address is odd
 * on purpose: an entry read other than with memcpy is then seen by UndefinedBehaviorSanitizer.
 */
#define PAGE UINT64_C(0x1000)
#define LOW_SIZE UINT64_C(0x10000)
#define MIDDLE UINT64_C(0xfffff000)
#define HIGH UINT64_C(0xffffffffff000)

static const struct region {
	uint64_t start, size, offset;
} regions[] = {
	{ 0, LOW_SIZE, 1 },
	{ MIDDLE, PAGE, LOW_SIZE + 1 },
	{ HIGH, PAGE, LOW_SIZE + PAGE + 1 },
};

static uint8_t memory[LOW_SIZE + 2 * PAGE + 1];
static int cookie;
static unsigned int reads, bad_reads;

static uint8_t *locate(uint64_t gpa, uint64_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		const struct region *region = &regions[i];

		if (gpa >= region->start && gpa - region->start < region->size &&
		    region->size - (gpa - region->start) >= len)
			return memory + region->offset + (gpa - region->start);
	}
	return NULL;
}

/* What the code under test is given: it also watches what it is asked. */
static const void *physical(void *opaque, uint64_t gpa, size_t len)
{
	reads++;
	if (opaque != &cookie || (len != 4 && len != 8) || gpa % len || gpa >> 52)
		bad_reads++;
	return locate(gpa, len);
}

static void put(uint64_t gpa, unsigned int size, uint64_t value)
{
	uint8_t *to = locate(gpa, size);

	if (!to) {
		comment("the test writes outside its memory, at 0x%" PRIx64, gpa);
		exit(1);
	}
	for (unsigned int i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static void clear(void)
{
	memset(memory, 0, sizeof(memory));
}

static struct mmu mmu_with(uint64_t cr0, uint64_t cr3, uint64_t cr4, uint64_t efer)
{
	struct mmu mmu = {
		.cr0 = cr0,
		.cr3 = cr3,
		.cr4 = cr4,
		.efer = efer,
		.physical = physical,
		.opaque = &cookie,
	};

	return mmu;
}

/* ------------------------------------------------------- one translation each */

/* `rights`: any of "w", "u" and "x", in this order. */
static bool is_page(const struct mmu_page *page, uint64_t gpa, uint64_t left, const char *rights)
{
	return page->gpa == gpa && page->left == left && page->writable == !!strchr(rights, 'w') &&
	       page->user == !!strchr(rights, 'u') && page->executable == !!strchr(rights, 'x');
}

static void comment_result(int error, const struct mmu_page *page, const char *why)
{
	comment("got %d, 0x%" PRIx64 ", left 0x%" PRIx64 ", %s%s%s, \"%s\"", error, page->gpa,
		page->left, page->writable ? "w" : "-", page->user ? "u" : "-",
		page->executable ? "x" : "-", why);
}

static bool is_same(const struct mmu_page *a, const struct mmu_page *b)
{
	return a->gpa == b->gpa && a->left == b->left && a->writable == b->writable &&
	       a->user == b->user && a->executable == b->executable && a->accessed == b->accessed;
}

static const struct mmu_page untouched = { UINT64_C(0xa5a5a5a5a5a5), 0x5a5a, true, false, true, false };

static void maps(const struct mmu *mmu, uint64_t linear, uint64_t gpa, uint64_t left,
		 const char *rights, const char *name)
{
	struct mmu_page page = untouched;
	char why[256] = "untouched";
	int error = mmu_translate(mmu, linear, &page, why, sizeof(why));

	if (!result(error == 0 && is_page(&page, gpa, left, rights) && !strcmp(why, "untouched"),
		    "%s", name))
		comment_result(error, &page, why);
}

static void fails(const struct mmu *mmu, uint64_t linear, const char *sentence, const char *name)
{
	struct mmu_page page = untouched;
	char why[256] = "untouched";
	int error = mmu_translate(mmu, linear, &page, why, sizeof(why));

	if (!result(error == -EFAULT && is_same(&page, &untouched) && !strcmp(why, sentence), "%s",
		    name))
		comment_result(error, &page, why);
}

/* --------------------------------------------------------------------- modes */

static void test_modes(void)
{
	static const struct {
		uint64_t cr0, cr4, efer;
		enum mmu_mode mode;
		const char *what;
	} cases[] = {
		{ 0, 0, 0, MMU_NONE, "all clear" },
		{ 1, PAE | PSE | LA57, LME | NXE, MMU_NONE, "PG clear, the rest prepared" },
		{ PG | 1, 0, 0, MMU_32, "PG" },
		{ PG | 1, PSE, 0, MMU_32, "PG and PSE" },
		{ PG | 1, LA57, NXE, MMU_32, "PG, LA57 without PAE" },
		{ PG | 1, PAE, 0, MMU_PAE, "PG and PAE" },
		{ PG | 1, PAE | LA57, NXE, MMU_PAE, "PG, PAE and LA57 without long mode" },
		{ PG | 1, PAE, LME, MMU_PAE, "LME alone is not long mode" },
		{ PG | 1, PAE, LME | LMA, MMU_4LEVEL, "long mode" },
		{ PG | 1, PAE | LA57, LME | LMA, MMU_5LEVEL, "long mode and LA57" },
	};
	static const char *const names[] = { "no paging", "32-bit paging", "PAE paging",
					     "4-level paging", "5-level paging" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mmu mmu = mmu_with(cases[i].cr0, 0, cases[i].cr4, cases[i].efer);

		result(mmu_mode(&mmu) == cases[i].mode, "mode: %s", cases[i].what);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		result(!strcmp(mmu_mode_name((enum mmu_mode)i), names[i]), "name: %s", names[i]);
}

/* ------------------------------------------------------------------ no paging */

static void test_none(void)
{
	struct mmu mmu = mmu_with(1, 0xdeadbeef, PAE | LA57, LME);

	reads = 0;
	maps(&mmu, 0, 0, 0x100000000, "wux", "no paging: 0");
	maps(&mmu, 0x7c00, 0x7c00, 0xffff8400, "wux", "no paging: identity");
	maps(&mmu, 0xffffffff, 0xffffffff, 1, "wux", "no paging: the last byte");
	fails(&mmu, 0x100000000,
	      "0x100000000 is beyond the 32 bits of a linear address with no paging",
	      "no paging: 4 GiB");
	fails(&mmu, UINT64_MAX,
	      "0xffffffffffffffff is beyond the 32 bits of a linear address with no paging",
	      "no paging: -1");
	result(reads == 0, "no paging: reads no memory");
}

/* -------------------------------------------------------- every kind of page */

/*
 * One page of each mode and size, with a chain of tables that leads to it. Each level's index is
 * different from the others', written here by hand, and so is the linear address that they make.
 */
#define MAX_DEPTH 5
#define LINEAR_32 0xa9115678
#define LINEAR_PAE 0x84815678
#define LINEAR_4LEVEL 0xffffc110c4815678
#define LINEAR_5LEVEL 0xff014110c4815678

/* clang-format off */
static const struct shape {
	const char *name;
	enum mmu_mode mode;
	uint64_t cr4, efer, cr3;
	unsigned int size;  /* of an entry */
	unsigned int depth; /* entries on the way */
	uint64_t linear;
	uint64_t index[MAX_DEPTH];
	bool large;
	uint64_t frame;	    /* what the last entry holds as address */
	uint64_t length;    /* of the page */
	uint64_t gpa;	    /* where the linear address then is */
	uint64_t left;
	uint64_t last;	    /* linear address of the last byte of the same page */
	const char *table[MAX_DEPTH], *entry[MAX_DEPTH];
} shapes[] = {
#define NAMES_PT	"page table"
#define NAMES_PD	"page directory"
#define NAMES_PDPT	"page directory pointer"
#define E		" entry"
#define T		" table"
	{ "32-bit, 4 KiB", MMU_32, PSE, 0, 0x1000, 4, 2, LINEAR_32, { 0x2a4, 0x115 }, false,
	  0xabcde000, 0x1000, 0xabcde678, 0x988, 0xa9115fff,
	  { NAMES_PD, NAMES_PT }, { NAMES_PD E, NAMES_PT E } },
	{ "32-bit without PSE, 4 KiB", MMU_32, 0, 0, 0x1000, 4, 2, LINEAR_32, { 0x2a4, 0x115 },
	  false, 0xabcde000, 0x1000, 0xabcde678, 0x988, 0xa9115fff,
	  { NAMES_PD, NAMES_PT }, { NAMES_PD E, NAMES_PT E } },
	{ "32-bit, 4 MiB", MMU_32, PSE, 0, 0x1000, 4, 1, LINEAR_32, { 0x2a4 }, true,
	  0xabc00000, 0x400000, 0xabd15678, 0x2ea988, 0xa93fffff,
	  { NAMES_PD }, { NAMES_PD E } },
	{ "32-bit, 4 MiB above 4 GiB", MMU_32, PSE, 0, 0x1000, 4, 1, LINEAR_32, { 0x2a4 }, true,
	  0xabd4a000, 0x400000, 0xa5abd15678, 0x2ea988, 0xa93fffff,
	  { NAMES_PD }, { NAMES_PD E } },
	{ "PAE, 4 KiB", MMU_PAE, PAE, NXE, 0x1fe0, 8, 3, LINEAR_PAE, { 2, 0x24, 0x15 }, false,
	  0xfedcbabcde000, 0x1000, 0xfedcbabcde678, 0x988, 0x84815fff,
	  { NAMES_PDPT T, NAMES_PD, NAMES_PT }, { NAMES_PDPT E, NAMES_PD E, NAMES_PT E } },
	{ "PAE, 2 MiB", MMU_PAE, PAE, NXE, 0x1fe0, 8, 2, LINEAR_PAE, { 2, 0x24 }, true,
	  0xfedcbabc00000, 0x200000, 0xfedcbabc15678, 0x1ea988, 0x849fffff,
	  { NAMES_PDPT T, NAMES_PD }, { NAMES_PDPT E, NAMES_PD E } },
	{ "4-level, 4 KiB", MMU_4LEVEL, PAE, LMA | NXE, 0x1000, 8, 4, LINEAR_4LEVEL,
	  { 0x182, 0x43, 0x24, 0x15 }, false,
	  0xfedcbabcde000, 0x1000, 0xfedcbabcde678, 0x988, 0xffffc110c4815fff,
	  { "PML4" T, NAMES_PDPT T, NAMES_PD, NAMES_PT },
	  { "PML4" E, NAMES_PDPT E, NAMES_PD E, NAMES_PT E } },
	{ "4-level, 2 MiB", MMU_4LEVEL, PAE, LMA | NXE, 0x1000, 8, 3, LINEAR_4LEVEL,
	  { 0x182, 0x43, 0x24 }, true,
	  0xfedcbabc00000, 0x200000, 0xfedcbabc15678, 0x1ea988, 0xffffc110c49fffff,
	  { "PML4" T, NAMES_PDPT T, NAMES_PD }, { "PML4" E, NAMES_PDPT E, NAMES_PD E } },
	{ "4-level, 1 GiB", MMU_4LEVEL, PAE, LMA | NXE, 0x1000, 8, 2, LINEAR_4LEVEL,
	  { 0x182, 0x43 }, true,
	  0xfedcb80000000, 0x40000000, 0xfedcb84815678, 0x3b7ea988, 0xffffc110ffffffff,
	  { "PML4" T, NAMES_PDPT T }, { "PML4" E, NAMES_PDPT E } },
	{ "5-level, 4 KiB", MMU_5LEVEL, PAE | LA57, LMA | NXE, 0x1000, 8, 5, LINEAR_5LEVEL,
	  { 0x101, 0x82, 0x43, 0x24, 0x15 }, false,
	  0xfedcbabcde000, 0x1000, 0xfedcbabcde678, 0x988, 0xff014110c4815fff,
	  { "PML5" T, "PML4" T, NAMES_PDPT T, NAMES_PD, NAMES_PT },
	  { "PML5" E, "PML4" E, NAMES_PDPT E, NAMES_PD E, NAMES_PT E } },
	{ "5-level, 2 MiB", MMU_5LEVEL, PAE | LA57, LMA | NXE, 0x1000, 8, 4, LINEAR_5LEVEL,
	  { 0x101, 0x82, 0x43, 0x24 }, true,
	  0xfedcbabc00000, 0x200000, 0xfedcbabc15678, 0x1ea988, 0xff014110c49fffff,
	  { "PML5" T, "PML4" T, NAMES_PDPT T, NAMES_PD },
	  { "PML5" E, "PML4" E, NAMES_PDPT E, NAMES_PD E } },
	{ "5-level, 1 GiB", MMU_5LEVEL, PAE | LA57, LMA | NXE, 0x1000, 8, 3, LINEAR_5LEVEL,
	  { 0x101, 0x82, 0x43 }, true,
	  0xfedcb80000000, 0x40000000, 0xfedcb84815678, 0x3b7ea988, 0xff014110ffffffff,
	  { "PML5" T, "PML4" T, NAMES_PDPT T }, { "PML5" E, "PML4" E, NAMES_PDPT E } },
};
/* clang-format on */

static struct mmu shape_mmu(const struct shape *shape)
{
	return mmu_with(PG | 1, shape->cr3, shape->cr4, shape->efer);
}

/* The first table is where CR3 says, the one after it at 0x2000, then 0x3000 and so on. */
static uint64_t shape_table(const struct shape *shape, unsigned int level)
{
	return level == 0 ? shape->cr3 : PAGE * (level + 1);
}

static uint64_t shape_where(const struct shape *shape, unsigned int level)
{
	return shape_table(shape, level) + shape->index[level] * shape->size;
}

/* PAE's page directory pointers have no permissions: the bits are reserved. */
static bool shape_unrestricted(const struct shape *shape, unsigned int level)
{
	return shape->mode == MMU_PAE && level == 0;
}

static uint64_t shape_entry(const struct shape *shape, unsigned int level)
{
	bool last = level + 1 == shape->depth;
	uint64_t entry = last ? shape->frame : shape_table(shape, level + 1);

	entry |= P;
	if (!shape_unrestricted(shape, level))
		entry |= W | U;
	if (last && shape->large)
		entry |= PS;
	return entry;
}

static void shape_build(const struct shape *shape)
{
	clear();
	for (unsigned int i = 0; i < shape->depth; i++)
		put(shape_where(shape, i), shape->size, shape_entry(shape, i));
}

/* Makes what leads to the table of this level lead to `place` instead. */
static void shape_move(const struct shape *shape, struct mmu *mmu, unsigned int level,
		       uint64_t place)
{
	uint64_t entry = place | P;

	if (level == 0) {
		mmu->cr3 = place;
		return;
	}
	if (!shape_unrestricted(shape, level - 1))
		entry |= W | U;
	put(shape_where(shape, level - 1), shape->size, entry);
}

static char *sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *sentence(const char *format, ...)
{
	static char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

static char *title(const struct shape *shape, unsigned int level, const char *what)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s: %s: %s", shape->name, shape->entry[level], what);
	return text;
}

static void test_shape_mapped(const struct shape *shape)
{
	struct mmu mmu = shape_mmu(shape);
	static uint8_t before[sizeof(memory)];
	char name[128];

	shape_build(shape);
	memcpy(before, memory, sizeof(memory));
	reads = bad_reads = 0;
	snprintf(name, sizeof(name), "%s: an address in the middle", shape->name);
	maps(&mmu, shape->linear, shape->gpa, shape->left, "wux", name);
	if (!result(reads == shape->depth && !bad_reads, "%s: one read for each level",
		    shape->name))
		comment("%u reads, %u of them bad", reads, bad_reads);
	result(!memcmp(before, memory, sizeof(memory)), "%s: the tables are as they were",
	       shape->name);

	snprintf(name, sizeof(name), "%s: the last byte of the page", shape->name);
	maps(&mmu, shape->last, shape->gpa + shape->left - 1, 1, "wux", name);
	snprintf(name, sizeof(name), "%s: the first byte of the page", shape->name);
	maps(&mmu, shape->last - (shape->length - 1), shape->gpa + shape->left - shape->length,
	     shape->length, "wux", name);
	/* What lies behind the page is another entry, and none is there. */
	result(mmu_translate(&mmu, shape->last + 1, &(struct mmu_page){ 0 }, NULL, 0) == -EFAULT,
	       "%s: the byte after the page is not mapped", shape->name);
}

/* Bits of CR3 that are no part of the address: PCID, PWT, PCD, LAM, and the upper half. */
static void test_shape_cr3(const struct shape *shape)
{
	struct mmu mmu = shape_mmu(shape);
	char name[128];

	shape_build(shape);
	switch (shape->mode) {
	case MMU_32:
		mmu.cr3 |= 0xffffffff00000fff;
		break;
	case MMU_PAE:
		mmu.cr3 |= 0xffffffff0000001f;
		break;
	default:
		mmu.cr3 |= 0xfff0000000000fff;
		break;
	}
	snprintf(name, sizeof(name), "%s: CR3 with all other bits set", shape->name);
	maps(&mmu, shape->linear, shape->gpa, shape->left, "wux", name);
}

/* All combinations of writable, user and NX in all entries. */
static void test_shape_permissions(const struct shape *shape)
{
	struct mmu mmu = shape_mmu(shape);
	unsigned int combinations = 1u << 3 * shape->depth, wrong = 0;

	shape_build(shape);
	for (unsigned int c = 0; c < combinations; c++) {
		bool writable = true, user = true, executable = true;
		struct mmu_page page;

		for (unsigned int i = 0; i < shape->depth; i++) {
			uint64_t entry = shape_entry(shape, i) & ~(W | U);
			unsigned int bits = c >> 3 * i & 7;

			if (!shape_unrestricted(shape, i)) {
				entry |= bits & 1 ? W : 0;
				entry |= bits & 2 ? U : 0;
				writable = writable && (bits & 1);
				user = user && (bits & 2);
				if (shape->size == 8) {
					entry |= bits & 4 ? NX : 0;
					executable = executable && !(bits & 4);
				}
			}
			put(shape_where(shape, i), shape->size, entry);
		}
		if (mmu_translate(&mmu, shape->linear, &page, NULL, 0) || page.gpa != shape->gpa ||
		    page.writable != writable || page.user != user || page.executable != executable)
			wrong++;
	}
	if (!result(!wrong, "%s: permissions of all levels combined", shape->name))
		comment("%u of %u combinations wrong", wrong, combinations);
}

/* All combinations of Accessed, but where an entry has no such bit. */
static void test_shape_accessed(const struct shape *shape)
{
	struct mmu mmu = shape_mmu(shape);
	unsigned int wrong = 0;

	shape_build(shape);
	for (unsigned int c = 0; c < 1u << shape->depth; c++) {
		bool accessed = true;
		struct mmu_page page;

		for (unsigned int i = 0; i < shape->depth; i++) {
			uint64_t entry = shape_entry(shape, i) & ~A;

			if (!shape_unrestricted(shape, i)) {
				entry |= c >> i & 1 ? A : 0;
				accessed = accessed && c >> i & 1;
			}
			put(shape_where(shape, i), shape->size, entry);
		}
		if (mmu_translate(&mmu, shape->linear, &page, NULL, 0) || page.accessed != accessed)
			wrong++;
	}
	result(!wrong, "%s: accessed on all levels", shape->name);
}

static void test_shape_absent(const struct shape *shape, unsigned int level)
{
	struct mmu mmu = shape_mmu(shape);
	uint64_t where = shape_where(shape, level);
	const char *expected =
		sentence("0x%" PRIx64 " is not mapped: the %s at 0x%" PRIx64 " is not present",
			 shape->linear, shape->entry[level], where);

	shape_build(shape);
	put(where, shape->size, 0);
	fails(&mmu, shape->linear, expected, title(shape, level, "zero"));
	put(where, shape->size, ~P);
	fails(&mmu, shape->linear, expected, title(shape, level, "all bits but P"));
}

static void test_shape_nowhere(const struct shape *shape, unsigned int level)
{
	static const uint64_t places[] = { LOW_SIZE, 0x5000000, 0xffffe000, 0x8000000000000 };
	struct mmu mmu = shape_mmu(shape);

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t place = places[i];
		const char *expected;

		/* An address that the entry can't hold? */
		if (place >> 32 && (shape->size == 4 || (shape->mode == MMU_PAE && level == 0)))
			continue;
		expected = sentence("0x%" PRIx64 " is not mapped: the %s at 0x%" PRIx64
				    " is not in memory",
				    shape->linear, shape->table[level], place);
		shape_build(shape);
		shape_move(shape, &mmu, level, place);
		fails(&mmu, shape->linear, expected, title(shape, level, "table not in memory"));
	}
}

/* Tables at the very ends of what an entry or CR3 can hold. */
static void test_shape_far(const struct shape *shape, unsigned int level)
{
	bool narrow = shape->size == 4 || (shape->mode == MMU_PAE && level == 0);
	uint64_t place = narrow ? MIDDLE : HIGH;
	struct mmu mmu = shape_mmu(shape);

	shape_build(shape);
	put(place + shape->index[level] * shape->size, shape->size, shape_entry(shape, level));
	put(shape_where(shape, level), shape->size, 0);
	shape_move(shape, &mmu, level, place);
	maps(&mmu, shape->linear, shape->gpa, shape->left, "wux",
	     title(shape, level, "table at the end of physical memory"));
}

static uint64_t span(unsigned int low, unsigned int high)
{
	uint64_t bits = 0;

	for (unsigned int i = low; i <= high; i++)
		bits |= UINT64_C(1) << i;
	return bits;
}

/* The bits of an entry that must be 0, given that EFER.NXE is set. */
static uint64_t shape_reserved(const struct shape *shape, unsigned int level)
{
	bool page = shape->large && level + 1 == shape->depth;

	switch (shape->mode) {
	case MMU_32:
		return page ? span(21, 21) : 0;
	case MMU_PAE:
		if (level == 0)
			return span(1, 2) | span(5, 8) | span(52, 63);
		return span(52, 62) | (page ? span(13, 20) : 0);
	default:
		if (!strncmp(shape->entry[level], "PML", 3))
			return PS;
		return page ? (shape->length - 1) & ~span(0, 12) : 0;
	}
}

/*
 * Each bit of each entry that is neither P, address nor permission, nor PS where that is allowed:
 * setting it is an error or is without effect.
 */
static void test_shape_bits(const struct shape *shape, unsigned int level)
{
	struct mmu mmu = shape_mmu(shape);
	bool last = level + 1 == shape->depth, large = shape->large && last;
	uint64_t where = shape_where(shape, level), reserved = shape_reserved(shape, level);
	uint64_t address = shape->size == 4 ? span(12, 31) : span(12, 51);
	unsigned int wrong = 0;
	const char *expected = sentence("0x%" PRIx64 " is not mapped: reserved bit set in the %s"
					" at 0x%" PRIx64,
					shape->linear, shape->entry[level], where);

	if (large) /* there bit 12 is PAT */
		address &= ~span(12, 12);
	for (unsigned int i = 1; i < shape->size * 8; i++) {
		uint64_t one = span(i, i);
		struct mmu_page page = untouched;
		char why[256] = "";
		bool good;
		int error;

		if (one & address & ~reserved)
			continue;
		/* Not a reserved bit but another kind of page. */
		if (one == PS && !last && !(one & reserved) &&
		    (shape->mode != MMU_32 || shape->cr4 & PSE))
			continue;
		shape_build(shape);
		put(where, shape->size, shape_entry(shape, level) | one);
		error = mmu_translate(&mmu, shape->linear, &page, why, sizeof(why));
		if (one & reserved)
			good = error == -EFAULT && !strcmp(why, expected);
		else
			good = !error &&
			       is_page(&page, shape->gpa, shape->left, one == NX ? "wu" : "wux");
		if (!good) {
			comment("bit %u", i);
			comment_result(error, &page, why);
			wrong++;
		}
	}
	result(!wrong, "%s", title(shape, level, "reserved and ignored bits"));

	/* Without NXE bit 63 is reserved, too. */
	if (shape->size == 8) {
		mmu.efer &= ~NXE;
		shape_build(shape);
		put(where, shape->size, shape_entry(shape, level) | NX);
		fails(&mmu, shape->linear, expected, title(shape, level, "NX without NXE"));
	}
}

static void test_shape_address(const struct shape *shape)
{
	struct mmu mmu = shape_mmu(shape);
	const char *mode = mmu_mode_name(shape->mode);
	char expected[128], name[128];

	shape_build(shape);
	reads = 0;
	if (shape->mode == MMU_32 || shape->mode == MMU_PAE) {
		static const uint64_t beyond[] = { UINT64_C(1) << 32, UINT64_C(1) << 47,
						   UINT64_C(0xffffffff) << 32 };

		for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
			uint64_t linear = shape->linear | beyond[i];

			snprintf(expected, sizeof(expected),
				 "0x%" PRIx64 " is beyond the 32 bits of a linear address with %s",
				 linear, mode);
			snprintf(name, sizeof(name), "%s: 0x%" PRIx64, shape->name, linear);
			fails(&mmu, linear, expected, name);
		}
	} else {
		unsigned int top = shape->mode == MMU_4LEVEL ? 47 : 56, wrong = 0;

		/* The address has its topmost bits set: clear any one, or all but one. */
		for (unsigned int i = top; i < 64; i++) {
			uint64_t linears[] = { shape->linear & ~span(i, i),
					       shape->linear & ~(span(top, 63) & ~span(i, i)) };

			for (size_t k = 0; k < ARRAY_SIZE(linears); k++) {
				struct mmu_page page;
				char why[128] = "";

				snprintf(expected, sizeof(expected),
					 "0x%" PRIx64 " is not a canonical address", linears[k]);
				if (mmu_translate(&mmu, linears[k], &page, why, sizeof(why)) !=
					    -EFAULT ||
				    strcmp(why, expected)) {
					comment("0x%" PRIx64 ": \"%s\"", linears[k], why);
					wrong++;
				}
			}
		}
		result(!wrong, "%s: addresses that are not canonical", shape->name);
	}
	result(reads == 0, "%s: a bad address reads no memory", shape->name);
}

static void test_shapes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *shape = &shapes[i];

		test_shape_mapped(shape);
		test_shape_cr3(shape);
		test_shape_accessed(&shapes[i]);
		test_shape_permissions(shape);
		test_shape_accessed(shape);
		test_shape_address(shape);
		for (unsigned int level = 0; level < shape->depth; level++) {
			test_shape_absent(shape, level);
			test_shape_nowhere(shape, level);
			test_shape_far(shape, level);
			test_shape_bits(shape, level);
		}
	}
}

/* -------------------------------------------------- particular cases, by hand */

static void test_canonical_edges(void)
{
	struct mmu four = mmu_with(PG, 0x1000, PAE, LMA);
	struct mmu five = mmu_with(PG, 0x1000, PAE | LA57, LMA);

	clear();
	fails(&four, 0x7fffffffffff,
	      "0x7fffffffffff is not mapped: the PML4 entry at 0x17f8 is not present",
	      "4-level: the last address of the lower half");
	fails(&four, 0x800000000000, "0x800000000000 is not a canonical address",
	      "4-level: the first address that is not canonical");
	fails(&four, 0xffff7fffffffffff, "0xffff7fffffffffff is not a canonical address",
	      "4-level: the last address that is not canonical");
	fails(&four, 0xffff800000000000,
	      "0xffff800000000000 is not mapped: the PML4 entry at 0x1800 is not present",
	      "4-level: the first address of the upper half");
	fails(&five, 0x800000000000,
	      "0x800000000000 is not mapped: the PML5 entry at 0x1000 is not present",
	      "5-level: canonical here, not with 4 levels");
	fails(&five, 0xffffffffffffff,
	      "0xffffffffffffff is not mapped: the PML5 entry at 0x17f8 is not present",
	      "5-level: the last address of the lower half");
	fails(&five, 0x100000000000000, "0x100000000000000 is not a canonical address",
	      "5-level: the first address that is not canonical");
	fails(&five, 0xfeffffffffffffff, "0xfeffffffffffffff is not a canonical address",
	      "5-level: the last address that is not canonical");
	fails(&five, 0xff00000000000000,
	      "0xff00000000000000 is not mapped: the PML5 entry at 0x1800 is not present",
	      "5-level: the first address of the upper half");
}

static const struct shape *shape_named(const char *name)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		if (!strcmp(shapes[i].name, name))
			return &shapes[i];
	}
	return NULL;
}

static void hole(const struct mmu *mmu, uint64_t linear, uint64_t expected, const char *name)
{
	uint64_t left = mmu_hole(mmu, linear);

	if (!result(left == expected, "hole: %s", name))
		comment("0x%" PRIx64 " bytes", left);
}

/* As far as the entry that is not there reaches. */
static void test_holes(void)
{
	static const struct {
		const char *shape;
		uint64_t left[MAX_DEPTH]; /* without the entry of each level */
	} holes[] = {
		{ "32-bit, 4 KiB", { 0x2ea988, 0x988 } },
		{ "PAE, 4 KiB", { 0x3b7ea988, 0x1ea988, 0x988 } },
		{ "4-level, 4 KiB", { 0x6f3b7ea988, 0x3b7ea988, 0x1ea988, 0x988 } },
		{ "5-level, 1 GiB", { 0xbeef3b7ea988, 0x6f3b7ea988, 0x3b7ea988 } },
	};
	struct mmu none = mmu_with(0, 0, 0, 0), four = mmu_with(PG, 0x1000, PAE, LMA);

	for (size_t i = 0; i < sizeof(holes) / sizeof(*holes); i++) {
		const struct shape *shape = shape_named(holes[i].shape);
		struct mmu mmu = shape_mmu(shape);

		shape_build(shape);
		hole(&mmu, shape->linear, 0, shape->name);
		for (unsigned int level = 0; level < shape->depth; level++) {
			shape_build(shape);
			put(shape_where(shape, level), shape->size, 0);
			hole(&mmu, shape->linear, holes[i].left[level],
			     title(shape, level, "absent"));
		}
	}
	clear();
	hole(&none, 0xffffffff, 0, "no paging, the last byte");
	hole(&none, 0x100000000, 0xffffffff00000000, "no paging, behind it");
	hole(&four, 0x800000000000, 0xffff000000000000, "4-level, not canonical");
	hole(&four, 0xffff7fffffffffff, 1, "4-level, the last that is not canonical");
	hole(&four, 0xffff800000000000, 0x8000000000, "4-level, the upper half");
	hole(&four, UINT64_MAX, 1, "4-level, the last byte");
}

static void test_pse(void)
{
	struct mmu mmu = mmu_with(PG, 0x1000, PSE, 0);

	/* With PSE one page of 4 MiB at 0x00400000; without, a page table at 0x2000. */
	clear();
	put(0x1000, 4, 0x00400000 | PS | W | P);
	maps(&mmu, 0x1234, 0x401234, 0x3fedcc, "wx", "PSE: a page of 4 MiB");
	put(0x1000, 4, 0x2000 | PS | W | P);
	put(0x2004, 4, 0x7000 | U | P);
	maps(&mmu, 0x1234, 0x100001234, 0x3fedcc, "wx", "PSE: bit 13 is bit 32 of the address");
	mmu.cr4 = 0;
	maps(&mmu, 0x1234, 0x7234, 0xdcc, "x", "PSE clear: PS is ignored");
	put(0x1000, 4, 0x202000 | PS | W | P);
	fails(&mmu, 0x1234, "0x1234 is not mapped: the page table at 0x202000 is not in memory",
	      "PSE clear: bit 21 is an address bit");
	mmu.cr4 = PSE;
	fails(&mmu, 0x1234,
	      "0x1234 is not mapped: reserved bit set in the page directory entry at 0x1000",
	      "PSE: bit 21 is reserved");
}

/* In PAE and long mode CR4.PSE has no say. */
static void test_pse_elsewhere(void)
{
	struct mmu pae = mmu_with(PG, 0x1000, PAE | PSE, 0);
	struct mmu four = mmu_with(PG, 0x1000, PAE | PSE, LMA);

	clear();
	put(0x1000, 8, 0x2000 | P);
	put(0x2000, 8, 0x600000 | PS | P);
	maps(&pae, 0x12345, 0x612345, 0x1edcbb, "x", "PAE with PSE set: 2 MiB as ever");
	put(0x2000, 8, 0x3000 | P);
	put(0x3000, 8, 0x600000 | PS | P);
	maps(&four, 0x12345, 0x612345, 0x1edcbb, "x", "4-level with PSE set: 2 MiB as ever");
}

/* The four page directory pointers may be in any 32 bytes, so bits 11:5 of CR3 count. */
static void test_pae_root(void)
{
	struct mmu mmu = mmu_with(PG, 0, PAE, 0);
	unsigned int wrong = 0;

	clear();
	for (uint64_t i = 0; i < 512; i++) {
		put(0x1000 + i * 8, 8, 0x2000 | P);
		put(0x2000 + i * 8, 8, (i << 21) | PS | P);
	}
	for (uint64_t slot = 0; slot < 128; slot++)
		for (uint64_t i = 0; i < 4; i++) {
			uint64_t where = 0x1000 + slot * 32 + i * 8;
			struct mmu_page page;
			char why[128], expected[128];

			mmu.cr3 = 0x1000 + slot * 32;
			put(where, 8, 0);
			snprintf(expected, sizeof(expected),
				 "0x%" PRIx64 " is not mapped: the page directory pointer entry at "
				 "0x%" PRIx64 " is not present",
				 i << 30, where);
			if (mmu_translate(&mmu, i << 30, &page, why, sizeof(why)) != -EFAULT ||
			    strcmp(why, expected))
				wrong++;
			put(where, 8, 0x2000 | P);
			if (mmu_translate(&mmu, i << 30 | 0x400000, &page, why, sizeof(why)) ||
			    !is_page(&page, 0x400000, 0x200000, "x"))
				wrong++;
		}
	result(!wrong, "PAE: the first table in each of the 128 places of a page");
}

/* Neighbours in the linear address space need not be so in memory. */
static void test_crossing(void)
{
	struct mmu mmu = mmu_with(PG, 0x1000, PAE, LMA | NXE);
	struct mmu_page page;
	uint64_t linear = 0x3ffffd;

	clear();
	put(0x1000, 8, 0x2000 | W | U | P);
	put(0x2000, 8, 0x3000 | W | U | P);
	put(0x3000 + 8, 8, 0x4000 | W | U | P);
	put(0x3000 + 16, 8, 0x12200000 | PS | P);
	put(0x4000 + 511 * 8, 8, 0xb000 | W | P);
	maps(&mmu, linear, 0xbffd, 3, "wx", "crossing: three bytes to the end of 4 KiB");
	result(!mmu_translate(&mmu, linear, &page, NULL, 0), "crossing: the first piece");
	maps(&mmu, linear + page.left, 0x12200000, 0x200000, "x", "crossing: then a 2 MiB page");
	maps(&mmu, linear + page.left + 0x1fffff, 0x123fffff, 1, "x", "crossing: its last byte");
	fails(&mmu, linear + page.left + 0x200000,
	      "0x600000 is not mapped: the page directory entry at 0x3018 is not present",
	      "crossing: and nothing behind");
}

static void test_self_reference(void)
{
	struct mmu mmu;

	clear();
	put(0x1ffc, 4, 0x1000 | W | P);
	mmu = mmu_with(PG, 0x1000, PSE, 0);
	maps(&mmu, 0xfffff123, 0x1123, 0xedd, "wx", "32-bit: the page directory maps itself");
	fails(&mmu, 0xffc00000,
	      "0xffc00000 is not mapped: the page table entry at 0x1000 is not present",
	      "32-bit: the page directory as page table");

	clear();
	put(0x1018, 8, 0x2000 | P);
	put(0x2ff8, 8, 0x2000 | W | P);
	mmu = mmu_with(PG, 0x1000, PAE, 0);
	maps(&mmu, 0xfffff123, 0x2123, 0xedd, "wx", "PAE: a page directory maps itself");
	mmu.cr3 = 0x2fe0;
	fails(&mmu, 0xfffff123,
	      "0xfffff123 is not mapped: reserved bit set in the page directory pointer entry at "
	      "0x2ff8",
	      "PAE: a page directory as CR3");

	clear();
	put(0x1ff8, 8, 0x1000 | W | P);
	mmu = mmu_with(PG, 0x1000, PAE, LMA);
	maps(&mmu, 0xfffffffffffff123, 0x1123, 0xedd, "wx", "4-level: the PML4 maps itself");
	fails(&mmu, 0xffffffffffe00000,
	      "0xffffffffffe00000 is not mapped: the page table entry at 0x1000 is not present",
	      "4-level: the PML4 as page table");
	mmu = mmu_with(PG, 0x1000, PAE | LA57, LMA);
	maps(&mmu, 0xfffffffffffff123, 0x1123, 0xedd, "wx", "5-level: the PML5 maps itself");

	/* All of a page's entries lead back to it, whatever the mode takes them for. */
	for (uint64_t i = 0; i < 512; i++)
		put(0x1000 + i * 8, 8, 0x1000 | W | U | P);
	reads = 0;
	maps(&mmu, 0x123456789abc, 0x1abc, 0x544, "wux", "5-level: nothing but loops");
	result(reads == 5, "5-level: nothing but loops, five reads");
	mmu = mmu_with(PG, 0x1000, PAE, LMA);
	reads = 0;
	maps(&mmu, 0x123456789abc, 0x1abc, 0x544, "wux", "4-level: nothing but loops");
	result(reads == 4, "4-level: nothing but loops, four reads");
	mmu = mmu_with(PG, 0x1000, 0, 0);
	reads = 0;
	fails(&mmu, 0x401000,
	      "0x401000 is not mapped: the page directory entry at 0x1004 is not present",
	      "32-bit: the upper halves of 8-byte entries");
	maps(&mmu, 0x802abc, 0x1abc, 0x544, "wux", "32-bit: nothing but loops");
	result(reads == 3, "32-bit: nothing but loops, one read and then two");
}

static void test_sentences(void)
{
	struct mmu mmu = mmu_with(PG, 0x1000, 0, 0);
	static const char whole[] =
		"0x401000 is not mapped: the page table entry at 0x2004 is not present";
	struct mmu_page page;
	unsigned int wrong = 0;

	clear();
	put(0x1004, 4, 0x12000 | P);
	fails(&mmu, 0x401000, "0x401000 is not mapped: the page table at 0x12000 is not in memory",
	      "sentence: table not in memory");
	put(0x1004, 4, 0x2000 | P);
	fails(&mmu, 0x401000, whole, "sentence: entry not present");
	mmu.cr3 = 0x5000000;
	fails(&mmu, 0x401000,
	      "0x401000 is not mapped: the page directory at 0x5000000 is not in memory",
	      "sentence: CR3 not in memory");
	mmu.cr3 = 0x1000;

	result(mmu_translate(&mmu, 0x401000, &page, NULL, 0) == -EFAULT, "sentence: not wanted");
	result(mmu_translate(&mmu, 0x401000, &page, NULL, 100) == -EFAULT,
	       "sentence: not wanted, whatever the size");
	for (size_t size = 0; size < sizeof(whole) + 4; size++) {
		char why[sizeof(whole) + 8];
		size_t length = size < sizeof(whole) ? size : sizeof(whole);

		memset(why, '!', sizeof(why));
		if (mmu_translate(&mmu, 0x401000, &page, why, size) != -EFAULT)
			wrong++;
		if (length && (memcmp(why, whole, length - 1) || why[length - 1]))
			wrong++;
		for (size_t i = length; i < sizeof(why); i++)
			wrong += why[i] != '!';
	}
	result(!wrong, "sentence: cut to any size, and ended");
}

/* The NX bit of an entry further down counts only once the walk gets there. */
static void test_order(void)
{
	struct mmu mmu = mmu_with(PG, 0x1000, PAE, LMA);

	clear();
	put(0x1000, 8, 0x2000 | PS | P);
	put(0x2000, 8, 0);
	fails(&mmu, 0, "0x0 is not mapped: reserved bit set in the PML4 entry at 0x1000",
	      "order: the upper level's error comes first");
	put(0x1000, 8, 0x2000 | P);
	put(0x2000, 8, 0x40002000 | NX | PS | P);
	fails(&mmu, 0,
	      "0x0 is not mapped: reserved bit set in the page directory pointer entry at 0x2000",
	      "order: two reserved bits, one sentence");
	put(0x2000, 8, 0x40000000 | PS | P);
	maps(&mmu, 0x3fffffff, 0x7fffffff, 1, "x", "order: set right, it is a page of 1 GiB");
}

/* ------------------------------------------------- a second, naive implementation */

/*
 * Written out mode by mode and bit by bit, slow and without tables, so that it shares no mistake
 * with the walk.
 */
enum outcome { SMALL, LARGE, ABSENT, NOWHERE, RESERVED, BAD_ADDRESS, OUTCOMES };

struct naive {
	enum outcome outcome;
	struct mmu_page page;
	char why[256];
	bool cr4_pse, nxe; /* of the control registers */
};

static bool bit(uint64_t value, unsigned int n)
{
	return (value >> n) % 2 == 1;
}

/* Bits high to low of value, moved down. */
static uint64_t field(uint64_t value, unsigned int high, unsigned int low)
{
	uint64_t bits = 0;

	for (unsigned int i = high + 1; i-- > low;)
		bits = bits * 2 + bit(value, i);
	return bits;
}

static bool naive_load(struct naive *n, uint64_t linear, uint64_t table, uint64_t index,
		       unsigned int size, const char *table_name, const char *entry_name,
		       uint64_t *entry)
{
	uint64_t at = table + size * index;

	*entry = 0;
	for (unsigned int i = size; i-- > 0;) {
		const uint8_t *byte = locate(at + i, 1);

		if (!byte) {
			n->outcome = NOWHERE;
			snprintf(n->why, sizeof(n->why),
				 "0x%llx is not mapped: the %s at 0x%llx is not in memory",
				 (unsigned long long)linear, table_name, (unsigned long long)table);
			return false;
		}
		*entry = *entry * 256 + *byte;
	}
	if (!bit(*entry, 0)) {
		n->outcome = ABSENT;
		snprintf(n->why, sizeof(n->why),
			 "0x%llx is not mapped: the %s at 0x%llx is not present",
			 (unsigned long long)linear, entry_name, (unsigned long long)at);
		return false;
	}
	return true;
}

static void naive_reserved(struct naive *n, uint64_t linear, uint64_t at, const char *entry_name)
{
	n->outcome = RESERVED;
	snprintf(n->why, sizeof(n->why),
		 "0x%llx is not mapped: reserved bit set in the %s at 0x%llx",
		 (unsigned long long)linear, entry_name, (unsigned long long)at);
}

static void naive_restrict(struct naive *n, uint64_t entry)
{
	if (!bit(entry, 1))
		n->page.writable = false;
	if (!bit(entry, 2))
		n->page.user = false;
	if (bit(entry, 63))
		n->page.executable = false;
	if (!bit(entry, 5))
		n->page.accessed = false;
}

static void naive_page(struct naive *n, enum outcome outcome, uint64_t start, uint64_t offset,
		       uint64_t length)
{
	n->outcome = outcome;
	n->page.gpa = start + offset;
	n->page.left = length - offset;
}

static void naive_32(const struct mmu *mmu, uint64_t linear, struct naive *n)
{
	uint64_t directory = field(mmu->cr3, 31, 12) * 4096;
	uint64_t pde, pte, table;

	if (!naive_load(n, linear, directory, field(linear, 31, 22), 4, "page directory",
			"page directory entry", &pde))
		return;
	if (n->cr4_pse && bit(pde, 7)) {
		if (bit(pde, 21)) {
			naive_reserved(n, linear, directory + 4 * field(linear, 31, 22),
				       "page directory entry");
			return;
		}
		naive_restrict(n, pde);
		naive_page(n, LARGE,
			   field(pde, 20, 13) * 0x100000000 + field(pde, 31, 22) * 0x400000,
			   field(linear, 21, 0), 0x400000);
		return;
	}
	naive_restrict(n, pde);
	table = field(pde, 31, 12) * 4096;
	if (!naive_load(n, linear, table, field(linear, 21, 12), 4, "page table",
			"page table entry", &pte))
		return;
	naive_restrict(n, pte);
	naive_page(n, SMALL, field(pte, 31, 12) * 4096, field(linear, 11, 0), 4096);
}

/* From the page directory down PAE and long mode differ only in bits 62:52. */
static void naive_directory(struct naive *n, uint64_t linear, uint64_t directory, bool pae)
{
	uint64_t pde, pte, table;

	if (!naive_load(n, linear, directory, field(linear, 29, 21), 8, "page directory",
			"page directory entry", &pde))
		return;
	if ((pae && field(pde, 62, 52) != 0) || (bit(pde, 63) && !n->nxe) ||
	    (bit(pde, 7) && field(pde, 20, 13) != 0)) {
		naive_reserved(n, linear, directory + 8 * field(linear, 29, 21),
			       "page directory entry");
		return;
	}
	naive_restrict(n, pde);
	if (bit(pde, 7)) {
		naive_page(n, LARGE, field(pde, 51, 21) * 0x200000, field(linear, 20, 0), 0x200000);
		return;
	}
	table = field(pde, 51, 12) * 4096;
	if (!naive_load(n, linear, table, field(linear, 20, 12), 8, "page table",
			"page table entry", &pte))
		return;
	if ((pae && field(pte, 62, 52) != 0) || (bit(pte, 63) && !n->nxe)) {
		naive_reserved(n, linear, table + 8 * field(linear, 20, 12), "page table entry");
		return;
	}
	naive_restrict(n, pte);
	naive_page(n, SMALL, field(pte, 51, 12) * 4096, field(linear, 11, 0), 4096);
}

static void naive_pae(const struct mmu *mmu, uint64_t linear, struct naive *n)
{
	uint64_t pointers = field(mmu->cr3, 31, 5) * 32;
	uint64_t pdpte;

	if (!naive_load(n, linear, pointers, field(linear, 31, 30), 8,
			"page directory pointer table", "page directory pointer entry", &pdpte))
		return;
	if (field(pdpte, 2, 1) != 0 || field(pdpte, 8, 5) != 0 || field(pdpte, 63, 52) != 0) {
		naive_reserved(n, linear, pointers + 8 * field(linear, 31, 30),
			       "page directory pointer entry");
		return;
	}
	naive_directory(n, linear, field(pdpte, 51, 12) * 4096, true);
}

static void naive_long(const struct mmu *mmu, uint64_t linear, struct naive *n, bool five)
{
	uint64_t table = field(mmu->cr3, 51, 12) * 4096;
	uint64_t entry;

	if (five) {
		if (!naive_load(n, linear, table, field(linear, 56, 48), 8, "PML5 table",
				"PML5 entry", &entry))
			return;
		if (bit(entry, 7) || (bit(entry, 63) && !n->nxe)) {
			naive_reserved(n, linear, table + 8 * field(linear, 56, 48), "PML5 entry");
			return;
		}
		naive_restrict(n, entry);
		table = field(entry, 51, 12) * 4096;
	}
	if (!naive_load(n, linear, table, field(linear, 47, 39), 8, "PML4 table", "PML4 entry",
			&entry))
		return;
	if (bit(entry, 7) || (bit(entry, 63) && !n->nxe)) {
		naive_reserved(n, linear, table + 8 * field(linear, 47, 39), "PML4 entry");
		return;
	}
	naive_restrict(n, entry);
	table = field(entry, 51, 12) * 4096;
	if (!naive_load(n, linear, table, field(linear, 38, 30), 8, "page directory pointer table",
			"page directory pointer entry", &entry))
		return;
	if ((bit(entry, 63) && !n->nxe) || (bit(entry, 7) && field(entry, 29, 13) != 0)) {
		naive_reserved(n, linear, table + 8 * field(linear, 38, 30),
			       "page directory pointer entry");
		return;
	}
	naive_restrict(n, entry);
	if (bit(entry, 7))
		naive_page(n, LARGE, field(entry, 51, 30) * 0x40000000, field(linear, 29, 0),
			   0x40000000);
	else
		naive_directory(n, linear, field(entry, 51, 12) * 4096, false);
}

static void naive_translate(const struct mmu *mmu, uint64_t linear, struct naive *n)
{
	bool pg = bit(mmu->cr0, 31), pae = bit(mmu->cr4, 5), lma = bit(mmu->efer, 10);
	bool five = bit(mmu->cr4, 12);

	memset(n, 0, sizeof(*n));
	n->page.writable = n->page.user = n->page.executable = n->page.accessed = true;
	n->cr4_pse = bit(mmu->cr4, 4);
	n->nxe = bit(mmu->efer, 11);

	if (pg && lma) {
		uint64_t same = five ? field(linear, 63, 56) : field(linear, 63, 47);

		if (same != 0 && same != (five ? 0xff : 0x1ffff)) {
			n->outcome = BAD_ADDRESS;
			snprintf(n->why, sizeof(n->why), "0x%llx is not a canonical address",
				 (unsigned long long)linear);
			return;
		}
		naive_long(mmu, linear, n, five);
		return;
	}
	if (linear > 0xffffffff) {
		n->outcome = BAD_ADDRESS;
		snprintf(n->why, sizeof(n->why),
			 "0x%llx is beyond the 32 bits of a linear address with %s",
			 (unsigned long long)linear,
			 pg ? pae ? "PAE paging" : "32-bit paging" : "no paging");
		return;
	}
	if (!pg)
		naive_page(n, LARGE, 0, linear, 0x100000000);
	else if (pae)
		naive_pae(mmu, linear, n);
	else
		naive_32(mmu, linear, n);
}

/* -------------------------------------------------------- the two, compared */

#define ROUNDS 400000
#define ROUNDS_PER_MEMORY 200

/* xorshift64*, so that every machine sees the same tables. */
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_bits(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static bool one_in(unsigned int n)
{
	return (random_bits() >> 32) % n == 0;
}

/* The address of a table: mostly in memory. */
static uint64_t random_frame(void)
{
	switch ((random_bits() >> 32) % 32) {
	case 0:
		return LOW_SIZE;
	case 1:
		return random_bits() & HIGH;
	case 2:
		return HIGH;
	case 3:
	case 4:
		return MIDDLE;
	default:
		return (random_bits() >> 32) % LOW_SIZE & ~(PAGE - 1);
	}
}

/* Mostly harmless, since otherwise hardly any walk would come to its end. */
static uint64_t random_entry(enum mmu_mode mode, bool nxe)
{
	uint64_t entry = random_frame() | (random_bits() & 0xe78);

	if (!one_in(24))
		entry |= P;
	if (!one_in(5))
		entry |= W;
	if (!one_in(5))
		entry |= U;
	if (one_in(7)) {
		entry |= PS;
		if (!one_in(5))
			entry = (entry & ~span(13, 29)) | (random_bits() & span(30, 33)) |
				(random_bits() & (one_in(2) ? span(21, 29) : 0));
		if (mode == MMU_32 && one_in(2))
			entry |= random_bits() & span(13, 20);
		if (one_in(2))
			entry |= span(12, 12);
	}
	if (one_in(nxe ? 6 : 40))
		entry |= NX;
	if (one_in(mode == MMU_PAE ? 40 : 3))
		entry |= random_bits() & span(52, 62);
	return entry;
}

static uint64_t random_pdpte(void)
{
	uint64_t entry = random_frame() | (random_bits() & 0xe18) | P;

	if (one_in(16))
		entry ^= UINT64_C(1) << (random_bits() >> 32) % 64;
	return entry;
}

/* In PAE mode page 0 is for page directory pointers, for CR3 to point to. */
static void random_memory(enum mmu_mode mode, bool nxe)
{
	unsigned int size = mode == MMU_32 ? 4 : 8;

	for (size_t r = 0; r < ARRAY_SIZE(regions); r++)
		for (uint64_t i = 0; i < regions[r].size; i += size) {
			uint64_t gpa = regions[r].start + i;

			if (mode == MMU_PAE && gpa < PAGE)
				put(gpa, size, random_pdpte());
			else
				put(gpa, size, random_entry(mode, nxe));
		}
}

static struct mmu random_mmu(enum mmu_mode mode, bool nxe)
{
	struct mmu mmu = mmu_with(random_bits(), 0, random_bits(), random_bits());

	mmu.cr0 &= ~PG;
	mmu.efer &= ~(LMA | NXE);
	if (nxe)
		mmu.efer |= NXE;
	if (mode != MMU_NONE)
		mmu.cr0 |= PG;
	if (mode == MMU_32)
		mmu.cr4 &= ~PAE;
	else if (mode != MMU_NONE)
		mmu.cr4 |= PAE;
	if (mode == MMU_4LEVEL || mode == MMU_5LEVEL) {
		mmu.efer |= LMA;
		mmu.cr4 &= ~LA57;
		if (mode == MMU_5LEVEL)
			mmu.cr4 |= LA57;
	}
	return mmu;
}

static uint64_t random_cr3(enum mmu_mode mode)
{
	uint64_t low = random_bits() & 0xfff;

	if (one_in(64))
		return random_bits();
	if (mode == MMU_PAE && !one_in(16))
		return low;
	return random_frame() | low | (one_in(4) ? random_bits() & span(52, 63) : 0);
}

static uint64_t random_linear(enum mmu_mode mode)
{
	uint64_t linear = random_bits();
	unsigned int top = mode == MMU_4LEVEL ? 47 : 56;

	if (one_in(20)) /* the ends of pages */
		linear |= one_in(2) ? 0xfff : 0x3fffffff;
	if (one_in(32))
		return linear;
	if (mode != MMU_4LEVEL && mode != MMU_5LEVEL)
		linear &= 0xffffffff;
	else if (bit(linear, top))
		linear |= span(top, 63);
	else
		linear &= ~span(top, 63);
	if (one_in(64))
		linear ^= UINT64_C(1) << (random_bits() >> 32) % 64;
	return linear;
}

/* True if the walk and the naive one agree on everything. */
static bool agree(const struct mmu *mmu, uint64_t linear, struct naive *n)
{
	struct mmu_page page = untouched, quiet = untouched;
	char why[256] = "";
	int error = mmu_translate(mmu, linear, &page, why, sizeof(why));
	bool same;

	naive_translate(mmu, linear, n);
	if (n->outcome == SMALL || n->outcome == LARGE)
		same = error == 0 && is_same(&page, &n->page);
	else
		same = error == -EFAULT && is_same(&page, &untouched) && !strcmp(why, n->why);
	if (mmu_translate(mmu, linear, &quiet, NULL, 0) != error || !is_same(&page, &quiet))
		same = false;
	if (!same) {
		comment("cr0 0x%" PRIx64 " cr3 0x%" PRIx64 " cr4 0x%" PRIx64 " efer 0x%" PRIx64
			" linear 0x%" PRIx64,
			mmu->cr0, mmu->cr3, mmu->cr4, mmu->efer, linear);
		comment_result(error, &page, why);
		comment_result(n->outcome > LARGE ? -EFAULT : 0, &n->page, n->why);
	}
	return same;
}

static void test_random(void)
{
	static uint8_t before[sizeof(memory)];
	static unsigned int seen[MMU_5LEVEL + 1][OUTCOMES];
	unsigned int different = 0, changed = 0;

	bad_reads = 0;
	for (unsigned int i = 0; i < ROUNDS / ROUNDS_PER_MEMORY && different < 5; i++) {
		enum mmu_mode mode = (enum mmu_mode)(i % (MMU_5LEVEL + 1));
		bool nxe = !one_in(4);

		random_memory(mode, nxe);
		memcpy(before, memory, sizeof(memory));
		for (unsigned int k = 0; k < ROUNDS_PER_MEMORY && different < 5; k++) {
			struct mmu mmu = random_mmu(mode, nxe);
			struct naive n;

			mmu.cr3 = random_cr3(mode);
			different += mmu_mode(&mmu) != mode;
			different += !agree(&mmu, random_linear(mode), &n);
			seen[mode][n.outcome]++;
		}
		changed += memcmp(before, memory, sizeof(memory)) != 0;
	}
	result(!different, "random: %d walks as the naive implementation has them", ROUNDS);
	result(!changed, "random: the tables are as they were");
	result(!bad_reads, "random: only whole, aligned entries below 2^52 are read");

	/* A generator that hardly ever makes a mapped page would compare nothing. */
	for (unsigned int mode = MMU_NONE; mode <= MMU_5LEVEL; mode++) {
		const unsigned int *count = seen[mode];
		bool enough = count[LARGE] >= 1000 && count[BAD_ADDRESS] >= 1000;

		if (mode != MMU_NONE)
			enough = enough && count[SMALL] >= 1000 && count[ABSENT] >= 1000 &&
				 count[NOWHERE] >= 1000 && count[RESERVED] >= 500;
		result(enough, "random: %s saw every outcome", mmu_mode_name((enum mmu_mode)mode));
		comment("small %u, large %u, absent %u, not in memory %u, reserved %u, bad address "
			"%u",
			count[SMALL], count[LARGE], count[ABSENT], count[NOWHERE], count[RESERVED],
			count[BAD_ADDRESS]);
	}
}

/* Memory of pure noise: most walks end soon, none may do more than five reads. */
static void test_noise(void)
{
	unsigned int different = 0, most = 0;

	bad_reads = 0;
	for (unsigned int i = 0; i < 100; i++) {
		for (uint64_t gpa = 0; gpa < LOW_SIZE; gpa += 8)
			put(gpa, 8, random_bits() & (i % 2 ? UINT64_MAX : span(0, 15)));
		for (unsigned int k = 0; k < 200 && different < 5; k++) {
			struct mmu mmu = random_mmu((enum mmu_mode)(k % 5), i % 4 < 2);
			uint64_t linear = random_linear((enum mmu_mode)(k % 5));
			struct naive n;

			mmu.cr3 = one_in(2) ? random_bits() : random_bits() & 0xffff;
			reads = 0;
			different += !agree(&mmu, linear, &n);
			if (reads / 2 > most) /* agree() walks twice */
				most = reads / 2;
		}
	}
	result(!different, "noise: as the naive implementation has it");
	result(most >= 1 && most <= 5, "noise: at most five reads");
	result(!bad_reads, "noise: only whole, aligned entries below 2^52 are read");
}

int main(void)
{
	test_modes();
	test_none();
	test_shapes();
	test_canonical_edges();
	test_holes();
	test_pse();
	test_pse_elsewhere();
	test_pae_root();
	test_crossing();
	test_self_reference();
	test_sentences();
	test_order();
	test_random();
	test_noise();
	return finish();
}
