#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mmu.h"
#include "trap.h"

static const void *physical(void *opaque, uint64_t gpa, size_t len)
{
	uint64_t left;
	const void *host = vm_host(opaque, gpa, &left);

	return host && left >= len ? host : NULL;
}

static struct mmu mmu_of(const struct vcpu *vcpu)
{
	return (struct mmu){
		.cr0 = vcpu->sregs->cr0,
		.cr3 = vcpu->sregs->cr3,
		.cr4 = vcpu->sregs->cr4,
		.efer = vcpu->sregs->efer,
		.physical = physical,
		.opaque = vcpu->vm,
	};
}

/* The longest piece from `linear` on that is in one page and one piece of host memory. */
static void *piece(const struct vcpu *vcpu, const struct mmu *mmu, uint64_t linear, size_t len,
		   uint64_t *gpa, size_t *part)
{
	struct mmu_page page;
	uint64_t left;
	void *host;

	if (mmu_translate(mmu, linear, &page, NULL, 0))
		return NULL;
	host = vm_host(vcpu->vm, page.gpa, &left);
	if (!host)
		return NULL;
	if (left > page.left)
		left = page.left;
	*gpa = page.gpa;
	*part = len < left ? len : (size_t)left;
	return host;
}

/* What of one page, or of one hole between pages, is alike from `linear` on. */
static void uniform(const struct vcpu *vcpu, const struct mmu *mmu, uint64_t linear,
		    struct gdbstub_region *region)
{
	struct mmu_page page;
	uint64_t left;

	*region = (struct gdbstub_region){.start = linear};
	if (mmu_translate(mmu, linear, &page, NULL, 0)) {
		region->size = mmu_hole(mmu, linear);
		return;
	}
	region->size = page.left;
	if (vm_host(vcpu->vm, page.gpa, &left)) {
		region->readable = true;
		region->writable = page.writable;
		region->executable = page.executable;
	} else {
		left = vm_next(vcpu->vm, page.gpa) - page.gpa;
	}
	if (region->size > left)
		region->size = left;
}

/* A guest that maps each page for itself has many: of so many pieces one region is made. */
#define REGION_PIECES 4096

void memory_region(const struct vcpu *vcpu, uint64_t linear, struct gdbstub_region *region)
{
	struct mmu mmu = mmu_of(vcpu);
	struct gdbstub_region next;

	/* Pages, and memory, begin at multiples of this. */
	uniform(vcpu, &mmu, linear & ~0xfffull, region);
	for (int i = 0; i < REGION_PIECES && region->start + region->size != 0; i++) {
		uniform(vcpu, &mmu, region->start + region->size, &next);
		if (next.readable != region->readable || next.writable != region->writable ||
		    next.executable != region->executable)
			break;
		region->size += next.size;
	}
}

ssize_t memory_read(const struct vcpu *vcpu, uint64_t linear, void *buf, size_t len)
{
	struct mmu mmu = mmu_of(vcpu);
	uint8_t *to = buf;
	size_t done = 0;

	while (done < len) {
		uint64_t gpa;
		size_t part;
		const void *host = piece(vcpu, &mmu, linear + done, len - done, &gpa, &part);

		if (!host)
			break;
		memcpy(to + done, host, part);
		traps_hide(vcpu->vm, gpa, to + done, part);
		done += part;
		if (linear + done == 0) /* the end of the address space is not its beginning */
			break;
	}
	return done || !len ? (ssize_t)done : -EFAULT;
}

int memory_write(struct vcpu *vcpu, uint64_t linear, const void *buf, size_t len)
{
	struct mmu mmu = mmu_of(vcpu);
	const uint8_t *from = buf;
	uint64_t gpa;
	size_t done, part;

	if (len && linear + len - 1 < linear)
		return -EFAULT;
	for (done = 0; done < len; done += part) {
		if (!piece(vcpu, &mmu, linear + done, len - done, &gpa, &part))
			return -EFAULT;
	}
	for (done = 0; done < len; done += part) {
		/* Again, because what was written may have been the page tables themselves. */
		void *host = piece(vcpu, &mmu, linear + done, len - done, &gpa, &part);

		if (!host)
			return -EFAULT;
		traps_write(vcpu->vm, gpa, host, from + done, part);
	}
	return 0;
}

ssize_t memory_read_physical(const struct vcpu *vcpu, uint64_t gpa, void *buf, size_t len)
{
	uint64_t left;
	const void *host = vm_host(vcpu->vm, gpa, &left);

	if (!host)
		return len ? -EFAULT : 0;
	if (len > left)
		len = (size_t)left;
	memcpy(buf, host, len);
	traps_hide(vcpu->vm, gpa, buf, len);
	return (ssize_t)len;
}

int memory_write_physical(struct vcpu *vcpu, uint64_t gpa, const void *buf, size_t len)
{
	uint64_t left;
	void *host = vm_host(vcpu->vm, gpa, &left);

	if (len && (!host || len > left))
		return -EFAULT;
	if (len)
		traps_write(vcpu->vm, gpa, host, buf, len);
	return 0;
}

int memory_translate(const struct vcpu *vcpu, uint64_t linear, uint64_t *gpa)
{
	struct mmu mmu = mmu_of(vcpu);
	struct mmu_page page;

	if (mmu_translate(&mmu, linear, &page, NULL, 0))
		return -EFAULT;
	*gpa = page.gpa;
	return 0;
}

void *memory_host(const struct vcpu *vcpu, uint64_t linear, uint64_t *left)
{
	struct mmu mmu = mmu_of(vcpu);
	size_t part = 0;
	uint64_t gpa;
	void *host = piece(vcpu, &mmu, linear, SIZE_MAX, &gpa, &part);

	*left = part;
	return host;
}

void memory_why(const struct vcpu *vcpu, uint64_t linear, size_t len, char *why, size_t size)
{
	struct mmu mmu = mmu_of(vcpu);
	struct mmu_page page;
	size_t done = 0, part;
	uint64_t gpa;

	while (done < len && piece(vcpu, &mmu, linear + done, len - done, &gpa, &part))
		done += part;
	if (!mmu_translate(&mmu, linear + done, &page, why, size))
		snprintf(why, size, "there is no memory at physical address 0x%llx",
			 (unsigned long long)page.gpa);
}
