#include "mmu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bits `low` to `high` of a register or an entry, both included, as the manuals count them. */
#define BITS(low, high) ((UINT64_MAX << (low)) & (UINT64_MAX >> (63 - (high))))
#define BIT(n) BITS(n, n)

#define CR0_PG BIT(31)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_LA57 BIT(12)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#define ENTRY_PRESENT BIT(0)
#define ENTRY_WRITABLE BIT(1)
#define ENTRY_USER BIT(2)
#define ENTRY_ACCESSED BIT(5)
#define ENTRY_PS BIT(7)
#define ENTRY_ADDRESS BITS(12, 51)
#define ENTRY_NX BIT(63)

struct level {
	const char *table, *entry; /* what messages call them; a NULL table ends the list */
	uint8_t shift;		   /* lowest bit of the index in the linear address */
	uint8_t bits;		   /* of the index */
	uint8_t size;		   /* bytes of an entry */
	bool large;		   /* an entry with PS set maps a page ... */
	uint64_t large_cr4;	   /* ... if these bits are set in CR4, else PS is ignored */
	uint64_t large_reserved;   /* must be 0 in such an entry */
	uint64_t large_high;	   /* holds bits 32 and up of such a page's address */
	uint64_t reserved;	   /* must be 0 in any entry that is present */
	uint64_t unrestricted;	   /* permissions, and Accessed, that this level has no bits for */
};

/* clang-format off */

/*
 * The levels of each mode, from the first table on. In a page table bit 7 is PAT, so `large` is
 * false there and the bit is ignored.
 */
static const struct level levels_none[] = {
	{ .table = NULL },
};

static const struct level levels_32[] = {
	/* PSE-36: bits 20:13 are bits 39:32 of the address, which leaves bit 21. */
	{ .table = "page directory", .entry = "page directory entry",
	  .shift = 22, .bits = 10, .size = 4,
	  .large = true, .large_cr4 = CR4_PSE,
	  .large_reserved = BIT(21), .large_high = BITS(13, 20) },
	{ .table = "page table", .entry = "page table entry",
	  .shift = 12, .bits = 10, .size = 4 },
	{ .table = NULL },
};

static const struct level levels_pae[] = {
	{ .table = "page directory pointer table", .entry = "page directory pointer entry",
	  .shift = 30, .bits = 2, .size = 8,
	  .reserved = BITS(1, 2) | BITS(5, 8) | BITS(52, 63),
	  .unrestricted = ENTRY_WRITABLE | ENTRY_USER | ENTRY_ACCESSED },
	{ .table = "page directory", .entry = "page directory entry",
	  .shift = 21, .bits = 9, .size = 8,
	  .large = true, .large_reserved = BITS(13, 20),
	  .reserved = BITS(52, 62) },
	{ .table = "page table", .entry = "page table entry",
	  .shift = 12, .bits = 9, .size = 8,
	  .reserved = BITS(52, 62) },
	{ .table = NULL },
};

/* Here bits 62:52 are the protection key and the operating system's own, not reserved. */
static const struct level levels_long[] = {
	{ .table = "PML5 table", .entry = "PML5 entry",
	  .shift = 48, .bits = 9, .size = 8,
	  .reserved = ENTRY_PS },
	{ .table = "PML4 table", .entry = "PML4 entry",
	  .shift = 39, .bits = 9, .size = 8,
	  .reserved = ENTRY_PS },
	{ .table = "page directory pointer table", .entry = "page directory pointer entry",
	  .shift = 30, .bits = 9, .size = 8,
	  .large = true, .large_reserved = BITS(13, 29) },
	{ .table = "page directory", .entry = "page directory entry",
	  .shift = 21, .bits = 9, .size = 8,
	  .large = true, .large_reserved = BITS(13, 20) },
	{ .table = "page table", .entry = "page table entry",
	  .shift = 12, .bits = 9, .size = 8 },
	{ .table = NULL },
};

/* clang-format on */

static const struct paging {
	const char *name;
	unsigned int width;	   /* bits of a linear address that are translated */
	bool canonical;		   /* the bits above repeat the topmost one, rather than be 0 */
	uint64_t root;		   /* bits of CR3 that are the address of the first table */
	const struct level *level; /* from the first table on */
} modes[] = {
	[MMU_NONE] = { "no paging", 32, false, 0, levels_none },
	[MMU_32] = { "32-bit paging", 32, false, BITS(12, 31), levels_32 },
	[MMU_PAE] = { "PAE paging", 32, false, BITS(5, 31), levels_pae },
	[MMU_4LEVEL] = { "4-level paging", 48, true, ENTRY_ADDRESS, levels_long + 1 },
	[MMU_5LEVEL] = { "5-level paging", 57, true, ENTRY_ADDRESS, levels_long },
};

