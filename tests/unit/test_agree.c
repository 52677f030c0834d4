/*
 * Random programs, each run in several ways that must agree: freely, stepped, with breakpoints at
 * every instruction, with watchpoints on all that it writes. What the steps did is checked against
 * the program's own text and against what the decoder foresaw.
 *
 * Environment: AGREE_SEED is the first program's seed, AGREE_PROGRAMS how many there are. A program
 * is made again, alone, from the seed that a failure names. AGREE_NO_EXCEPTIONS=1 says that this KVM
 * delivers none in protected mode: 32-bit programs that stop at a division are skipped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agree.h"
#include "in_qemu.h"
#include "load/load.h"
#include "options.h"
#include "need_kvm.h"
#include "tap.h"

#define PROGRAMS 400 /* some seconds on a host that emulates */
#define PROGRAM_SECONDS 120
#define CHUNKS_MAX 8 /* runs with watchpoints in debug registers */

static uint64_t random_state;

static unsigned int choose(unsigned int limit)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (unsigned int)(random_state >> 33) % limit;
}

static bool insert(enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	return !points_insert(&machine.points, kind, addr, len) || fail("no memory");
}

/* Every `nth` of the addresses has a breakpoint, of either kind. */
static bool run_breakpoints(const char *name, uint64_t nth)
{
	struct gdbstub_stop stop = {0};
	size_t at = 0;

	if (!reset(name))
		return false;
	for (size_t i = 0; i < steps; i++) {
		if (!(trace[i].pc % nth) &&
		    !insert(trace[i].pc & 8 ? GDBSTUB_POINT_HARDWARE : GDBSTUB_POINT_SOFTWARE,
			    trace[i].pc, 1))
			return false;
	}
	for (;;) {
		/* The first one is where it begins, and is left as a client would leave it. */
		do
			at++;
		while (at < steps && trace[at].pc % nth);
		machine_run(&machine, GDBSTUB_CONTINUE, &stop);
		if (at == steps)
			break;
		if (stop.reason != (trace[at].pc & 8 ? GDBSTUB_HWBREAK : GDBSTUB_SWBREAK) ||
		    pc() != trace[at].pc)
			return fail("stop at 0x%llx for reason %d, signal %d; expected step %zu at "
				    "0x%llx (from 0x%llx)",
				    (unsigned long long)pc(), stop.reason, stop.signal, at,
				    (unsigned long long)trace[at].pc,
				    (unsigned long long)trace[at - 1].pc);
		if (!check_registers(&trace[at].regs))
			return false;
	}
	return check_end();
}

static bool is_watched(const struct data_access *access)
{
	for (const struct point *point = machine.points.list.first[0]; point; point = point->next[0]) {
		if (!point->is_set)
			continue;
		if (point->kind == GDBSTUB_POINT_WRITE ? !access->write
		    : point->kind == GDBSTUB_POINT_READ && !access->read)
			continue;
		if (access->linear < point->addr + point->len &&
		    point->addr < access->linear + access->len)
			return true;
	}
	return false;
}

/* Whether a step makes an access that is to be reported. */
static bool hits(const struct visit *visit)
{
	for (int i = 0; i < visit->accesses; i++) {
		if (is_watched(&visit->access[i]))
			return true;
	}
	return false;
}

static bool accessed(const struct visit *visit, uint64_t addr)
{
	for (int i = 0; i < visit->accesses; i++) {
		if (addr - visit->access[i].linear < visit->access[i].len)
			return true;
	}
	return false;
}

static bool is_behind(size_t at, bool in_registers)
{
	if (at + 1 >= steps || trace[at + 1].pc != pc())
		return false;
	if (in_registers && in_qemu()) {
		/* It loses the flags when a debug register is hit: they may be those of earlier. */
		machine.vcpu.regs->rflags = trace[at + 1].regs.rflags;
		machine.vcpu.regs_dirty = true;
	}
	return same_registers(&trace[at + 1].regs, machine.vcpu.regs);
}

/* Whether it is behind step *at, or a later one where debug registers tell so late. */
static bool stopped_behind(size_t *at, bool in_registers)
{
	size_t end = *at;

	if (is_behind(end, in_registers))
		return true;
	if (!in_registers)
		return false;
	if (trace[end].loads_ss) {
		*at = end + 1;
		return is_behind(*at, in_registers);
	}
	/* QEMU's emulation of a processor has them hit behind all of a string instruction. */
	while (trace[end].repeated && ++end < steps && trace[end].pc == trace[*at].pc) {
		if (is_behind(end, in_registers)) {
			*at = end;
			return true;
		}
	}
	return false;
}

