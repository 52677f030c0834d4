#include "places.h"

#include "machine.h"
#include "memory.h"

#define PAGES_MAX 64	/* whose walks together take less than an exit */
#define PAGES_FAR 4096 /* in all: a watchpoint may be as large as the address space */
#define PAGE_MASK ((uint64_t)VM_PAGE - 1)

static uint64_t add_page(const struct machine *machine, uint64_t sum, uint64_t page)
{
	uint64_t gpa;

	if (memory_translate(&machine->vcpu, page, &gpa))
		gpa = UINT64_MAX;
	return (sum ^ gpa) * 0x9e3779b97f4a7c15;
}

/* *pages: how many pages that are, PAGES_FAR at most. */
static uint64_t add_up(const struct machine *machine, uint64_t *pages)
{
	const struct points *points = &machine->points;
	bool watches_in_registers = points->watch[0].len;
	uint64_t sum = 0, next = 0;

	*pages = 0;
	for (const struct point *point = points->list.first[0]; point; point = point->next[0]) {
		uint64_t page = point->addr & ~PAGE_MASK, last = point->addr | PAGE_MASK;

		/* As they were when the points were armed. */
		if (!point->was_set || (point_watches(point) ? watches_in_registers : point->in_register))
			continue;
		if (point->len > last - point->addr)
			last = (point->addr + point->len - 1) | PAGE_MASK;
		/* The list is in order, so that what is behind `next` has not been seen. */
		if (*pages && page < next)
			page = next;
		for (; page <= last && page >= next; page += VM_PAGE) {
			sum = add_page(machine, sum, page);
			++*pages;
			next = page + VM_PAGE;
			if (!next || *pages == PAGES_FAR)
				return sum;
		}
	}
	return sum;
}

void places_note(struct machine *machine)
{
	const struct kvm_sregs *sregs = machine->vcpu.sregs;
	uint64_t pages;

	machine->places = (struct places){
		.cr0 = sregs->cr0, .cr3 = sregs->cr3, .cr4 = sregs->cr4, .efer = sregs->efer};
	machine->places.sum = add_up(machine, &pages);
	machine->places.many = pages > PAGES_MAX;
}

bool places_have_moved(const struct machine *machine)
{
	const struct kvm_sregs *sregs = machine->vcpu.sregs;
	const struct places *noted = &machine->places;
	uint64_t pages;

	if (sregs->cr0 == noted->cr0 && sregs->cr3 == noted->cr3 && sregs->cr4 == noted->cr4 &&
	    sregs->efer == noted->efer && (!(sregs->cr0 & CR0_PG) || noted->many))
		return false;
	return add_up(machine, &pages) != noted->sum;
}
