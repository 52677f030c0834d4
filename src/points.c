#include "points.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "memory.h"
#include "trap.h"

/* Addresses of 32 bits that become others when they are sign-extended, and what that adds. */
#define NARROW_FIRST 0x80000000ull
#define NARROW_LAST 0xffffffffull
#define UPPER_HALF 0xffffffff00000000ull

#define DR7_ALWAYS 0x400u
#define DR7_GLOBAL(n) (2u << 2 * (n)) /* with R/W and LEN 0: on execution */

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

/* The other half's address. */
static uint64_t other_half(const struct point *point)
{
	return point->addr ^ UPPER_HALF;
}

int points_insert_narrow(struct points *points, enum gdbstub_point kind, uint64_t addr)
{
	int result = points_insert(points, kind, addr, 0);
	struct point *point;

	if (result || addr < NARROW_FIRST || addr > NARROW_LAST)
		return result;
	point = point_list_find(&points->list, kind, addr ^ UPPER_HALF, 0);
	/* One that a client has set as it is needs no other. */
	if (point && point->is_set && point->half == POINT_WHOLE)
		return 0;
	result = points_insert(points, kind, addr ^ UPPER_HALF, 0);
	if (result) {
		points_remove(points, kind, addr, 0);
		return result;
	}
	point_list_find(&points->list, kind, addr, 0)->half = POINT_LOWER;
	point_list_find(&points->list, kind, addr ^ UPPER_HALF, 0)->half = POINT_UPPER;
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
	other = kind < GDBSTUB_POINT_WRITE ? point_list_find(&points->list, kind, other_half(point), 0) : NULL;
	/* A client that has come to know 64-bit code may have set the upper one itself. */
	if (other && other->is_set && (other->half != POINT_WHOLE || point->half == POINT_LOWER))
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
		/* Without a client there are no points but this program's own. */
		uint64_t set_at = point->half == POINT_UPPER ? other_half(point) : addr;

		if (machine->stub && !gdbstub_point_hit(machine->stub, point->kind, set_at, 1)) {
			point->misses++;
			continue;
		}
		point->hits++;
		if (reason == GDBSTUB_STOPPED)
			reason = breakpoint_reason(point);
	}
	return reason;
}

/* One bit of a set for a place in memory, where many are alike. */
static uint64_t bit_of(uint64_t gpa)
{
	return 1ull << (gpa % 61);
}

void points_note_places(struct machine *machine)
{
	struct points *points = &machine->points;
	uint64_t gpa;

	points->places = 0;
	if (!(machine->vcpu.sregs->cr0 & CR0_PG))
		return;
	for (const struct point *point = points->list.first[0]; point; point = point->next[0]) {
		if (point->is_set && !point_watches(point) && !memory_translate(&machine->vcpu, point->addr, &gpa))
			points->places |= bit_of(gpa);
	}
}

/* Without a trap there: by the places of all breakpoints. */
static bool find_alias(const struct machine *machine, uint64_t here, uint64_t *addr)
{
	const struct points *points = &machine->points;
	uint64_t gpa;

	if (!(points->places & bit_of(here)))
		return false;
	for (const struct point *point = points->list.first[0]; point; point = point->next[0]) {
		if (point->is_set && !point_watches(point) && !memory_translate(&machine->vcpu, point->addr, &gpa) &&
		    gpa == here) {
			*addr = point->addr;
			return true;
		}
	}
	return false;
}

