/* Raw binaries: the bytes as they are, at --load, entered at --entry in the mode of --mode. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "machine.h"
#include "options.h"
#include "segment.h"

#define GDT_CODE 0x08
#define GDT_DATA 0x10
#define DESCRIPTOR_CODE_32 0x00cf9b000000ffffull
#define DESCRIPTOR_CODE_64 0x00af9b000000ffffull
#define DESCRIPTOR_DATA 0x00cf93000000ffffull

#define PAGE_SIZE 0x1000ull
#define LARGE_PAGE_SIZE 0x200000ull
#define ENTRIES 512
#define PRESENT_WRITABLE 0x3ull
#define LARGE 0x80ull

#define IVT_AND_BIOS_DATA_END 0x500
#define STACK_MIN 0x400

static int matches(const struct options *options, const struct image *image)
{
	(void)options;
	(void)image;
	return 1;
}

/* SEG:OFF or a linear address, as the segment and offset of 16-bit code. */
static int real_mode_entry(const struct options *options, uint16_t *cs, uint16_t *ip, char *why,
			   size_t size)
{
	uint64_t linear = options->entry ? options->entry_offset : options->load;

	if (options->entry && options->entry_has_segment) {
		*cs = options->entry_segment;
		*ip = (uint16_t)options->entry_offset;
		return 0;
	}
	if (linear > 0xfffff) {
		snprintf(why, size,
			 "16-bit code cannot begin at 0x%llx: linear entries end at 0xfffff",
			 (unsigned long long)linear);
		return -EINVAL;
	}
	*cs = (uint16_t)(linear >> 4 & 0xf000);
	*ip = (uint16_t)linear;
	return 0;
}

/* Just below the image, or at the end of the first 64 KiB where there is no room for it. */
static uint16_t real_mode_stack(const struct options *options)
{
	if (options->load >= IVT_AND_BIOS_DATA_END + STACK_MIN && options->load <= 0xffff)
		return options->load & 0xfff0;
	return 0;
}

/* The pages that the entry needs beside the image: a GDT, and for 64-bit mode page tables. */
static uint64_t pages_needed(const struct machine *machine, int mode)
{
	uint64_t end = machine->vm.size > VM_LOW_MAX
			       ? VM_HIGH_START + machine->vm.size - VM_LOW_MAX
			       : machine->vm.size;
	uint64_t directories = (end + (1ull << 30) - 1) >> 30;

	/* GDT, PML4, page directory pointers, one page directory for each GiB */
	return mode == 64 ? 3 + directories + (directories - 1) / ENTRIES : 1;
}

static void put_entry(struct machine *machine, uint64_t table, uint64_t index, uint64_t entry)
{
	memcpy(vm_host(&machine->vm, table + 8 * index, NULL), &entry, sizeof(entry));
}

/* Identity page tables of 2 MiB pages over all of memory; returns the root's address. */
static uint64_t make_page_tables(struct machine *machine, uint64_t at)
{
	uint64_t root = at, next = at + PAGE_SIZE, pointers = 0, directory = 0;
	uint64_t low = machine->vm.low_size, high = machine->vm.size - low;
	uint64_t end = high ? VM_HIGH_START + high : low;

	for (uint64_t linear = 0; linear < end; linear += LARGE_PAGE_SIZE) {
		if (!(linear & ((1ull << 39) - 1))) {
			pointers = next;
			next += PAGE_SIZE;
			put_entry(machine, root, linear >> 39, pointers | PRESENT_WRITABLE);
		}
		if (!(linear & ((1ull << 30) - 1))) {
			directory = next;
			next += PAGE_SIZE;
			put_entry(machine, pointers, linear >> 30 & (ENTRIES - 1),
				  directory | PRESENT_WRITABLE);
		}
		/* The hole between low and high memory stays one. */
		if (linear < low || linear >= VM_HIGH_START)
			put_entry(machine, directory, linear >> 21 & (ENTRIES - 1),
				  linear | PRESENT_WRITABLE | LARGE);
	}
	return root;
}

