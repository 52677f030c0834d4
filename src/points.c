#include "points.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* Addresses of 32 bits that become others when they are sign-extended. */
#define NARROW_FIRST 0x80000000ull
#define NARROW_LAST 0xffffffffull

/* Sets it, or the other way round, and keeps account. */
static void set_point(struct points *points, struct point *point, bool set)
{
	if (point->is_set == set)
		return;
	point->is_set = set;
	points->count += set ? 1 : (size_t)-1;
	if (point_watches(point))
		points->watches += set ? 1 : (size_t)-1;
	points->changes += set == point->was_set ? (size_t)-1 : 1;
}

int points_insert(struct points *points, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct point *point;

	/* A breakpoint's length means nothing on x86. */
	len = kind >= GDBSTUB_POINT_WRITE ? len : 0;
	point = point_list_find(&points->list, kind, addr, len);
	if (!(point && point->is_set) && points->count >= POINTS_MAX)
		return -ENOSPC;
	if (!aliases_make_room(&points->aliases, points->count + 1))
		return -ENOMEM;
	if (!point)
		point = point_list_add(&points->list, kind, addr, len);
	if (!point)
		return -ENOMEM;
	set_point(points, point, true);
	point->half = POINT_WHOLE;
	if (len > points->watch_len)
		points->watch_len = len;
	return 0;
}

int points_insert_narrow(struct points *points, enum gdbstub_point kind, uint64_t addr)
{
	int result = points_insert(points, kind, addr, 0);
	struct point *point;

	if (result || addr < NARROW_FIRST || addr > NARROW_LAST)
		return result;
	point = point_list_find(&points->list, kind, point_other_half(addr), 0);
	/* One that a client has set as it is needs no other. */
	if (point && point->is_set && point->half == POINT_WHOLE)
		return 0;
	result = points_insert(points, kind, point_other_half(addr), 0);
	if (result) {
		points_remove(points, kind, addr, 0);
		return result;
	}
	point_list_find(&points->list, kind, addr, 0)->half = POINT_LOWER;
	point_list_find(&points->list, kind, point_other_half(addr), 0)->half = POINT_UPPER;
	return 0;
}

/* It stays in the list while it is armed: gdb takes all points away at each stop, and sets them again. */
static void take_away(struct points *points, struct point *point)
{
	set_point(points, point, false);
	if (!point->was_set)
		point_list_remove(&points->list, point);
}

void points_remove(struct points *points, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct point *point, *other;

	len = kind >= GDBSTUB_POINT_WRITE ? len : 0;
	point = point_list_find(&points->list, kind, addr, len);
	if (!point || !point->is_set)
		return;
	other = kind < GDBSTUB_POINT_WRITE ? point_list_find(&points->list, kind, point_other_half(point->addr), 0) : NULL;
	/* But not one that the client has set as it is. */
	if (other && other->is_set && other->half != POINT_WHOLE)
		take_away(points, other);
	take_away(points, point);
}

void points_clear(struct points *points)
{
	for (struct point *point = points->list.first[0], *next; point; point = next) {
		next = point->next[0];
		if (point->is_set)
			take_away(points, point);
	}
	points->watch_len = 0;
}

void points_free(struct points *points)
{
	for (struct point *point = points->list.first[0], *next; point; point = next) {
		next = point->next[0];
		free(point);
	}
	free(points->aliases.table);
	*points = (struct points){0};
}

/* The first breakpoint set at `addr` that comes behind `point`; at first that is NULL. */
static struct point *next_at(const struct points *points, uint64_t addr, const struct point *point)
{
	struct point *next = point ? point->next[0]
				   : point_list_from(&points->list, GDBSTUB_POINT_SOFTWARE, addr, 0);

	while (next && next->addr == addr && !point_watches(next) && !next->is_set)
		next = next->next[0];
	return next && next->addr == addr && !point_watches(next) ? next : NULL;
}

static enum gdbstub_reason breakpoint_reason(const struct point *point)
{
	return point->kind == GDBSTUB_POINT_SOFTWARE ? GDBSTUB_SWBREAK : GDBSTUB_HWBREAK;
}

enum gdbstub_reason points_at(const struct points *points, uint64_t addr)
{
	const struct point *point = points->count ? next_at(points, addr, NULL) : NULL;

	return point ? breakpoint_reason(point) : GDBSTUB_STOPPED;
}