bool points_alias(const struct machine *machine, uint64_t *addr)
{
	const struct trap *trap;
	uint64_t here;

	if (memory_translate(&machine->vcpu, vcpu_pc(&machine->vcpu), &here))
		return false;
	trap = trap_at(&machine->vm, here);
	if (!trap)
		return machine->to_step && find_alias(machine, here, addr);
	*addr = trap->linear;
	return true;
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

/* Whether a breakpoint's place is set in both ways; behind the other, this one needs nothing. */
static bool is_double(const struct points *points, const struct point *point)
{
	return point->kind == GDBSTUB_POINT_HARDWARE &&
	       point_list_find(&points->list, GDBSTUB_POINT_SOFTWARE, point->addr, 0);
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

	for (const struct point *point = points->list.first[0]; point; point = point->next[0]) {
		uint64_t addr = point->addr, left = point->len;

		if (!point_watches(point))
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

/*
 * Of a point that is in two halves, whether the guest cannot come to this one as it is: before long mode to the upper
 * one, and then to whichever is not mapped.
 */
static bool is_asleep(const struct machine *machine, const struct point *point)
{
	uint64_t gpa;

	if (point->half == POINT_WHOLE)
		return false;
	if (!(machine->vcpu.sregs->efer & EFER_LMA))
		return point->half == POINT_UPPER;
	if (!memory_translate(&machine->vcpu, point->addr, &gpa))
		return false;
	return point->half == POINT_UPPER || !memory_translate(&machine->vcpu, other_half(point), &gpa);
}

/* Of one that is, whether the guest is likely to come to it: nothing is where it would be as an address of 32 bits. */
static bool is_to_wake(const struct machine *machine, const struct point *point)
{
	return point->half == POINT_UPPER && is_waiting(machine, other_half(point));
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

	/* The code that runs now may not be the code that they wait for. */
	if (!able->debug_registers && !machine->findings.kernel[vcpu_mode(&machine->vcpu)].debug_registers)
		return;
	/*
	 * First what cannot be planted, or not to last, then what asks for a register, then the rest, and at last what
	 * the guest may come to when it has changed its mode.
	 */
	for (int round = 0; round < 4; round++) {
		for (struct point *point = points->list.first[0]; point && used < VCPU_DEBUG_REGISTERS;
		     point = point->next[0]) {
			bool take = round >= 2 || (round == 1 && point->kind == GDBSTUB_POINT_HARDWARE);

			if (point_watches(point) || point->in_register || is_double(points, point) ||
			    is_asleep(machine, point) != (round == 3))
				continue;
			if (!round)
				take = !able->trap || is_waiting(machine, point->addr);
			if (!take || (round && may_follow_load_ss(machine, point->addr)))
				continue;
			taken = give_registers(machine, point->addr, used);
			point->in_register = taken;
			if (taken)
				points->held[used] = point;
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

	for (struct point *point = points->list.first[0]; point; point = point->next[0]) {
		uint64_t gpa;

		/* With paging, other mappings may lead to the place, which a register does not see. */
		if (point_watches(point) || (point->in_register && !paging) || is_double(points, point))
			continue;
		if (is_asleep(machine, point)) {
			all &= !is_to_wake(machine, point) || point->in_register;
			continue;
		}
		if (!able->trap || (!guards && is_waiting(machine, point->addr)) ||
		    memory_translate(&machine->vcpu, point->addr, &gpa) ||
		    traps_want(&machine->vm, gpa, able->trap, point->addr)) {
			all &= point->in_register;
			continue;
		}
		point->is_planted = true;
		points->traps_int3 |= able->trap == TRAP_INT3;
		if (!point->in_register && guards)
			all &= guard_plan_trap(&machine->guard, vm_host(&machine->vm, gpa, NULL));
	}
	guard_end_plan(&machine->guard);
	return all;
}

/* Nothing armed, of those that are set now. */
static void begin(struct machine *machine)
{
	struct points *points = &machine->points;

	for (struct point *point = points->list.first[0], *next; point; point = next) {
		next = point->next[0];
		point->in_register = point->is_planted = false;
		point->was_set = point->is_set;
		if (!point->is_set)
			point_list_remove(&points->list, point);
	}
	points->changes = 0;
	memset(points->held, 0, sizeof(points->held));
	memset(points->debugreg, 0, sizeof(points->debugreg));
	memset(points->watch, 0, sizeof(points->watch));
	points->debugreg[7] = DR7_ALWAYS;
	points->traps_int3 = false;
	traps_begin(&machine->vm);
	guard_plan_nothing(&machine->guard);
}

static enum points_armed arm(struct machine *machine, const struct abilities *able)
{
	struct points *points = &machine->points;
	enum points_armed armed = points->count ? POINTS_ARMED : POINTS_NONE;
	int used = 0;

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
	return armed;
}

static struct points_situation look(const struct machine *machine)
{
	const struct vcpu *vcpu = &machine->vcpu;
	struct points_situation now = {.able = probe_abilities(&machine->findings, vcpu),
				       .mode = vcpu_mode(vcpu),
				       .real = vcpu_is_real(vcpu),
				       .paging = vcpu->sregs->cr0 & CR0_PG};

	/* give_registers() */
	if (machine->findings.lost_in_segments && now.mode != MODE_64) {
		now.cs_base = vcpu->sregs->cs.base;
		now.pc = vcpu_pc(vcpu);
	}
	return now;
}

/*
 * Whether a breakpoint that has a register would get it again, and a trap as before: it may have come to stand
 * behind a MOV SS, or its page may be another.
 */
static bool is_held_as_before(const struct machine *machine, const struct point *point)
{
	uint64_t gpa;

	if (may_follow_load_ss(machine, point->addr))
		return false;
	if (!(machine->vcpu.sregs->cr0 & CR0_PG))
		return true;
	return memory_translate(&machine->vcpu, point->addr, &gpa) ? !point->is_planted
								   : traps_have(&machine->vm, gpa);
}

/* Whether all points are as they were armed last, and would be armed likewise. */
static bool is_as_before(const struct machine *machine, const struct points_situation *now)
{
	const struct points *points = &machine->points;
	const struct points_situation *then = &points->situation;

	if (!points->is_armed || points->changes || points->armed == POINTS_STEP || now->able != then->able ||
	    now->mode != then->mode || now->real != then->real || now->paging != then->paging ||
	    now->cs_base != then->cs_base ||
	    now->pc != then->pc || places_have_moved(machine) || guard_takes_code(machine))
		return false;
	for (int n = 0; n < VCPU_DEBUG_REGISTERS && now->able->trap; n++) {
		if (points->held[n] && !is_held_as_before(machine, points->held[n]))
			return false;
	}
	return true;
}

enum points_armed points_arm(struct machine *machine)
{
	struct points *points = &machine->points;
	struct points_situation now = look(machine);

	if (is_as_before(machine, &now) && traps_plant(&machine->vm))
		return points->armed;
	begin(machine);
	points->armed = arm(machine, now.able);
	points->situation = now;
	points->is_armed = true;
	traps_commit(&machine->vm);
	places_note(machine);
	return points->armed;
}

int points_monitor(struct gdbstub *stub, void *target, const char *args)
{
	static const char *const kinds[] = {"breakpoint", "hw breakpoint", "watchpoint", "read watchpoint",
					    "acc watchpoint"};
	const struct machine *machine = target;
	const struct points *points = &machine->points;
	char address[32];

	(void)args;
	gdbstub_printf(stub, "%-16s%-20s%-20s%10s%10s\n", "type", "address", "armed by", "hits", "misses");
	for (const struct point *point = points->list.first[0]; point; point = point->next[0]) {
		const char *how = "stepping";

		if (point->half == POINT_UPPER && !point->in_register && !point->is_planted)
			continue;
		if (machine->exact)
			how = "stepping";
		else if (!points->is_armed || !point->was_set)
			how = "-";
		else if (point_watches(point) && points->armed != POINTS_STEP)
			how = points->watch[0].len ? "register" : "guarded page";
		else if (point->in_register)
			how = point->is_planted ? "register, trap" : "register";
		else if (point->is_planted)
			how = "trap";
		else if (!point_watches(point) && is_double(points, point))
			how = "the breakpoint";
		snprintf(address, sizeof(address), point->len ? "0x%llx, %llu" : "0x%llx",
			 (unsigned long long)point->addr, (unsigned long long)point->len);
		gdbstub_printf(stub, "%-16s%-20s%-20s%10llu%10llu\n", kinds[point->kind], address, how,
			       (unsigned long long)point->hits, (unsigned long long)point->misses);
	}
	return 0;
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
