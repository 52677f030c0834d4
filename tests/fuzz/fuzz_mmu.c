/*
 * The page walk over tables that the input writes into an otherwise random memory, and the memory that is reached by
 * it. The walk must agree with itself: the same page for all of its bytes, and none in a hole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "input.h"
#include "memory.h"
#include "mmu.h"

#define MEMORY 0x10000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *memory;

static const void *physical(void *opaque, uint64_t gpa, size_t len)
{
	(void)opaque;
	if ((len != 4 && len != 8) || gpa % len || gpa >> 52)
		abort();
	return gpa < MEMORY && len <= MEMORY - gpa ? memory + gpa : NULL;
}

static void start(struct input *input, struct mmu *mmu)
{
	uint8_t how = take_byte(input), pieces = take_byte(input);

	if (!memory) {
		memory = mmap(NULL, 3ul * MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED || mprotect(memory + MEMORY, MEMORY, PROT_READ | PROT_WRITE))
			abort();
		memory += MEMORY;
	}
	memset(memory, 0, MEMORY);
	*mmu = (struct mmu){.cr0 = how & 1 ? 0x80000001 : 1, .cr3 = take(input, 2) & ~7ull, .physical = physical};
	mmu->cr4 = (how & 2 ? 0x20 : 0) | (how & 4 ? 0x10 : 0) | (how & 8 ? 0x1000 : 0);
	mmu->efer = (how & 16 ? 0x500 : 0) | (how & 32 ? 0x800 : 0);
	if (how & 64)
		mmu->cr3 |= take(input, 8);
	/* Entries of tables, of 4 or 8 bytes, and their neighbours, which continue them. */
	for (; pieces && input->left; pieces--) {
		uint64_t at = take(input, 2), entry = take(input, how & 128 ? 8 : 3);
		unsigned int len = mmu->cr4 & 0x20 ? 8 : 4;

		for (uint8_t again = take_byte(input); at + len <= MEMORY; at += len, again--, entry += 0x1000) {
			memcpy(memory + at, &entry, len);
			if (!again)
				break;
		}
	}
}

static void check(const struct mmu *mmu, uint64_t linear)
{
	struct mmu_page page = {0}, other = {0};
	char why[100] = "";
	uint64_t hole = mmu_hole(mmu, linear);

	if (mmu_translate(mmu, linear, &page, why, sizeof(why))) {
		if (!*why || page.left || !hole)
			abort();
		/* The last byte of the hole is none of a page's, either; it may reach round to the beginning. */
		if (!mmu_translate(mmu, linear + hole - 1, &other, NULL, 0))
			abort();
		return;
	}
	if (hole || !page.left)
		abort();
	if (mmu_translate(mmu, linear + page.left - 1, &other, NULL, 0) || other.left != 1 ||
	    other.gpa != page.gpa + page.left - 1 || other.writable != page.writable || other.user != page.user ||
	    other.executable != page.executable)
		abort();
}

/* The same tables, by a vCPU's registers: reads, writes, and regions. */
static void check_memory(const struct mmu *mmu, uint64_t linear)
{
	static uint8_t buf[0x3000], again[sizeof(buf)];
	struct vm vm = {.memory = memory, .size = MEMORY, .low_size = MEMORY};
	struct vcpu vcpu = {.vm = &vm, .fd = -1, .regs = &vcpu.own_regs, .sregs = &vcpu.own_sregs};
	struct gdbstub_region region;
	char why[100] = "";
	ssize_t len;

	vcpu.own_sregs.cr0 = mmu->cr0;
	vcpu.own_sregs.cr3 = mmu->cr3;
	vcpu.own_sregs.cr4 = mmu->cr4;
	vcpu.own_sregs.efer = mmu->efer;
	memory_region(&vcpu, linear, &region);
	if (linear - region.start >= region.size && region.size)
		abort();
	len = memory_read(&vcpu, linear, buf, sizeof(buf));
	if (len == 0 || len > (ssize_t)sizeof(buf) || (len > 0) != (region.readable || region.writable))
		abort();
	if (len <= 0) {
		memory_why(&vcpu, linear, 1, why, sizeof(why));
		if (!*why)
			abort();
	} else if (memory_read(&vcpu, linear, again, (size_t)len) != len || memcmp(buf, again, (size_t)len)) {
		abort();
	}
	if (!memory_write(&vcpu, linear, buf, sizeof(buf)) != (len == (ssize_t)sizeof(buf)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct mmu mmu;

	start(&input, &mmu);
	for (int i = 0; i < 8; i++) {
		uint64_t linear = take(&input, 8);

		if (mmu_mode(&mmu) < MMU_4LEVEL)
			linear &= 0xffffffff;
		check(&mmu, linear);
		check_memory(&mmu, linear);
	}
	return 0;
}