enum gdbstub_reason points_hit(struct machine *machine, uint64_t addr)
{
	const struct points *points = &machine->points;
	enum gdbstub_reason reason = GDBSTUB_STOPPED;

	for (struct point *point = NULL; (point = next_at(points, addr, point)) != NULL;) {
		uint64_t set_at = point->half == POINT_UPPER ? point_other_half(addr) : addr;
		enum gdbstub_hit hit = GDBSTUB_STOP;

		/* Without a client there are no points but this program's own. */
		if (machine->stub)
			hit = gdbstub_point_hit(machine->stub, point->kind, set_at, 1);
		point->misses += hit == GDBSTUB_MISS;
		point->hits += hit != GDBSTUB_MISS;
		if (hit == GDBSTUB_STOP && reason == GDBSTUB_STOPPED)
			reason = breakpoint_reason(point);
	}
	return reason;
}

static enum gdbstub_reason watch_reason(enum gdbstub_point kind)
{
	return kind == GDBSTUB_POINT_WRITE  ? GDBSTUB_WATCH
	       : kind == GDBSTUB_POINT_READ ? GDBSTUB_RWATCH
					    : GDBSTUB_AWATCH;
}

/* The first that watches an access, from the one given on, or NULL; at first that is what first_watch() says. */
static const struct point *next_watch(const struct point *point, const struct data_access *access)
{
	uint64_t last = access->linear + access->len - 1;

	if (last < access->linear)
		last = UINT64_MAX;
	for (; point && point->addr <= last; point = point->next[0]) {
		if (point->is_set && point_watches(point) &&
		    (access->linear <= point->addr || access->linear - point->addr < point->len) &&
		    (point->kind != GDBSTUB_POINT_WRITE || access->write) &&
		    (point->kind != GDBSTUB_POINT_READ || access->read))
			return point;
	}
	return NULL;
}

static const struct point *first_watch(const struct points *points, const struct data_access *access)
{
	/* No watchpoint that begins before this can reach so far. */
	uint64_t from = access->linear >= points->watch_len ? access->linear - points->watch_len + 1 : 0;

	if (!points->watches || !access->len)
		return NULL;
	return next_watch(point_list_from(&points->list, GDBSTUB_POINT_SOFTWARE, from, 0), access);
}

static uint64_t watched_byte(const struct point *point, const struct data_access *access)
{
	return point->addr > access->linear ? point->addr : access->linear;
}

enum gdbstub_reason points_watching(const struct points *points, const struct data_access *access,
				    uint64_t *addr)
{
	const struct point *point = first_watch(points, access);

	if (!point)
		return GDBSTUB_STOPPED;
	*addr = watched_byte(point, access);
	return watch_reason(point->kind);
}

enum gdbstub_reason points_watching_change(const struct points *points, const struct data_access *access,
					   const uint8_t *was, const uint8_t *is, uint64_t *addr)
{
	for (const struct point *point = first_watch(points, access); point;
	     point = next_watch(point->next[0], access)) {
		uint64_t first = watched_byte(point, access) - access->linear;
		uint64_t last = point->addr + (point->len - 1) - access->linear;

		if (point->kind != GDBSTUB_POINT_WRITE)
			continue;
		if (last > access->len - 1)
			last = access->len - 1;
		if (!memcmp(was + first, is + first, last - first + 1))
			continue;
		*addr = access->linear + first;
		return watch_reason(point->kind);
	}
	return GDBSTUB_STOPPED;
}

enum gdbstub_reason points_watch_register(const struct points *points, uint64_t dr6, uint64_t *addr)
{
	for (unsigned int n = 0; n < VCPU_DEBUG_REGISTERS; n++) {
		if (dr6 >> n & 1 && points->watch[n].len) {
			*addr = points->watch[n].addr;
			return watch_reason(points->watch[n].kind);
		}
	}
	return GDBSTUB_STOPPED;
}

void points_count_watch(struct points *points, enum gdbstub_reason reason, uint64_t addr)
{
	struct point *point = point_list_from(&points->list, GDBSTUB_POINT_SOFTWARE,
					      addr >= points->watch_len ? addr - points->watch_len + 1 : 0, 0);

	for (; point && point->addr <= addr; point = point->next[0]) {
		if (point->is_set && point_watches(point) && watch_reason(point->kind) == reason &&
		    addr - point->addr < point->len)
			point->hits++;
	}
}
