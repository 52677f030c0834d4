#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "machine.h"
#include "memory.h"

#define GUARD_MAX 200000 /* ranges before they are merged */
#define PAGE_MASK ((uintptr_t)VM_PAGE - 1)

static int compare(const void *a, const void *b)
{
	const struct guarded_pages *p = a, *q = b;

	return p->host < q->host ? -1 : p->host > q->host;
}

static bool add(struct guard *guard, uint8_t *host, size_t len, int protection)
{
	uint8_t *start = host - ((uintptr_t)host & PAGE_MASK);
	size_t size = ((size_t)(host - start) + len + PAGE_MASK) & ~PAGE_MASK;

	/* One page may be mapped in any number of places. */
	if (guard->count == GUARD_MAX)
		return false;
	if (guard->count == guard->capacity) {
		size_t capacity = guard->capacity ? 2 * guard->capacity : 16;
		struct guarded_pages *list = realloc(guard->list, capacity * sizeof(*list));

		if (!list)
			return false;
		guard->list = list;
		guard->capacity = capacity;
	}
	guard->list[guard->count++] =
		(struct guarded_pages){.host = start, .size = size, .protection = protection};
	return true;
}

/* Makes one of what overlaps, with the stricter protection, or follows with the same. */
void guard_end_plan(struct guard *guard)
{
	size_t kept = 0;

	if (!guard->count)
		return;
	qsort(guard->list, guard->count, sizeof(*guard->list), compare);
	for (size_t i = 1; i < guard->count; i++) {
		struct guarded_pages *last = &guard->list[kept], *next = &guard->list[i];
		uint8_t *end = last->host + last->size;

		if (next->host > end || (next->host == end && next->protection != last->protection)) {
			guard->list[++kept] = *next;
			continue;
		}
		if (next->protection == PROT_NONE)
			last->protection = PROT_NONE;
		if (next->host + next->size > end)
			last->size = (size_t)(next->host + next->size - last->host);
	}
	guard->count = kept + 1;
}

static bool add_watch(struct machine *machine, const struct point *point)
{
	int protection = point->kind == GDBSTUB_POINT_WRITE ? PROT_READ : PROT_NONE;
	uint64_t left;

	for (uint64_t done = 0; done < point->len; done += left) {
		uint8_t *host = memory_host(&machine->vcpu, point->addr + done, &left);

		if (!host)
			return false;
		if (left > point->len - done)
			left = point->len - done;
		if (!add(&machine->guard, host, left, protection))
			return false;
	}
	return true;
}

bool guard_takes_code(const struct machine *machine)
{
	uint64_t left;
	const uint8_t *code;

	if (!machine->guard.count)
		return false;
	code = memory_host(&machine->vcpu, vcpu_pc(&machine->vcpu), &left);
	for (size_t i = 0; i < machine->guard.count; i++) {
		const struct guarded_pages *p = &machine->guard.list[i];

		if (p->protection == PROT_NONE && code >= p->host && code < p->host + p->size)
			return true;
	}
	return false;
}

bool guard_plan(struct machine *machine)
{
	struct guard *guard = &machine->guard;
	bool whole = true;

	guard->count = 0;
	for (const struct point *point = machine->points.list.first[0]; point && whole; point = point->next[0]) {
		if (point->is_set && point_watches(point))
			whole = add_watch(machine, point);
	}
	if (whole && guard->count) {
		guard_end_plan(guard);
		whole = !guard_takes_code(machine);
	}
	if (!whole)
		guard->count = 0;
	return whole;
}

bool guard_plan_trap(struct guard *guard, uint8_t *host)
{
	return add(guard, host, 1, PROT_READ);
}

void guard_plan_nothing(struct guard *guard)
{
	guard->count = 0;
}

void guard_free(struct guard *guard)
{
	free(guard->list);
	*guard = (struct guard){0};
}

int guard_apply(const struct guard *guard)
{
	for (size_t i = 0; i < guard->count; i++) {
		const struct guarded_pages *p = &guard->list[i];

		if (mprotect(p->host, p->size, p->protection)) {
			int error = errno;

			guard_release(guard);
			return -error;
		}
	}
	return 0;
}

void guard_release(const struct guard *guard)
{
	for (size_t i = 0; i < guard->count; i++)
		mprotect(guard->list[i].host, guard->list[i].size, PROT_READ | PROT_WRITE);
}
