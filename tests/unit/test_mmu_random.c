/* The page walk of src/mmu.c at random, against a second implementation. */
#include "mmu_tables.h"

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
	test_random();
	test_noise();
	return finish();
}
