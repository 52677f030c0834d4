#include "points.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "memory.h"
#include "trap.h"

#define DR7_ALWAYS 0x400u
#define DR7_GLOBAL(n) (2u << 2 * (n)) /* with R/W and LEN 0: on execution */

static int compare(const struct point *point, enum gdbstub_point kind, uint64_t addr)
{
	if (point->addr != addr)
		return point->addr < addr ? -1 : 1;
	return (int)point->kind - (int)kind;
}

/* The index of the first point that is not before (addr, kind). */
static size_t lower_bound(const struct points *points, enum gdbstub_point kind, uint64_t addr)
{
	size_t low = 0, high = points->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&points->list[middle], kind, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int points_insert(struct points *points, enum gdbstub_point kind, uint64_t addr)
{
	size_t i = lower_bound(points, kind, addr);

	if (i < points->count && !compare(&points->list[i], kind, addr))
		return 0;
	if (points->count == POINTS_MAX)
		return -ENOSPC;
	if (points->count == points->capacity) {
		size_t capacity = points->capacity ? 2 * points->capacity : 64;
		struct point *list = realloc(points->list, capacity * sizeof(*list));

		if (!list)
			return -ENOMEM;
		points->list = list;
		points->capacity = capacity;
	}
	memmove(points->list + i + 1, points->list + i,
		(points->count - i) * sizeof(*points->list));
	points->list[i] = (struct point){.addr = addr, .kind = kind};
	points->count++;
	return 0;
}

void points_remove(struct points *points, enum gdbstub_point kind, uint64_t addr)
{
	size_t i = lower_bound(points, kind, addr);

	if (i == points->count || compare(&points->list[i], kind, addr))
		return;
	points->count--;
	memmove(points->list + i, points->list + i + 1,
		(points->count - i) * sizeof(*points->list));
}

void points_clear(struct points *points)
{
	points->count = 0;
}

void points_free(struct points *points)
{
	free(points->list);
	*points = (struct points){0};
}

enum gdbstub_reason points_at(const struct points *points, uint64_t addr)
{
	size_t i = lower_bound(points, GDBSTUB_POINT_SOFTWARE, addr);

	if (i == points->count || points->list[i].addr != addr)
		return GDBSTUB_STOPPED;
	return points->list[i].kind == GDBSTUB_POINT_SOFTWARE ? GDBSTUB_SWBREAK : GDBSTUB_HWBREAK;
}

/* Whether two neighbours are one place, set twice in different ways. */
static bool is_double(const struct points *points, size_t i)
{
	return i && points->list[i - 1].addr == points->list[i].addr;
}

/*
 * Gives the debug registers to those that need them most. A register holds through everything that
 * the guest does to its code and page tables, so software points get what is left of them: a point
 * set before a loader copies the code there is not lost.
 */
static void assign_registers(struct machine *machine, enum vcpu_mode mode)
{
	struct points *points = &machine->points;
	uint64_t gpa;
	int used = 0;

	for (size_t i = 0; i < points->count; i++)
		points->list[i].debug_register = 0;
	if (!machine->findings.debug_registers[mode])
		return;
	/* First what cannot be planted, then what asks for a register, then the rest. */
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < points->count && used < VCPU_DEBUG_REGISTERS; i++) {
			struct point *point = &points->list[i];
			bool take = round == 2 || (round == 1 && point->kind == GDBSTUB_POINT_HARDWARE);

			if (point->debug_register || is_double(points, i))
				continue;
			if (!round)
				take = !machine->findings.trap[mode] ||
				       memory_translate(&machine->vcpu, point->addr, &gpa) ||
				       !vm_host(&machine->vm, gpa, NULL);
			if (take)
				point->debug_register = (uint8_t)++used;
		}
	}
}

enum points_armed points_arm(struct machine *machine)
{
	struct points *points = &machine->points;
	enum vcpu_mode mode = vcpu_mode(&machine->vcpu);
	uint8_t instruction = machine->findings.trap[mode];
	bool paging = machine->vcpu.sregs->cr0 & CR0_PG;
	enum points_armed armed = points->count ? POINTS_ARMED : POINTS_NONE;

	memset(points->debugreg, 0, sizeof(points->debugreg));
	points->debugreg[7] = DR7_ALWAYS;
	points->traps_int3 = false;
	assign_registers(machine, mode);
	traps_begin(&machine->vm);
	for (size_t i = 0; i < points->count; i++) {
		const struct point *point = &points->list[i];
		unsigned int number = point->debug_register;
		uint64_t gpa;

		if (number) {
			points->debugreg[number - 1] = point->addr;
			points->debugreg[7] |= DR7_GLOBAL(number - 1);
			continue;
		}
		if (is_double(points, i))
			continue;
		if (instruction && !memory_translate(&machine->vcpu, point->addr, &gpa) &&
		    !traps_want(&machine->vm, gpa, instruction)) {
			points->traps_int3 |= instruction == TRAP_INT3;
			continue;
		}
		/* Where there is no memory now, and no page tables to change that, no code will run. */
		if (paging || point->addr < machine->vm.size)
			armed = POINTS_STEP;
	}
	traps_commit(&machine->vm);
	return armed;
}

uint32_t points_control(const struct points *points)
{
	uint32_t control = 0;

	if (points->debugreg[7] & ~(uint64_t)DR7_ALWAYS)
		control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	if (points->traps_int3)
		control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	return control;
}
