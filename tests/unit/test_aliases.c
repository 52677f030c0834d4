/*
 * Breakpoints that are found by where in memory they are, while the guest is stepped with paging on: by other addresses
 * of the same memory, and at a cost that does not grow with their number. Page tables are this test's
 * memory_translate(), which counts.
 */
#include "aliases.h"

#include "machine.h"
#include "memory.h"
#include "tap.h"

#define MANY 10000
#define APART 16
#define FIRST 0x100000ull
#define ALIAS 0xffff800000000000ull /* the same memory once more, and so on as far as 16 times */
#define UNMAPPED 0xffffffff00000000ull

static struct machine machine;
static unsigned int walks;
static uint64_t moved_page = UINT64_MAX;

int __wrap_memory_translate(const struct vcpu *vcpu, uint64_t linear, uint64_t *gpa);

int __wrap_memory_translate(const struct vcpu *vcpu, uint64_t linear, uint64_t *gpa)
{
	(void)vcpu;
	walks++;
	if (linear >= UNMAPPED)
		return -1;
	*gpa = linear & 0xffffffffff;
	if ((*gpa & ~0xfffull) == moved_page && linear < ALIAS)
		*gpa ^= 0x8000000000;
	return 0;
}

/* UINT64_MAX: by none. */
static uint64_t found_from(uint64_t pc)
{
	uint64_t addr = UINT64_MAX;

	machine.vcpu.regs->rip = pc;
	return aliases_at_pc(&machine, &addr) ? addr : UINT64_MAX;
}

int main(void)
{
	static struct kvm_sregs sregs = {.cr0 = CR0_PG | 1, .efer = EFER_LMA, .cs = {.l = 1}};
	unsigned int wrong = 0, stray = 0;

	machine.vcpu.vm = &machine.vm;
	machine.vcpu.regs = &machine.vcpu.own_regs;
	machine.vcpu.sregs = &sregs;
	machine.to_step = 1;

	aliases_note(&machine);
	result(found_from(FIRST) == UINT64_MAX, "without breakpoints none is found");

	for (uint64_t i = 0; i < MANY; i++)
		wrong += points_insert(&machine.points, GDBSTUB_POINT_SOFTWARE, FIRST + i * APART, 1) != 0;
	result(!wrong, "%d can be set", MANY);
	walks = 0;
	aliases_note(&machine);
	result(walks <= MANY * APART / 0x1000 + 1, "a page is translated once");
	comment("%u walks", walks);

	walks = 0;
	for (uint64_t i = 0; i < MANY; i++) {
		wrong += found_from(ALIAS + FIRST + i * APART) != FIRST + i * APART;
		stray += found_from(ALIAS + FIRST + i * APART + 1) != UINT64_MAX;
	}
	result(!wrong, "each is found by another address of its place");
	result(!stray, "and none beside it");
	result(walks <= 4 * MANY, "a look does not grow with their number");
	comment("%u walks", walks);
	walks = 0;
	result(found_from(UNMAPPED) == UINT64_MAX && walks == 1, "from a page that is not mapped none is");

	points_remove(&machine.points, GDBSTUB_POINT_SOFTWARE, FIRST + APART, 1);
	result(found_from(ALIAS + FIRST + APART) == UINT64_MAX, "one that was removed since is not");
	moved_page = FIRST;
	result(found_from(ALIAS + FIRST) == UINT64_MAX, "nor one whose page the guest has moved since");
	moved_page = UINT64_MAX;

	points_insert(&machine.points, GDBSTUB_POINT_WRITE, FIRST + 8, 4);
	points_insert(&machine.points, GDBSTUB_POINT_HARDWARE, ALIAS + FIRST, 1);
	points_insert(&machine.points, GDBSTUB_POINT_SOFTWARE, UNMAPPED, 1);
	/* As gdb leaves all of them at each stop. */
	point_list_find(&machine.points.list, GDBSTUB_POINT_SOFTWARE, FIRST + 2 * APART, 0)->was_set = true;
	points_remove(&machine.points, GDBSTUB_POINT_SOFTWARE, FIRST + 2 * APART, 1);
	aliases_note(&machine);
	result(machine.points.aliases.count == MANY - 2 + 1,
	       "watchpoints, what is not set and what is not mapped have no place");
	points_remove(&machine.points, GDBSTUB_POINT_SOFTWARE, FIRST, 1);
	result(found_from(0xffff810000000000 + FIRST) == ALIAS + FIRST, "of two at one place the other is left");

	for (uint64_t i = 1; i <= MANY; i++)
		points_insert(&machine.points, GDBSTUB_POINT_SOFTWARE, FIRST + 8 + (i << 40), 1);
	aliases_note(&machine);
	result(machine.points.aliases.count < MANY + 10 && found_from(FIRST + 8) == FIRST + 8 + (1ull << 40),
	       "of %d at one place a few are enough", MANY);

	sregs.cr0 = 1;
	aliases_note(&machine);
	result(found_from(ALIAS + FIRST + 3 * APART) == UINT64_MAX, "without paging nothing has another address");
	points_free(&machine.points);
	result(!machine.points.aliases.table && found_from(FIRST) == UINT64_MAX, "at the end nothing is left");
	return finish();
}
