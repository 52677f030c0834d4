/* The CPU's state at the entry: 16-bit mode, or a flat 32- or 64-bit mode with the tables for it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load/load.h"
#include "machine.h"
#include "segment.h"

#define GDT_CODE 0x08
#define GDT_ENTRIES 4
#define DESCRIPTOR_CODE_32 0x00cf9b000000ffffull
#define DESCRIPTOR_CODE_64 0x00af9b000000ffffull
#define DESCRIPTOR_DATA 0x00cf93000000ffffull

#define PAGE_SHIFT 12
#define LARGE_PAGE_SHIFT 21
#define ROOT_SHIFT 39
#define TABLE_BITS 9
#define PAGE_SIZE (1ull << PAGE_SHIFT)
#define LARGE_PAGE_SIZE (1ull << LARGE_PAGE_SHIFT)
#define PRESENT_WRITABLE 0x3ull
#define LARGE 0x80ull

#define IVT_AND_BIOS_DATA_END 0x500
#define REAL_STACK_MIN 0x400

struct tables {
	const struct vm *vm;
	uint64_t root;
	uint64_t next; /* the first page that is not used yet */
};

/* Just below the image, or at the end of the first 64 KiB where there is no room for it. */
static uint16_t real_mode_stack(uint64_t image_start)
{
	if (image_start >= IVT_AND_BIOS_DATA_END + REAL_STACK_MIN && image_start <= 0xffff)
		return image_start & 0xfff0;
	return 0;
}

int load_real_mode(struct machine *machine, uint16_t cs, uint16_t ip, uint64_t image_start, char *why,
		   size_t size)
{
	struct vcpu *vcpu = &machine->vcpu;
	struct kvm_sregs sregs = *vcpu->sregs;
	int result;

	if (!vm_host(&machine->vm, ((uint64_t)cs << 4) + ip, NULL)) {
		snprintf(why, size, "there is no memory at the entry %04x:%04x", cs, ip);
		return -EINVAL;
	}
	sregs.cr0 = CR0_ET; /* the caches are on, as firmware leaves them */
	for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS; s++)
		segment_set_real(segment_of(&sregs, s), s, s == SEGMENT_CS ? cs : 0);
	result = vcpu_set_sregs(vcpu, &sregs);
	if (result) {
		snprintf(why, size, "KVM refuses the segment registers: %s", strerror(-result));
		return result;
	}
	*vcpu->regs = (struct kvm_regs){.rip = ip, .rsp = real_mode_stack(image_start), .rflags = 2};
	vcpu->regs_dirty = true;
	return 0;
}

int load_real_mode_at(struct machine *machine, uint64_t linear, uint64_t image_start, char *why,
		      size_t size)
{
	if (linear > 0xfffff) {
		snprintf(why, size,
			 "16-bit code cannot begin at 0x%llx: linear entries end at 0xfffff",
			 (unsigned long long)linear);
		return -EINVAL;
	}
	return load_real_mode(machine, (uint16_t)(linear >> 4 & 0xf000), (uint16_t)linear, image_start, why,
			      size);
}

/* How many tables it takes at most to map this with pages of 1 << shift bytes, beside the root. */
static uint64_t tables_for(uint64_t linear, uint64_t len, unsigned int shift)
{
	uint64_t count = 0;

	for (unsigned int s = shift + TABLE_BITS; s <= ROOT_SHIFT; s += TABLE_BITS)
		count += ((linear + (len - 1)) >> s) - (linear >> s) + 1;
	return count;
}

static uint64_t memory_end(const struct vm *vm)
{
	return vm->size > VM_LOW_MAX ? VM_HIGH_START + vm->size - VM_LOW_MAX : vm->size;
}

/* The pages that the entry needs beside the image: a GDT, and for 64-bit mode page tables. */
static uint64_t pages_needed(const struct vm *vm, const struct load_entry *entry)
{
	uint64_t pages;

	if (entry->mode == 32)
		return 1;
	pages = 2 + tables_for(0, memory_end(vm), LARGE_PAGE_SHIFT);
	for (size_t i = 0; i < entry->map_count; i++)
		pages += tables_for(entry->maps[i].linear, entry->maps[i].len, PAGE_SHIFT);
	return pages;
}

/* -EEXIST if something else is there already. */
static int map_page(struct tables *tables, uint64_t linear, uint64_t physical, unsigned int shift)
{
	uint64_t table = tables->root, *entry;
	uint64_t value = physical | PRESENT_WRITABLE | (shift == PAGE_SHIFT ? 0 : LARGE);

	for (unsigned int s = ROOT_SHIFT;; s -= TABLE_BITS) {
		entry = vm_host(tables->vm, table + 8 * (linear >> s & ((1u << TABLE_BITS) - 1)), NULL);
		if (s == shift)
			break;
		if (!*entry) {
			*entry = tables->next | PRESENT_WRITABLE;
			tables->next += PAGE_SIZE;
		}
		if (*entry & LARGE)
			return -EEXIST;
		table = *entry & -PAGE_SIZE;
	}
	if (*entry && *entry != value)
		return -EEXIST;
	*entry = value;
	return 0;
}