static int protected_mode(struct machine *machine, int mode, uint64_t entry, uint64_t image_end,
			  char *why, size_t size)
{
	struct vcpu *vcpu = &machine->vcpu;
	struct kvm_sregs sregs = *vcpu->sregs;
	uint64_t pages = pages_needed(machine, mode);
	uint64_t gdt, descriptors[] = {0, mode == 64 ? DESCRIPTOR_CODE_64 : DESCRIPTOR_CODE_32,
				       DESCRIPTOR_DATA};
	int result;

	gdt = machine->vm.low_size - pages * PAGE_SIZE;
	if (machine->vm.low_size <= pages * PAGE_SIZE ||
	    (machine->options->load < machine->vm.low_size && gdt < image_end)) {
		snprintf(why, size,
			 "%d-bit mode needs %llu bytes for its tables at the end of memory, and the "
			 "image reaches to 0x%llx: give the guest more with --memory",
			 mode, (unsigned long long)(pages * PAGE_SIZE), (unsigned long long)image_end);
		return -ENOSPC;
	}
	memcpy(vm_host(&machine->vm, gdt, NULL), descriptors, sizeof(descriptors));
	sregs.gdt = (struct kvm_dtable){.base = gdt, .limit = sizeof(descriptors) - 1};
	sregs.idt = (struct kvm_dtable){0}; /* there are no handlers: an exception is fatal */
	for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS; s++)
		segment_set_flat(segment_of(&sregs, s), s, s == SEGMENT_CS ? GDT_CODE : GDT_DATA,
				 mode == 64 && s == SEGMENT_CS);
	sregs.cr0 = CR0_PE | CR0_ET;
	if (mode == 64) {
		sregs.cr3 = make_page_tables(machine, gdt + PAGE_SIZE);
		sregs.cr4 |= CR4_PAE;
		sregs.efer |= EFER_LME | EFER_LMA;
		sregs.cr0 |= CR0_PG;
	}
	result = vcpu_set_sregs(vcpu, &sregs);
	if (result) {
		snprintf(why, size, "KVM refuses %d-bit mode: %s", mode, strerror(-result));
		return result;
	}
	*vcpu->regs = (struct kvm_regs){.rip = entry, .rsp = gdt, .rflags = 2};
	vcpu->regs_dirty = true;
	return 0;
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	const struct options *options = machine->options;
	uint64_t entry = options->entry ? options->entry_offset : options->load;
	uint16_t cs, ip;
	int result;

	if (image->truncated) {
		snprintf(why, size,
			 "%s is larger than the guest's memory of %llu bytes: give it more with "
			 "--memory",
			 image->path, (unsigned long long)machine->vm.size);
		return -EFBIG;
	}
	result = load_copy(machine, options->load, image->data, image->size, why, size);
	if (result)
		return result;
	if (options->mode == 16) {
		result = real_mode_entry(options, &cs, &ip, why, size);
		if (!result && !vm_host(&machine->vm, ((uint64_t)cs << 4) + ip, NULL)) {
			snprintf(why, size, "there is no memory at the entry %04x:%04x", cs, ip);
			result = -EINVAL;
		}
		return result ? result
			      : load_real_mode(machine, cs, ip, real_mode_stack(options), why, size);
	}
	if (options->entry && options->entry_has_segment) {
		snprintf(why, size, "the entry of %d-bit code is a linear address", options->mode);
		return -EINVAL;
	}
	if (!vm_host(&machine->vm, entry, NULL)) {
		snprintf(why, size, "there is no memory at the entry 0x%llx",
			 (unsigned long long)entry);
		return -EINVAL;
	}
	return protected_mode(machine, options->mode, entry, options->load + image->size, why, size);
}

const struct image_type image_raw = {"raw", "any bytes, at --load, from --entry on", matches, load};
