#include "trap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RENEWED_AT_ONCE 256 /* takes less than an exit */

/* The index of the first trap at or above gpa. */
static size_t lower_bound(const struct traps *traps, uint64_t gpa)
{
	size_t low = 0, high = traps->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (traps->list[middle].gpa < gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool traps_have(const struct vm *vm, uint64_t gpa)
{
	size_t i = lower_bound(&vm->traps, gpa);

	return i < vm->traps.count && vm->traps.list[i].gpa == gpa;
}

/* Not in memory now. */
static bool is_out(const struct traps *traps, uint64_t gpa)
{
	for (int i = 0; i < traps->out_count; i++) {
		if (traps->out[i] == gpa)
			return true;
	}
	return traps->lifted;
}

const struct trap *trap_at(const struct vm *vm, uint64_t gpa)
{
	return traps_have(vm, gpa) && !is_out(&vm->traps, gpa) ? &vm->traps.list[lower_bound(&vm->traps, gpa)] : NULL;
}

void traps_begin(struct vm *vm)
{
	for (size_t i = 0; i < vm->traps.count; i++)
		vm->traps.list[i].wanted = false;
}

int traps_want(struct vm *vm, uint64_t gpa, uint8_t instruction, uint64_t linear)
{
	struct traps *traps = &vm->traps;
	size_t i = lower_bound(traps, gpa);
	uint8_t *host = vm_host(vm, gpa, NULL);

	if (!host)
		return -EFAULT;
	if (i < traps->count && traps->list[i].gpa == gpa) {
		traps->list[i].wanted = true;
		traps->list[i].linear = linear;
		return 0;
	}
	if (traps->count == traps->capacity) {
		size_t capacity = traps->capacity ? 2 * traps->capacity : 64;
		struct trap *list = realloc(traps->list, capacity * sizeof(*list));

		if (!list)
			return -ENOMEM;
		traps->list = list;
		traps->capacity = capacity;
	}
	memmove(traps->list + i + 1, traps->list + i, (traps->count - i) * sizeof(*traps->list));
	traps->count++;
	traps->list[i] = (struct trap){
		.gpa = gpa, .host = host, .linear = linear, .original = *host, .planted = instruction, .wanted = true};
	return 0;
}

/* Puts back the byte that was there, unless the guest has put one of its own in its place. */
static void restore(struct vm *vm, const struct trap *trap)
{
	if (*trap->host == trap->planted && !is_out(&vm->traps, trap->gpa))
		*trap->host = trap->original;
}

static void plant(struct trap *trap)
{
	trap->original = *trap->host;
	*trap->host = trap->planted;
}

void traps_commit(struct vm *vm)
{
	struct traps *traps = &vm->traps;
	size_t kept = 0;

	for (size_t i = 0; i < traps->count; i++) {
		struct trap *trap = &traps->list[i];

		if (!trap->wanted) {
			restore(vm, trap);
			continue;
		}
		/* New, or overwritten by the guest: a loader that copied code here. */
		if (*trap->host != trap->planted || is_out(traps, trap->gpa))
			plant(trap);
		traps->list[kept++] = *trap;
	}
	traps->count = kept;
	traps->lifted = traps->lost = false;
	traps->out_count = 0;
}

void traps_lift(struct vm *vm)
{
	for (size_t i = 0; i < vm->traps.count; i++)
		restore(vm, &vm->traps.list[i]);
	vm->traps.lifted = true;
	vm->traps.out_count = 0;
}

void traps_lift_range(struct vm *vm, uint64_t gpa, uint64_t len)
{
	struct traps *traps = &vm->traps;

	for (size_t i = lower_bound(traps, gpa); i < traps->count && traps->list[i].gpa - gpa < len; i++) {
		if (is_out(traps, traps->list[i].gpa))
			continue;
		if (traps->out_count == TRAPS_OUT_MAX) {
			traps_lift(vm);
			return;
		}
		restore(vm, &traps->list[i]);
		traps->out[traps->out_count++] = traps->list[i].gpa;
	}
}

/* Those that are out alone. */
static bool plant_out(struct vm *vm)
{
	struct traps *traps = &vm->traps;

	for (int i = 0; i < traps->out_count; i++) {
		if (trap_would_wait(vm, traps->out[i]))
			return false;
	}
	while (traps->out_count) {
		uint64_t gpa = traps->out[--traps->out_count];

		plant(&traps->list[lower_bound(traps, gpa)]);
	}
	return true;
}

bool traps_plant(struct vm *vm)
{
	struct traps *traps = &vm->traps;

	if (traps->lost)
		return false;
	if (traps->out_count)
		return plant_out(vm);
	for (size_t i = 0; i < traps->count && traps->lifted; i++) {
		if (trap_would_wait(vm, traps->list[i].gpa))
			return false;
	}
	for (size_t i = 0; i < traps->count; i++) {
		struct trap *trap = &traps->list[i];

		if (traps->lifted || *trap->host != trap->planted)
			plant(trap);
	}
	traps->lifted = false;
	return true;
}

bool trap_would_wait(const struct vm *vm, uint64_t gpa)
{
	uint64_t left;
	const void *host = vm_host(vm, gpa, &left);
	uint16_t code;

	if (!host || left < sizeof(code))
		return !host;
	memcpy(&code, host, sizeof(code));
	return !code;
}

bool traps_renew(struct vm *vm)
{
	struct traps *traps = &vm->traps;
	size_t count = traps->count < RENEWED_AT_ONCE ? traps->count : RENEWED_AT_ONCE;
	bool any = false;

	while (count--) {
		struct trap *trap;

		if (traps->renewed >= traps->count)
			traps->renewed = 0;
		trap = &traps->list[traps->renewed++];
		if (*trap->host == trap->planted || trap_would_wait(vm, trap->gpa))
			continue;
		plant(trap);
		any = true;
	}
	return any;
}

void traps_remove(struct vm *vm)
{
	for (size_t i = 0; i < vm->traps.count; i++)
		restore(vm, &vm->traps.list[i]);
	vm->traps.count = 0;
	vm->traps.lifted = false;
	vm->traps.out_count = 0;
	vm->traps.lost = true;
}

void traps_remove_range(struct vm *vm, uint64_t start, uint64_t size)
{
	struct traps *traps = &vm->traps;
	size_t first = lower_bound(traps, start), end = lower_bound(traps, start + size);

	if (first == end)
		return;
	for (size_t i = first; i < end; i++)
		restore(vm, &traps->list[i]);
	memmove(traps->list + first, traps->list + end, (traps->count - end) * sizeof(*traps->list));
	traps->count -= end - first;
	traps->lost = true;
}

void traps_forget(struct vm *vm)
{
	free(vm->traps.list);
	vm->traps = (struct traps){0};
}

void traps_hide(const struct vm *vm, uint64_t gpa, void *copy, size_t len)
{
	const struct traps *traps = &vm->traps;
	uint8_t *bytes = copy;

	if (!traps->count || traps->lifted)
		return;
	for (size_t i = lower_bound(traps, gpa);
	     i < traps->count && traps->list[i].gpa - gpa < len; i++) {
		uint64_t offset = traps->list[i].gpa - gpa;

		/* What the guest has written over a trap is what is there. */
		if (bytes[offset] == traps->list[i].planted && !is_out(traps, traps->list[i].gpa))
			bytes[offset] = traps->list[i].original;
	}
}

void traps_write(struct vm *vm, uint64_t gpa, void *host, const void *data, size_t len)
{
	struct traps *traps = &vm->traps;
	size_t first = traps->count && !traps->lifted ? lower_bound(traps, gpa) : traps->count;

	memcpy(host, data, len);
	for (size_t i = first; i < traps->count && traps->list[i].gpa - gpa < len; i++) {
		uint8_t *byte = (uint8_t *)host + (traps->list[i].gpa - gpa);

		if (is_out(traps, traps->list[i].gpa))
			continue;
		traps->list[i].original = *byte;
		*byte = traps->list[i].planted;
	}
}