/* Whether the host's debug registers hold all the watchpoints. */
static bool are_in_registers(void)
{
	uint64_t pieces = 0;

	for (const struct point *point = machine.points.list.first[0]; point; point = point->next[0]) {
		uint64_t from = point->addr, to = point->addr + point->len - 1;

		if (!point->is_set)
			continue;
		if (point->kind == GDBSTUB_POINT_READ)
			return false;
		/* Within four bytes a piece may need two registers. */
		pieces += to / 4 - from / 4 + 1;
	}
	return machine.findings.kernel[program.mode].watch && pieces <= VCPU_DEBUG_REGISTERS;
}

/* With the watchpoints that are set. */
static bool run_watched(void)
{
	bool in_registers = are_in_registers();
	size_t at = 0;

	for (;;) {
		struct gdbstub_stop stop = {0};

		while (at < steps && !hits(&trace[at]))
			at++;
		machine_run(&machine, GDBSTUB_CONTINUE, &stop);
		if (at == steps)
			break;
		if (stop.reason < GDBSTUB_WATCH || stop.reason > GDBSTUB_AWATCH)
			return fail("reason %d, signal %d at 0x%llx, expected an access of step %zu "
				    "at 0x%llx",
				    stop.reason, stop.signal, (unsigned long long)pc(), at,
				    (unsigned long long)trace[at].pc);
		if (!stopped_behind(&at, in_registers)) {
			fail("stop at 0x%llx, expected behind step %zu at 0x%llx, watching 0x%llx",
			     (unsigned long long)pc(), at, (unsigned long long)trace[at].pc,
			     (unsigned long long)stop.addr);
			show_registers("expected", &trace[at + 1 < steps ? at + 1 : at].regs);
			show_registers("found   ", machine.vcpu.regs);
			return false;
		}
		if (!in_registers && !trace[at].repeated && !accessed(&trace[at], stop.addr))
			return fail("0x%llx was reported, which the instruction at 0x%llx does not "
				    "access",
				    (unsigned long long)stop.addr,
				    (unsigned long long)trace[at].pc);
		at++;
	}
	return check_end();
}

/* One watchpoint for each piece of memory that is marked. */
static bool watch_all(const char *name, const bool *marked, enum gdbstub_point kind)
{
	/* What no register can watch makes all of it be found by stepping. */
	if (!reset(name) || !insert(GDBSTUB_POINT_READ, PROGRAM_MEMORY, 1))
		return false;
	for (size_t i = 0, start; i < PROGRAM_MEMORY; i++) {
		if (!marked[i])
			continue;
		for (start = i; i < PROGRAM_MEMORY && marked[i] && i - start < 16;)
			i++;
		if (!insert(kind, start, i - start))
			return false;
		i--;
	}
	return run_watched();
}

/* Whether a debug register is to leave this and its neighbours alone. */
static bool near_trouble(uint32_t addr)
{
	for (uint32_t i = addr & ~3u; i < (addr & ~3u) + 4; i++) {
		if (unsure[i] || (fragile[i] && in_qemu()))
			return true;
	}
	return false;
}

/* As many as the debug registers hold, each of up to 4 bytes, on addresses that are marked. */
static bool watch_some(const char *name, const bool *marked, enum gdbstub_point kind)
{
	static uint32_t addresses[PROGRAM_MEMORY];
	unsigned int count = 0;

	for (uint32_t i = 0; i < PROGRAM_MEMORY; i++) {
		if (marked[i] && !near_trouble(i))
			addresses[count++] = i;
	}
	if (!count)
		return true;
	if (!reset(name))
		return false;
	for (unsigned int i = 0; i < VCPU_DEBUG_REGISTERS; i++) {
		uint32_t len = 1u << choose(3);

		if (!insert(kind, addresses[choose(count)] & ~(len - 1), len))
			return false;
	}
	return run_watched();
}

