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

/* A piece of memory that is in one page, and in one piece of host memory or of the window. */
struct piece {
	uint64_t gpa;
	size_t len;
	void *host; /* NULL: the window */
};

static bool find_physical(const struct vm *vm, uint64_t gpa, size_t len, struct piece *piece)
{
	uint64_t left;

	piece->gpa = gpa;
	piece->host = vm_host(vm, gpa, &left);
	if (!piece->host && !vm_in_window(vm, gpa, &left))
		return false;
	piece->len = len < left ? len : (size_t)left;
	return true;
}

/* The longest one from `linear` on, of at most `len` bytes. False if there is nothing. */
static bool find(const struct vcpu *vcpu, const struct mmu *mmu, uint64_t linear, size_t len, struct piece *piece)
{
	struct mmu_page page;

	return !mmu_translate(mmu, linear, &page, NULL, 0) &&
	       find_physical(vcpu->vm, page.gpa, len < page.left ? len : (size_t)page.left, piece);
}

static void read_piece(const struct vm *vm, const struct piece *piece, void *to)
{
	if (piece->host) {
		memcpy(to, piece->host, piece->len);
		traps_hide(vm, piece->gpa, to, piece->len);
	} else {
		vm_access_window(vm, piece->gpa, to, piece->len, WINDOW_PEEK);
	}
}

static void write_piece(struct vm *vm, const struct piece *piece, const uint8_t *from)
{
	uint8_t byte;

	if (piece->host)
		traps_write(vm, piece->gpa, piece->host, from, piece->len);
	for (size_t i = 0; !piece->host && i < piece->len; i++) {
		byte = from[i];
		vm_access_window(vm, piece->gpa + i, &byte, 1, WINDOW_WRITE);
	}
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
	if (vm_host(vcpu->vm, page.gpa, &left) || vm_in_window(vcpu->vm, page.gpa, &left)) {
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

void memory_region_physical(const struct vcpu *vcpu, uint64_t gpa, struct gdbstub_region *region)
{
	struct piece piece;

	*region = (struct gdbstub_region){.start = gpa & ~0xfffull};
	region->readable = find_physical(vcpu->vm, region->start, SIZE_MAX, &piece);
	region->writable = region->executable = region->readable;
	region->size = region->readable ? piece.len : vm_next(vcpu->vm, region->start) - region->start;
}

void memory_describe(const struct vcpu *vcpu, uint64_t linear, char *text, size_t size)
{
	struct mmu mmu = mmu_of(vcpu);
	struct mmu_page page;
	struct piece piece;
	uint64_t left;
	const char *what;

	if (mmu_translate(&mmu, linear, &page, text, size))
		return;
	what = vm_in_window(vcpu->vm, page.gpa, &left)		 ? "the screen's memory"
	       : !find_physical(vcpu->vm, page.gpa, 1, &piece) ? "no memory"
								 : "memory";
	snprintf(text, size, "0x%llx is %s at physical address 0x%llx (%s: %s, %s, %s)", (unsigned long long)linear, what,
		 (unsigned long long)page.gpa, mmu_mode_name(mmu_mode(&mmu)),
		 page.writable ? "writable" : "read-only", page.user ? "user" : "kernel",
		 page.executable ? "executable" : "not executable");
}

ssize_t memory_read(const struct vcpu *vcpu, uint64_t linear, void *buf, size_t len)
{
	struct mmu mmu = mmu_of(vcpu);
	uint8_t *to = buf;
	size_t done = 0;

	while (done < len) {
		struct piece piece;

		if (!find(vcpu, &mmu, linear + done, len - done, &piece))
			break;
		read_piece(vcpu->vm, &piece, to + done);
		done += piece.len;
		if (linear + done == 0) /* the end of the address space is not its beginning */
			break;
	}
	return done || !len ? (ssize_t)done : -EFAULT;
}

int memory_write(struct vcpu *vcpu, uint64_t linear, const void *buf, size_t len)
{
	struct mmu mmu = mmu_of(vcpu);
	const uint8_t *from = buf;
	struct piece piece;
	size_t done;

	if (len && linear + len - 1 < linear)
		return -EFAULT;
	for (done = 0; done < len; done += piece.len) {
		if (!find(vcpu, &mmu, linear + done, len - done, &piece))
			return -EFAULT;
	}
	for (done = 0; done < len; done += piece.len) {
		/* Again, because what was written may have been the page tables themselves. */
		if (!find(vcpu, &mmu, linear + done, len - done, &piece))
			return -EFAULT;
		write_piece(vcpu->vm, &piece, from + done);
	}
	return 0;
}

ssize_t memory_read_physical(const struct vcpu *vcpu, uint64_t gpa, void *buf, size_t len)
{
	struct piece piece;

	if (!find_physical(vcpu->vm, gpa, len, &piece))
		return len ? -EFAULT : 0;
	read_piece(vcpu->vm, &piece, buf);
	return (ssize_t)piece.len;
}

int memory_write_physical(struct vcpu *vcpu, uint64_t gpa, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	struct piece piece;
	size_t done;

	/* It may be in RAM as well as in the window. */
	for (done = 0; done < len; done += piece.len) {
		if (!find_physical(vcpu->vm, gpa + done, len - done, &piece))
			return -EFAULT;
	}
	for (done = 0; done < len; done += piece.len) {
		find_physical(vcpu->vm, gpa + done, len - done, &piece);
		write_piece(vcpu->vm, &piece, from + done);
	}
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

bool memory_allows(const struct vcpu *vcpu, uint64_t linear, size_t len, bool write, unsigned int cpl)
{
	struct mmu mmu = mmu_of(vcpu);
	bool is_user = cpl == 3, is_guarded = is_user || mmu.cr0 & CR0_WP;
	struct mmu_page page;
	uint64_t left;

	for (size_t done = 0; done < len; done += (size_t)left) {
		if (mmu_translate(&mmu, linear + done, &page, NULL, 0) || (is_user && !page.user) ||
		    (write && ((is_guarded && !page.writable) || vm_is_rom(vcpu->vm, page.gpa))) ||
		    !vm_host(vcpu->vm, page.gpa, &left))
			return false;
		if (left > page.left)
			left = page.left;
		if (left > len - done)
			left = len - done;
	}
	return true;
}

bool memory_runs(const struct vcpu *vcpu, uint64_t linear, size_t len, unsigned int cpl)
{
	struct mmu mmu = mmu_of(vcpu);
	struct mmu_page page;
	uint64_t left;

	return !mmu_translate(&mmu, linear, &page, NULL, 0) && page.executable && page.accessed && len <= page.left &&
	       (cpl == 3 ? page.user : !(page.user && mmu.cr4 & CR4_SMEP)) &&
	       vm_host(vcpu->vm, page.gpa, &left) && len <= left;
}

void *memory_host(const struct vcpu *vcpu, uint64_t linear, uint64_t *left)
{
	struct mmu mmu = mmu_of(vcpu);
	struct piece piece = {0};

	find(vcpu, &mmu, linear, SIZE_MAX, &piece);
	*left = piece.len;
	return piece.host;
}

void memory_why(const struct vcpu *vcpu, uint64_t linear, size_t len, char *why, size_t size)
{
	struct mmu mmu = mmu_of(vcpu);
	struct mmu_page page;
	struct piece piece;
	size_t done = 0;

	while (done < len && find(vcpu, &mmu, linear + done, len - done, &piece))
		done += piece.len;
	if (!mmu_translate(&mmu, linear + done, &page, why, size))
		snprintf(why, size, "there is no memory at physical address 0x%llx",
			 (unsigned long long)page.gpa);
}
