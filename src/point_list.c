#include "point_list.h"

#include <stdlib.h>

static int compare(const struct point *point, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	if (point->addr != addr)
		return point->addr < addr ? -1 : 1;
	if (point->kind != kind)
		return point->kind < kind ? -1 : 1;
	return point->len < len ? -1 : point->len > len;
}

/* For each level, the link that leads to what is not before (addr, kind, len). */
static void search(struct point_list *list, enum gdbstub_point kind, uint64_t addr, uint64_t len,
		   struct point **links[POINT_LEVELS])
{
	struct point **links_here = list->first;

	for (int level = POINT_LEVELS - 1; level >= 0; level--) {
		while (links_here[level] && compare(links_here[level], kind, addr, len) < 0)
			links_here = links_here[level]->next;
		links[level] = &links_here[level];
	}
}

struct point *point_list_from(const struct point_list *list, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct point *const *links = list->first;

	for (int level = POINT_LEVELS - 1; level >= 0; level--) {
		while (links[level] && compare(links[level], kind, addr, len) < 0)
			links = links[level]->next;
	}
	return links[0];
}

struct point *point_list_find(const struct point_list *list, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct point *point = point_list_from(list, kind, addr, len);

	return point && !compare(point, kind, addr, len) ? point : NULL;
}

/* Each level with a chance of one in four of the one below, by a xorshift generator. */
static int random_levels(struct point_list *list)
{
	uint32_t x = list->random ? list->random : 1;
	int levels = 1;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	list->random = x;
	for (; levels < POINT_LEVELS && !(x & 3); x >>= 2)
		levels++;
	return levels;
}

struct point *point_list_add(struct point_list *list, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct point **links[POINT_LEVELS];
	int levels = random_levels(list);
	struct point *point = calloc(1, sizeof(*point) + (size_t)levels * sizeof(*point->next));

	if (!point)
		return NULL;
	point->addr = addr;
	point->kind = kind;
	point->len = len;
	search(list, kind, addr, len, links);
	for (int level = 0; level < levels; level++) {
		point->next[level] = *links[level];
		*links[level] = point;
	}
	return point;
}

void point_list_remove(struct point_list *list, struct point *point)
{
	struct point **links[POINT_LEVELS];

	search(list, point->kind, point->addr, point->len, links);
	for (int level = 0; level < POINT_LEVELS && *links[level] == point; level++)
		*links[level] = point->next[level];
	free(point);
}