enum mmu_mode mmu_mode(const struct mmu *mmu)
{
	if (!(mmu->cr0 & CR0_PG))
		return MMU_NONE;
	if (mmu->efer & EFER_LMA)
		return mmu->cr4 & CR4_LA57 ? MMU_5LEVEL : MMU_4LEVEL;
	return mmu->cr4 & CR4_PAE ? MMU_PAE : MMU_32;
}

const char *mmu_mode_name(enum mmu_mode mode)
{
	return modes[mode].name;
}

static int fail(char *why, size_t size, const char *format, ...)
	__attribute__((cold, format(printf, 3, 4)));

static int fail(char *why, size_t size, const char *format, ...)
{
	va_list args;

	if (why) {
		va_start(args, format);
		vsnprintf(why, size, format, args);
		va_end(args);
	}
	return -EFAULT;
}

/* The guest may be rewriting the entry on another vCPU, so it is copied once and then looked at. */
static uint64_t entry_load(const void *from, size_t size)
{
	uint64_t wide;
	uint32_t narrow;

	if (size == sizeof(narrow)) {
		memcpy(&narrow, from, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, from, sizeof(wide));
	return wide;
}

/* *left, on failure: how many bytes from `linear` on fail alike. */
static int walk(const struct mmu *mmu, uint64_t linear, struct mmu_page *page, uint64_t *left,
		char *why, size_t size)
{
	const struct paging *paging = &modes[mmu_mode(mmu)];
	/* With NXE clear bit 63 is reserved; an entry of 4 bytes has no such bit to set. */
	uint64_t nx_reserved = mmu->efer & EFER_NXE ? 0 : ENTRY_NX;
	uint64_t address = mmu->cr3 & paging->root;
	uint64_t allowed = UINT64_MAX;
	unsigned int shift = paging->width;
	const struct level *level;
	uint64_t offset;

	if (paging->canonical) {
		uint64_t top = linear >> (paging->width - 1);

		*left = (UINT64_MAX << (paging->width - 1)) - linear;
		if (top != 0 && top != UINT64_MAX >> (paging->width - 1))
			return fail(why, size, "0x%" PRIx64 " is not a canonical address", linear);
	} else if (linear >> paging->width) {
		*left = -linear;
		return fail(why, size,
			    "0x%" PRIx64 " is beyond the %u bits of a linear address with %s",
			    linear, paging->width, paging->name);
	}

	/* At most five rounds, whatever the tables point to. */
	for (level = paging->level; level->table; level++) {
		uint64_t index = (linear >> level->shift) & ((UINT64_C(1) << level->bits) - 1);
		uint64_t where = address + index * level->size;
		uint64_t reserved = level->reserved | nx_reserved;
		const void *from = mmu->physical(mmu->opaque, where, level->size);
		uint64_t entry;
		bool large;

		*left = (UINT64_C(1) << level->shift) - (linear & ((UINT64_C(1) << level->shift) - 1));
		if (!from)
			return fail(why, size,
				    "0x%" PRIx64 " is not mapped: the %s at 0x%" PRIx64
				    " is not in memory",
				    linear, level->table, address);

		entry = entry_load(from, level->size);
		/* First of all: in an entry that isn't present no other bit means anything. */
		if (!(entry & ENTRY_PRESENT))
			return fail(why, size,
				    "0x%" PRIx64 " is not mapped: the %s at 0x%" PRIx64
				    " is not present",
				    linear, level->entry, where);

		large = level->large && (entry & ENTRY_PS) &&
			(mmu->cr4 & level->large_cr4) == level->large_cr4;
		if (large)
			reserved |= level->large_reserved;
		if (entry & reserved)
			return fail(why, size,
				    "0x%" PRIx64 " is not mapped: reserved bit set in the %s at "
				    "0x%" PRIx64,
				    linear, level->entry, where);

		/* NX inverted, so that all three are permissions and all levels must grant them. */
		allowed &= (entry ^ ENTRY_NX) | level->unrestricted;
		shift = level->shift;
		if (large) {
			address = (entry & BITS(shift, 51)) | (entry & level->large_high) << 19;
			break;
		}
		address = entry & ENTRY_ADDRESS;
	}

	offset = linear & ((UINT64_C(1) << shift) - 1);
	page->gpa = address | offset;
	page->left = (UINT64_C(1) << shift) - offset;
	page->writable = allowed & ENTRY_WRITABLE;
	page->user = allowed & ENTRY_USER;
	page->executable = allowed & ENTRY_NX;
	page->accessed = allowed & ENTRY_ACCESSED;
	return 0;
}

int mmu_translate(const struct mmu *mmu, uint64_t linear, struct mmu_page *page, char *why,
		  size_t size)
{
	uint64_t left;

	return walk(mmu, linear, page, &left, why, size);
}

uint64_t mmu_hole(const struct mmu *mmu, uint64_t linear)
{
	struct mmu_page page;
	uint64_t left;

	return walk(mmu, linear, &page, &left, NULL, 0) ? left : 0;
}
