/* How points are armed: in debug registers, as traps in memory, by guarding pages, or not at all. */
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "memory.h"
#include "points.h"
#include "symbols.h"
#include "trap.h"

#define DR7_ALWAYS 0x400u
#define DR7_GLOBAL(n) (2u << 2 * (n)) /* with R/W and LEN 0: on execution */

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
	return point->half == POINT_UPPER || !memory_translate(&machine->vcpu, point_other_half(point->addr), &gpa);
}

/* Of one that is, whether the guest is likely to come to it: nothing is where it would be as an address of 32 bits. */
static bool is_to_wake(const struct machine *machine, const struct point *point)
{
	return point->half == POINT_UPPER && is_waiting(machine, point_other_half(point->addr));
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
	bool of_64_bits = machine->symbols && symbols_are_64(machine->symbols);

	for (struct point *point = points->list.first[0]; point; point = point->next[0]) {
		uint64_t gpa;

		/* With paging, other mappings may lead to the place, which a register does not see. */
		if (point_watches(point) || (point->in_register && !paging) || is_double(points, point))
			continue;
		if (is_asleep(machine, point)) {
			bool is_lost = !point->in_register && is_to_wake(machine, point);

			/*
			 * Most that have such addresses are of 32-bit guests, which stepping would slow down for nothing,
			 * and whose users need not hear of it.
			 */
			all &= !(is_lost && of_64_bits);
			points->may_lose_upper |= is_lost && !machine->symbols;
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
	points->traps_int3 = points->may_lose_upper = false;
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

enum points_armed points_arm(struct machine *machine, bool exact)
{
	struct points *points = &machine->points;
	struct points_situation now = look(machine);

	if (!exact && is_as_before(machine, &now) && traps_plant(&machine->vm))
		return points->armed;
	begin(machine);
	points->armed = exact ? POINTS_STEP : arm(machine, now.able);
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
	if (gdbstub_refusal(stub))
		gdbstub_printf(stub, "The last that was refused is at %s.\n", gdbstub_refusal(stub));
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