bool load_is_identity(const struct machine *machine, uint64_t linear)
{
	return vm_host(&machine->vm, linear & -LARGE_PAGE_SIZE, NULL) != NULL;
}

/* All of memory at its own addresses, in 2 MiB pages, and what the image has elsewhere in 4 KiB pages. */
static int make_page_tables(struct tables *tables, const struct load_entry *entry, char *why, size_t size)
{
	uint64_t end = memory_end(tables->vm);

	for (uint64_t linear = 0; linear < end; linear += LARGE_PAGE_SIZE) {
		/* The hole between low and high memory stays one. */
		if (vm_host(tables->vm, linear, NULL))
			map_page(tables, linear, linear, LARGE_PAGE_SHIFT);
	}
	for (size_t i = 0; i < entry->map_count; i++) {
		const struct load_map *map = &entry->maps[i];
		uint64_t first = map->linear >> PAGE_SHIFT;
		uint64_t last = (map->linear + (map->len - 1)) >> PAGE_SHIFT;

		for (uint64_t page = first; page <= last; page++) {
			if (!map_page(tables, page << PAGE_SHIFT,
				      (map->physical & -PAGE_SIZE) + ((page - first) << PAGE_SHIFT),
				      PAGE_SHIFT))
				continue;
			snprintf(why, size,
				 "the page at 0x%llx, which should be mapped to 0x%llx, is another one already",
				 (unsigned long long)page << PAGE_SHIFT,
				 (unsigned long long)(map->physical & -PAGE_SIZE) +
					 ((page - first) << PAGE_SHIFT));
			return -EINVAL;
		}
	}
	return 0;
}

uint64_t load_flat_size(const struct machine *machine, const struct load_entry *entry)
{
	return pages_needed(&machine->vm, entry) * PAGE_SIZE;
}

int load_flat_mode(struct machine *machine, const struct load_entry *entry, char *why, size_t size)
{
	struct vcpu *vcpu = &machine->vcpu;
	struct kvm_sregs sregs = *vcpu->sregs;
	int mode = entry->mode, result;
	uint64_t len = load_flat_size(machine, entry);
	uint64_t gdt, descriptors[GDT_ENTRIES] = {0};
	uint16_t code = entry->code ? entry->code : GDT_CODE, data = code + 8;
	struct tables tables = {.vm = &machine->vm};

	if (mode == 32 && entry->linear > UINT32_MAX) {
		snprintf(why, size, "32-bit code cannot begin at 0x%llx, above 4 GiB",
			 (unsigned long long)entry->linear);
		return -EINVAL;
	}
	if (machine->vm.low_size <= len || machine->vm.low_size - len < entry->image_end ||
	    machine->vm.low_size - len - entry->image_end < entry->stack) {
		snprintf(why, size,
			 "%d-bit mode needs %llu bytes for its tables%s at the end of memory, and the "
			 "image reaches to 0x%llx: give the guest more with --memory",
			 mode, (unsigned long long)(len + entry->stack), entry->stack ? " and the stack" : "",
			 (unsigned long long)entry->image_end);
		return -ENOSPC;
	}
	gdt = machine->vm.low_size - len;
	descriptors[code / 8] = mode == 64 ? DESCRIPTOR_CODE_64 : DESCRIPTOR_CODE_32;
	descriptors[data / 8] = DESCRIPTOR_DATA;
	memcpy(vm_host(&machine->vm, gdt, NULL), descriptors, sizeof(descriptors));
	sregs.gdt = (struct kvm_dtable){.base = gdt, .limit = data + 7};
	sregs.idt = (struct kvm_dtable){0}; /* there are no handlers: an exception is fatal */
	for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS; s++)
		segment_set_flat(segment_of(&sregs, s), s, s == SEGMENT_CS ? code : data,
				 mode == 64 && s == SEGMENT_CS);
	sregs.cr0 = CR0_PE | CR0_ET;
	if (mode == 64) {
		tables.root = gdt + PAGE_SIZE;
		tables.next = tables.root + PAGE_SIZE;
		result = make_page_tables(&tables, entry, why, size);
		if (result)
			return result;
		sregs.cr3 = tables.root;
		sregs.cr4 |= CR4_PAE;
		sregs.efer |= EFER_LME | EFER_LMA;
		sregs.cr0 |= CR0_PG;
	}
	result = vcpu_set_sregs(vcpu, &sregs);
	if (result) {
		snprintf(why, size, "KVM refuses %d-bit mode: %s", mode, strerror(-result));
		return result;
	}
	*vcpu->regs = (struct kvm_regs){.rip = entry->linear, .rsp = gdt, .rflags = 2};
	vcpu->regs_dirty = true;
	return 0;
}
