/*
 * The page walk of src/mmu.c over one page of each mode and size: what each bit of each entry on the way does, and where
 * the way ends when one is not there.
 */
#include "mmu_tables.h"

#include <stdarg.h>

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
int main(void)
{
	test_shapes();
	test_holes();
	return finish();
}
