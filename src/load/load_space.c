/* Where in low memory there is still room, while an image is loaded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/load.h"

int load_space_take(struct load_space *space, uint64_t start, uint64_t len)
{
	size_t at = space->count;

	if (!len)
		return 0;
	if (space->count == space->capacity) {
		size_t capacity = space->capacity ? 2 * space->capacity : 16;
		struct load_range *ranges = realloc(space->ranges, capacity * sizeof(*ranges));

		if (!ranges)
			return -ENOMEM;
		space->ranges = ranges;
		space->capacity = capacity;
	}
	/* From the end: they come by their addresses for the most part. */
	while (at && space->ranges[at - 1].start > start)
		at--;
	memmove(&space->ranges[at + 1], &space->ranges[at], (space->count - at) * sizeof(*space->ranges));
	space->ranges[at] = (struct load_range){start, len > UINT64_MAX - start ? UINT64_MAX : start + len};
	space->count++;
	return 0;
}

/* Into the gap from `min` to `max`. */
static bool fit(uint64_t min, uint64_t max, uint64_t len, uint64_t align, bool high, uint64_t *start)
{
	if (min > UINT64_MAX - (align - 1) || max < len)
		return false;
	min = (min + align - 1) & -align;
	if (min > max - len)
		return false;
	*start = high ? (max - len) & -align : min;
	return true;
}

int load_space_find(struct load_space *space, uint64_t min, uint64_t max, uint64_t len, uint64_t align,
		    bool high, uint64_t *start)
{
	bool found = false;

	for (size_t i = 0; i <= space->count && (high || !found); i++) {
		bool last = i == space->count;
		uint64_t end = last || space->ranges[i].start > max ? max : space->ranges[i].start;

		found |= fit(min, end, len, align, high, start);
		if (!last && space->ranges[i].end > min)
			min = space->ranges[i].end;
	}
	return found ? load_space_take(space, *start, len) : -ENOSPC;
}

uint64_t load_space_end(const struct load_space *space)
{
	uint64_t end = 0;

	for (size_t i = 0; i < space->count; i++) {
		if (space->ranges[i].end > end)
			end = space->ranges[i].end;
	}
	return end;
}

void load_space_free(struct load_space *space)
{
	free(space->ranges);
}
