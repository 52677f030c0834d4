/* The page walk of src/mmu.c in particular cases, against tables written by hand. See test_mmu_shapes.c, too. */
#include "mmu_tables.h"

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
int main(void)
{
	test_modes();
	test_none();
	test_canonical_edges();
	test_pse();
	test_pse_elsewhere();
	test_pae_root();
	test_crossing();
	test_self_reference();
	test_sentences();
	test_order();
	return finish();
}
