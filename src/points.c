#include "points.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "memory.h"
#include "trap.h"

#define DR7_ALWAYS 0x400u
#define DR7_GLOBAL(n) (2u << 2 * (n)) /* with R/W and LEN 0: on execution */

static bool is_watch(enum gdbstub_point kind)
{
	return kind >= GDBSTUB_POINT_WRITE;
}

/* Breakpoints come before watchpoints of the same address. */
static int compare(const struct point *point, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	if (point->addr != addr)
		return point->addr < addr ? -1 : 1;
	if (point->kind != kind)
		return point->kind < kind ? -1 : 1;
	return point->len < len ? -1 : point->len > len;
}

/* The index of the first point that is not before (addr, kind, len). */
static size_t lower_bound(const struct points *points, enum gdbstub_point kind, uint64_t addr,
			  uint64_t len)
{
	size_t low = 0, high = points->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&points->list[middle], kind, addr, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int points_insert(struct points *points, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	size_t i;

	/* A breakpoint's length means nothing on x86. */
	len = is_watch(kind) ? len : 0;
	i = lower_bound(points, kind, addr, len);
	if (i < points->count && !compare(&points->list[i], kind, addr, len))
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
	points->list[i] = (struct point){.addr = addr, .kind = kind, .len = len};
	points->count++;
	points->watches += is_watch(kind);
	if (len > points->watch_len)
		points->watch_len = len;
	return 0;
}

void points_remove(struct points *points, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	size_t i;

	len = is_watch(kind) ? len : 0;
	i = lower_bound(points, kind, addr, len);
	if (i == points->count || compare(&points->list[i], kind, addr, len))
		return;
	points->count--;
	points->watches -= is_watch(kind);
	memmove(points->list + i, points->list + i + 1,
		(points->count - i) * sizeof(*points->list));
}

void points_clear(struct points *points)
{
	points->count = points->watches = 0;
	points->watch_len = 0;
}

void points_free(struct points *points)
{
	free(points->list);
	*points = (struct points){0};
}

enum gdbstub_reason points_at(const struct points *points, uint64_t addr)
{
	size_t i = lower_bound(points, GDBSTUB_POINT_SOFTWARE, addr, 0);

	if (i == points->count || points->list[i].addr != addr || is_watch(points->list[i].kind))
		return GDBSTUB_STOPPED;
	return points->list[i].kind == GDBSTUB_POINT_SOFTWARE ? GDBSTUB_SWBREAK : GDBSTUB_HWBREAK;
}

enum gdbstub_reason points_hit(struct machine *machine, uint64_t addr)
{
	struct points *points = &machine->points;
	enum gdbstub_reason reason = GDBSTUB_STOPPED;

	for (size_t i = lower_bound(points, GDBSTUB_POINT_SOFTWARE, addr, 0);
	     i < points->count && points->list[i].addr == addr && !is_watch(points->list[i].kind); i++) {
		struct point *point = &points->list[i];

		/* Without a client there are no points but this program's own. */
		if (machine->stub && !gdbstub_point_hit(machine->stub, point->kind, addr, 1)) {
			point->misses++;
			continue;
		}
		point->hits++;
		if (reason == GDBSTUB_STOPPED)
			reason = point->kind == GDBSTUB_POINT_SOFTWARE ? GDBSTUB_SWBREAK : GDBSTUB_HWBREAK;
	}
	return reason;
}

bool points_alias(const struct machine *machine, uint64_t *addr)
{
	uint64_t here, there;

	if (memory_translate(&machine->vcpu, vcpu_pc(&machine->vcpu), &here))
		return false;
	for (size_t i = 0; i < machine->points.count; i++) {
		const struct point *point = &machine->points.list[i];

		if (!is_watch(point->kind) &&
		    !memory_translate(&machine->vcpu, point->addr, &there) && here == there) {
			*addr = point->addr;
			return true;
		}
	}
	return false;
}

static enum gdbstub_reason watch_reason(enum gdbstub_point kind)
{
	return kind == GDBSTUB_POINT_WRITE  ? GDBSTUB_WATCH
	       : kind == GDBSTUB_POINT_READ ? GDBSTUB_RWATCH
					    : GDBSTUB_AWATCH;
}

enum gdbstub_reason points_watching(const struct points *points, const struct data_access *access,
				    uint64_t *addr)
{
	uint64_t last = access->linear + access->len - 1, from = access->linear;

	if (!points->watches || !access->len)
		return GDBSTUB_STOPPED;
	if (last < from)
		last = UINT64_MAX;
	/* No watchpoint that begins before this can reach so far. */
	from = from >= points->watch_len ? from - points->watch_len + 1 : 0;
	for (size_t i = lower_bound(points, GDBSTUB_POINT_SOFTWARE, from, 0);
	     i < points->count && points->list[i].addr <= last; i++) {
		const struct point *point = &points->list[i];

		if (!is_watch(point->kind) ||
		    (access->linear > point->addr && access->linear - point->addr >= point->len) ||
		    (point->kind == GDBSTUB_POINT_WRITE && !access->write) ||
		    (point->kind == GDBSTUB_POINT_READ && !access->read))
			continue;
		*addr = point->addr > access->linear ? point->addr : access->linear;
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

/* Whether two neighbours are one place, set twice in different ways. */
static bool is_double(const struct points *points, size_t i)
{
	return i && points->list[i - 1].addr == points->list[i].addr;
}

/*
 * The pieces of all watchpoints as debug registers can watch them: aligned, of 1, 2, 4 or, in long
 * mode, 8 bytes. Returns how many registers they take, or -1 if that cannot be done: too many, or
 * reads alone, which x86 cannot watch.
 */
static int assign_watches(struct points *points, enum vcpu_mode mode)
{
	static const unsigned int lengths[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	const unsigned int largest = mode == MODE_64 ? 8 : 4;
	int used = 0;

	for (size_t i = 0; i < points->count; i++) {
		const struct point *point = &points->list[i];
		uint64_t addr = point->addr, left = point->len;

		if (!is_watch(point->kind))
			continue;
		if (point->kind == GDBSTUB_POINT_READ)
			return -1;
		while (left) {
			unsigned int len = largest;

			if (used == VCPU_DEBUG_REGISTERS)
				return -1;
			while (addr & (len - 1) || len > left)
				len /= 2;
			points->watch[used] =
				(struct watch_register){.addr = addr, .len = len, .kind = point->kind};
			points->debugreg[used] = addr;
			points->debugreg[7] |=
				DR7_GLOBAL(used) |
				(uint64_t)((point->kind == GDBSTUB_POINT_WRITE ? 1u : 3u) |
					   lengths[len] << 2)
					<< (16 + 4 * used);
			used++;
			addr += len;
			left -= len;
		}
	}
	return used;
}

/*
 * Whether a trap cannot be planted at an address, or not to last: it is mapped to no memory, or its code
 * is still to come.
 */
static bool is_waiting(const struct machine *machine, uint64_t addr)
{
	uint64_t gpa;

	return memory_translate(&machine->vcpu, addr, &gpa) || trap_would_wait(&machine->vm, gpa);
}

#define LOAD_SS_MAX 8 /* MOV SS with all that can follow its opcode */

/*
 * Whether the instruction before may be MOV SS or POP SS: Intel processors hold back what a debug register
 * finds at the one behind it, and then forget it (SDM volume 3, 6.8.3). A trap they do not.
 */
static bool may_follow_load_ss(const struct machine *machine, uint64_t addr)
{
	uint8_t code[LOAD_SS_MAX] = {0};
	size_t len = addr < LOAD_SS_MAX ? (size_t)addr : LOAD_SS_MAX;

	if (!len || memory_read(&machine->vcpu, addr - len, code, len) != (ssize_t)len)
		return false;
	if (code[len - 1] == 0x17)
		return true;
	for (size_t i = 0; i + 1 < len; i++) {
		if (code[i] == 0x8e && (code[i + 1] >> 3 & 7) == 2)
			return true;
	}
	return false;
}

#define BOOT_SECTOR 0x7c00u /* as 0000:7c00 or as 07c0:0000 */
#define BOOT_SECTOR_END 0x7e00u
#define REAL_MODE_END 0x100000u /* code above is most often in segments that begin at 0 */

/* In real mode that is likely the same segment. */
static bool is_near(uint64_t a, uint64_t b)
{
	return a - b < BOOT_SECTOR_END - BOOT_SECTOR || b - a < BOOT_SECTOR_END - BOOT_SECTOR;
}

/*
 * Gives a breakpoint the debug register `used`. Returns how many it has taken: more than one where a hit in a
 * segment that does not begin at 0 is looked up by IP alone, so that IP has to be in a register, too; none
 * where the segment cannot be foreseen.
 */
static int give_registers(struct machine *machine, uint64_t addr, int used)
{
	struct points *points = &machine->points;
	enum vcpu_mode mode = vcpu_mode(&machine->vcpu);
	bool real = vcpu_is_real(&machine->vcpu);
	int taken = 1;

	if (machine->findings.lost_in_segments && mode != MODE_64 && addr < REAL_MODE_END) {
		if (real && addr >= BOOT_SECTOR && addr < BOOT_SECTOR_END)
			taken = 2;
		else if (machine->vcpu.sregs->cs.base || (mode == MODE_16 && !real) ||
			 (real && !is_near(addr, vcpu_pc(&machine->vcpu))))
			return 0;
	}
	if (used + taken > VCPU_DEBUG_REGISTERS)
		return 0;
	for (int n = 0; n < taken; n++) {
		points->debugreg[used + n] = n ? addr - BOOT_SECTOR : addr;
		points->debugreg[7] |= DR7_GLOBAL(used + n);
	}
	return taken;
}

/*
 * Gives the debug registers from `used` on to those breakpoints that need them most. A register holds
 * through everything that the guest does to its code and page tables.
 */
static void assign_breakpoints(struct machine *machine, const struct abilities *able, int used)
{
	struct points *points = &machine->points;

	int taken;

	for (size_t i = 0; i < points->count; i++)
		points->list[i].in_register = false;
	/* The code that runs now may not be the code that they wait for. */
	if (!able->debug_registers && !machine->findings.kernel[vcpu_mode(&machine->vcpu)].debug_registers)
		return;
	/* First what cannot be planted, or not to last, then what asks for a register, then the rest. */
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < points->count && used < VCPU_DEBUG_REGISTERS; i++) {
			struct point *point = &points->list[i];
			bool take = round == 2 || (round == 1 && point->kind == GDBSTUB_POINT_HARDWARE);
			if (is_watch(point->kind) || point->in_register || is_double(points, i))
				continue;
			if (!round)
				take = !able->trap || is_waiting(machine, point->addr);
			if (!take || (round && may_follow_load_ss(machine, point->addr)))
				continue;
			taken = give_registers(machine, point->addr, used);
			point->in_register = taken;
			used += taken;
		}
	}
}

/*
 * Plants what is in no register. False if some of that cannot be planted, or not to last. Where pages can be
 * guarded the guest overwrites none unseen.
 */
static bool plant_breakpoints(struct machine *machine, const struct abilities *able)
{
	struct points *points = &machine->points;
	bool paging = machine->vcpu.sregs->cr0 & CR0_PG, all = true;
	bool guards = able->guards && able->steps;

	for (size_t i = 0; i < points->count; i++) {
		const struct point *point = &points->list[i];
		uint64_t gpa;

		/* With paging, other mappings may lead to the place, which a register does not see. */
		if (is_watch(point->kind) || (point->in_register && !paging) || is_double(points, i))
			continue;
		if (!able->trap || (!guards && is_waiting(machine, point->addr)) ||
		    memory_translate(&machine->vcpu, point->addr, &gpa) ||
		    traps_want(&machine->vm, gpa, able->trap)) {
			all &= point->in_register;
			continue;
		}
		points->traps_int3 |= able->trap == TRAP_INT3;
		if (!point->in_register && guards)
			all &= guard_plan_trap(&machine->guard, vm_host(&machine->vm, gpa, NULL));
	}
	guard_end_plan(&machine->guard);
	return all;
}

enum points_armed points_arm(struct machine *machine)
{
	struct points *points = &machine->points;
	const struct abilities *able = probe_abilities(&machine->findings, &machine->vcpu);
	enum points_armed armed = points->count ? POINTS_ARMED : POINTS_NONE;
	int used = 0;

	memset(points->debugreg, 0, sizeof(points->debugreg));
	memset(points->watch, 0, sizeof(points->watch));
	points->debugreg[7] = DR7_ALWAYS;
	points->traps_int3 = false;
	traps_begin(&machine->vm);
	guard_plan_nothing(&machine->guard);
	if (points->watches)
		used = able->watch ? assign_watches(points, vcpu_mode(&machine->vcpu)) : -1;
	if (used < 0) {
		memset(points->debugreg, 0, sizeof(points->debugreg));
		memset(points->watch, 0, sizeof(points->watch));
		points->debugreg[7] = DR7_ALWAYS;
		/* If everything is found by stepping, nothing else is to be in the way. */
		if (able->guards && able->steps && guard_plan(machine))
			used = 0;
		else
			armed = POINTS_STEP;
	}
	if (used >= 0 || !able->steps) {
		used = used < 0 ? 0 : used;
		assign_breakpoints(machine, able, used);
		if (!plant_breakpoints(machine, able))
			armed = POINTS_STEP;
	}
	traps_commit(&machine->vm);
	places_note(machine);
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
