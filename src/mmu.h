/*
 * From linear to guest-physical addresses: a walk of the guest's page tables in software, in every
 * paging mode of x86. It leaves no trace: it never sets an Accessed or Dirty bit, and needs no
 * vCPU. KVM_TRANSLATE is no substitute: it tells neither the size of the page nor why there is
 * none, and the permissions that it reports are constants.
 */
#ifndef MMU_H
#define MMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mmu_mode { MMU_NONE, MMU_32, MMU_PAE, MMU_4LEVEL, MMU_5LEVEL };

/* What a walk needs of the CPU and of the machine. */
struct mmu {
	uint64_t cr0, cr3, cr4, efer;
	/*
	 * Host address of `len` bytes at guest-physical `gpa`, all in one piece, or NULL where
	 * there is no memory. The walk asks for one entry at a time (4 or 8 bytes, aligned in the
	 * guest, of any alignment in the host) and never above 52 bits.
	 */
	const void *(*physical)(void *opaque, uint64_t gpa, size_t len);
	void *opaque;
};

struct mmu_page {
	uint64_t gpa;  /* of the address asked for */
	uint64_t left; /* bytes from there to the end of the page, at least 1 */
	/* Combined over all levels, as the tables say; CR0.WP, SMEP etc. are not applied. */
	bool writable, user, executable;
	bool accessed; /* a CPU that used the page would have no bit of this name to set */
};

/* The paging mode that the control registers select. */
enum mmu_mode mmu_mode(const struct mmu *mmu);

/* "no paging", "32-bit paging", "PAE paging", "4-level paging" or "5-level paging". */
const char *mmu_mode_name(enum mmu_mode mode);

/*
 * Translates `linear`. Without paging everything is one page of 4 GiB with all permissions.
 * Whether there is memory at page->gpa is not looked at: it may well be a device.
 *
 * Returns 0; or -EFAULT, with *page as it was and a sentence in `why` (`size` bytes, may be NULL)
 * that names the linear address and the level at which the walk ended.
 *
 * SDM volume 3, chapter "Paging". Two things differ from a CPU on purpose: the tables are read from
 * memory, so a stale TLB or stale PDPTE registers aren't seen; and MAXPHYADDR is taken as 52, so of
 * the bits that depend on it only those from 52 up are reserved.
 */
int mmu_translate(const struct mmu *mmu, uint64_t linear, struct mmu_page *page, char *why,
		  size_t size);

/* How many bytes from `linear` on are in no page, at least; 0: it is in one. Modulo 2^64. */
uint64_t mmu_hole(const struct mmu *mmu, uint64_t linear);

#endif