static bool run_watchpoints(void)
{
	int chunks = machine.findings.kernel[program.mode].watch ? CHUNKS_MAX : 1;

	if (!watch_all("all writes watched", written, GDBSTUB_POINT_WRITE))
		return false;
	for (int i = 0; i < chunks; i++) {
		if (!watch_some("some writes watched", written, GDBSTUB_POINT_WRITE))
			return false;
	}
	return watch_some("some reads watched", was_read, GDBSTUB_POINT_READ) &&
	       watch_some("some accesses watched", was_read, GDBSTUB_POINT_ACCESS);
}

static void show_program(void)
{
	comment("seed %llu, %d-bit; begins at 0x%llx; %zu steps", (unsigned long long)program.seed,
		16 << program.mode, program.regs.rip, steps);
	show_registers("start", &program.regs);
	comment("ss %x ds %x es %x fs %x gs %x", program.selectors[SEGMENT_SS],
		program.selectors[SEGMENT_DS], program.selectors[SEGMENT_ES],
		program.selectors[SEGMENT_FS], program.selectors[SEGMENT_GS]);
	for (unsigned int at = PROGRAM_CODE; at < program.end; at += 16) {
		char line[16 * 3 + 1] = "";

		for (unsigned int i = 0; i < 16 && at + i < program.end; i++)
			sprintf(line + 3 * i, " %02x", program.memory[at + i]);
		comment("%04x:%s", at, line);
	}
}

/* Whether this program is not for this host. */
static bool is_skipped(void)
{
	const char *without = getenv("AGREE_NO_EXCEPTIONS");
	const struct program_instruction *at = program_at(&program, pc());

	return without && !strcmp(without, "1") && program.mode == MODE_32 && at && at->flow == FLOW_DIVIDE;
}

/* *skipped: it did not even run freely, as was to be expected. */
static bool run_program(uint64_t seed, bool *skipped)
{
	bool free;

	program_make(&program, seed, seed & 1 ? MODE_32 : MODE_16);
	random_state = seed;
	bad = false;
	steps = 0;
	alarm(PROGRAM_SECONDS);
	free = run_free();
	*skipped = !free && is_skipped();
	if (*skipped)
		return true;
	if (free && run_stepped() && run_breakpoints("breakpoints everywhere", 1) &&
	    run_breakpoints("some breakpoints", 3))
		run_watchpoints();
	if (bad)
		show_program();
	return !bad;
}

static void on_alarm(int number)
{
	(void)number;
	machine_end(&machine, EXIT_TIMEOUT);
}

/* A machine whose registers are as a raw image of that mode finds them. */
static bool create(enum vcpu_mode mode)
{
	static uint8_t halt[] = {0xf4};
	static struct options options = {.load = PROGRAM_CODE, .memory = 1 << 20, .type = "raw"};
	static struct image image = {.path = "halt", .data = halt, .size = 1, .type = &image_raw};
	char why[256];

	options.mode = 16 << mode;
	machine.options = &options;
	machine.image = &image;
	if (machine.vm.memory)
		machine_destroy(&machine);
	if (machine_create(&machine, why, sizeof(why))) {
		comment("%s", why);
		return false;
	}
	start_sregs[mode] = *machine.vcpu.sregs;
	return true;
}

static uint64_t from_environment(const char *name, uint64_t preset)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : preset;
}

int main(void)
{
	uint64_t seed = from_environment("AGREE_SEED", 1);
	uint64_t count = from_environment("AGREE_PROGRAMS", PROGRAMS);
	char why[256];
	size_t total = 0;

	if (!need_kvm())
		return 0;
	trace = calloc(STEPS_MAX, sizeof(*trace));
	machine.console = (struct console){.fd = memfd_create("console", MFD_CLOEXEC)};
	/* The flat mode last: its GDT is in memory, which 16-bit programs do not mind. */
	if (!result(trace && machine.console.fd >= 0 && create(MODE_16) && create(MODE_32) &&
			    !probe(&machine.findings, why, sizeof(why)),
		    "a machine is made"))
		return finish();
	signal(SIGALRM, on_alarm);
	for (uint64_t i = 0; i < count && machine_ending() < 0; i++) {
		bool skipped, good = run_program(seed + i, &skipped);

		result(good, "program %llu, %d-bit, %zu steps%s", (unsigned long long)(seed + i),
		       16 << program.mode, steps, skipped ? " # SKIP this KVM delivers no exceptions" : "");
		total += steps;
	}
	comment("%zu steps in all", total);
	machine_destroy(&machine);
	points_free(&machine.points);
	free(trace);
	return finish();
}
