#include "aliases.h"

#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "memory.h"
#include "trap.h"

#define ROOM_MIN 64
#define ALIKE_MAX 8 /* that lead to the same memory */
#define NONE UINT64_MAX
#define PAGE_MASK ((uint64_t)VM_PAGE - 1)

bool aliases_make_room(struct aliases *aliases, size_t points)
{
	size_t room = aliases->room ? aliases->room : ROOM_MIN;
	struct alias *table;

	while (room < 2 * points)
		room *= 2;
	if (room == aliases->room)
		return true;
	table = malloc(room * sizeof(*table));
	if (!table)
		return false;
	free(aliases->table);
	*aliases = (struct aliases){.table = table, .room = room};
	return true;
}

static size_t first_slot(const struct aliases *aliases, uint64_t gpa)
{
	return (size_t)((gpa * 0x9e3779b97f4a7c15) >> 32) & (aliases->room - 1);
}

static size_t next_slot(const struct aliases *aliases, size_t slot)
{
	return (slot + 1) & (aliases->room - 1);
}

/* Of those that are one and the same any will do, but looking for one must not take long. */
static void note(struct aliases *aliases, uint64_t gpa, uint64_t addr)
{
	size_t slot = first_slot(aliases, gpa), alike = 0;

	for (; aliases->table[slot].gpa != NONE; slot = next_slot(aliases, slot)) {
		if (aliases->table[slot].gpa == gpa && ++alike == ALIKE_MAX)
			return;
	}
	aliases->table[slot] = (struct alias){.gpa = gpa, .addr = addr};
	aliases->count++;
}

void aliases_note(struct machine *machine)
{
	const struct points *points = &machine->points;
	struct aliases *aliases = &machine->points.aliases;
	uint64_t page = 1, page_gpa = 0; /* the last one that was translated; 1: none was */
	bool mapped = false;

	aliases->count = 0;
	if (!(machine->vcpu.sregs->cr0 & CR0_PG) || points->count == points->watches)
		return;
	memset(aliases->table, 0xff, aliases->room * sizeof(*aliases->table));
	for (const struct point *point = points->list.first[0]; point; point = point->next[0]) {
		if (!point->is_set || point_watches(point))
			continue;
		if ((point->addr & ~PAGE_MASK) != page) {
			page = point->addr & ~PAGE_MASK;
			mapped = !memory_translate(&machine->vcpu, page, &page_gpa);
		}
		if (mapped)
			note(aliases, page_gpa | (point->addr & PAGE_MASK), point->addr);
	}
}

/* One that was noted may have been taken away or moved since. */
static bool find(const struct machine *machine, uint64_t here, uint64_t *addr)
{
	const struct aliases *aliases = &machine->points.aliases;
	const struct alias *alias;
	uint64_t gpa;

	if (!aliases->count)
		return false;
	for (size_t slot = first_slot(aliases, here); (alias = &aliases->table[slot])->gpa != NONE;
	     slot = next_slot(aliases, slot)) {
		if (alias->gpa == here && points_at(&machine->points, alias->addr) != GDBSTUB_STOPPED &&
		    !memory_translate(&machine->vcpu, alias->addr, &gpa) && gpa == here) {
			*addr = alias->addr;
			return true;
		}
	}
	return false;
}

bool aliases_at_pc(const struct machine *machine, uint64_t *addr)
{
	const struct trap *trap;
	uint64_t here;

	if (memory_translate(&machine->vcpu, vcpu_pc(&machine->vcpu), &here))
		return false;
	trap = trap_at(&machine->vm, here);
	if (!trap)
		return machine->to_step && find(machine, here, addr);
	*addr = trap->linear;
	return true;
}
