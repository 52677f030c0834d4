/*
 * What the tests of src/mmu.c share: page tables in a small physical memory, which counts how it is read. Nothing but
 * the encodings of the manual is shared with the code under test.
 */
#ifndef MMU_TABLES_H
#define MMU_TABLES_H

#include "mmu.h"

#include <errno.h>
#include <inttypes.h>
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

/*
 * 64 KiB from 0 up, the last page below 4 GiB and the last page below 2^52. A host address is odd
 * on purpose: an entry read other than with memcpy is then seen by UndefinedBehaviorSanitizer.
 */
#define PAGE UINT64_C(0x1000)
#define LOW_SIZE UINT64_C(0x10000)
#define MIDDLE UINT64_C(0xfffff000)
#define HIGH UINT64_C(0xffffffffff000)
#define REGIONS 3

extern const struct region {
	uint64_t start, size, offset; /* the offset is in `memory` */
} regions[REGIONS];
extern uint8_t memory[LOW_SIZE + 2 * PAGE + 1];
/* How often it was read, and how often otherwise than by a whole, aligned entry below 2^52. */
extern unsigned int reads, bad_reads;

/* The bytes at a physical address, or NULL. */
uint8_t *locate(uint64_t gpa, uint64_t len);
/* Writes an entry of 4 or 8 bytes; outside the memory it ends the test. */
void put(uint64_t gpa, unsigned int size, uint64_t value);
void clear(void);
struct mmu mmu_with(uint64_t cr0, uint64_t cr3, uint64_t cr4, uint64_t efer);

/* A mask of the bits low to high. */
uint64_t span(unsigned int low, unsigned int high);

/* ------------------------------------------------------- one translation each */

/* `rights`: any of "w", "u" and "x", in this order. */
static inline bool is_page(const struct mmu_page *page, uint64_t gpa, uint64_t left, const char *rights)
{
	return page->gpa == gpa && page->left == left && page->writable == !!strchr(rights, 'w') &&
	       page->user == !!strchr(rights, 'u') && page->executable == !!strchr(rights, 'x');
}

static inline void comment_result(int error, const struct mmu_page *page, const char *why)
{
	comment("got %d, 0x%" PRIx64 ", left 0x%" PRIx64 ", %s%s%s, \"%s\"", error, page->gpa,
		page->left, page->writable ? "w" : "-", page->user ? "u" : "-",
		page->executable ? "x" : "-", why);
}

static inline bool is_same(const struct mmu_page *a, const struct mmu_page *b)
{
	return a->gpa == b->gpa && a->left == b->left && a->writable == b->writable &&
	       a->user == b->user && a->executable == b->executable && a->accessed == b->accessed;
}

static const struct mmu_page untouched = { UINT64_C(0xa5a5a5a5a5a5), 0x5a5a, true, false, true, false };

static inline void maps(const struct mmu *mmu, uint64_t linear, uint64_t gpa, uint64_t left,
		 const char *rights, const char *name)
{
	struct mmu_page page = untouched;
	char why[256] = "untouched";
	int error = mmu_translate(mmu, linear, &page, why, sizeof(why));

	if (!result(error == 0 && is_page(&page, gpa, left, rights) && !strcmp(why, "untouched"),
		    "%s", name))
		comment_result(error, &page, why);
}

static inline void fails(const struct mmu *mmu, uint64_t linear, const char *sentence, const char *name)
{
	struct mmu_page page = untouched;
	char why[256] = "untouched";
	int error = mmu_translate(mmu, linear, &page, why, sizeof(why));

	if (!result(error == -EFAULT && is_same(&page, &untouched) && !strcmp(why, sentence), "%s",
		    name))
		comment_result(error, &page, why);
}

#endif
