#define _GNU_SOURCE
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desc.h"
#include "machine.h"
#include "memory.h"
#include "message.h"
#include "monitor.h"
#include "options.h"
#include "state.h"
#include "symbols.h"

#define THREAD 1 /* vCPU 0 */

static int thread_next(void *target, int after)
{
	(void)target;
	return after < THREAD ? THREAD : 0;
}

/* What a user would call the state that the CPU is in. */
static const char *mode_text(const struct vcpu *vcpu)
{
	bool paging = vcpu->sregs->cr0 & CR0_PG;

	if (!(vcpu->sregs->cr0 & CR0_PE))
		return "16-bit real mode";
	if (vcpu->regs->rflags & RFLAGS_VM)
		return "virtual-8086 mode";
	switch (vcpu_mode(vcpu)) {
	case MODE_64:
		return "64-bit long mode";
	case MODE_32:
		if (vcpu->sregs->efer & EFER_LMA)
			return "32-bit compatibility mode";
		return paging ? "32-bit protected mode, paging" : "32-bit protected mode";
	default:
		return vcpu->sregs->efer & EFER_LMA ? "16-bit compatibility mode"
						    : "16-bit protected mode";
	}
}

static void thread_info(void *target, int thread, char *text, size_t size)
{
	static const char *const life[] = {
		[MACHINE_ALIVE] = "", [MACHINE_HALTED] = ", halted", [MACHINE_DEAD] = ", dead"};
	const struct machine *machine = target;

	(void)thread;
	snprintf(text, size, "%s%s", mode_text(&machine->vcpu),
		 machine->life == MACHINE_HALTED && machine->pc_moved ? "" : life[machine->life]);
}

static int layout(void *target, int thread)
{
	const struct machine *machine = target;

	(void)thread;
	return (machine->arch == ARCH_AUTO ? (int)vcpu_mode(&machine->vcpu) : machine->arch) +
	       MODE_COUNT * machine->register_set;
}

/* Shown by gdb as the name of a program that the vCPU "is executing". */
static const char *layout_name(void *target, int number)
{
	static const char *const names[REGISTERS_SETS][MODE_COUNT] = {
		[REGISTERS_ALL] = {"vCPU0: now 16-bit mode", "vCPU0: now 32-bit protected mode",
				   "vCPU0: now 64-bit long mode"},
		[REGISTERS_SYSTEM] = {"vCPU0: now 16-bit mode, system registers",
				      "vCPU0: now 32-bit protected mode, system registers",
				      "vCPU0: now 64-bit long mode, system registers"},
		[REGISTERS_CORE] = {"vCPU0: now 16-bit mode, core registers",
				    "vCPU0: now 32-bit protected mode, core registers",
				    "vCPU0: now 64-bit long mode, core registers"},
	};

	static const char *const pinned[] = {[MODE_16] = "vCPU0: now served as i8086",
					     [MODE_32] = "vCPU0: now served as i386",
					     [MODE_64] = "vCPU0: now served as x86-64"};
	const struct machine *machine = target;

	return machine->arch == ARCH_AUTO ? names[number / MODE_COUNT][number % MODE_COUNT]
					  : pinned[number % MODE_COUNT];
}

static const char *description(void *target, int number, const char *annex)
{
	(void)target;
	return strcmp(annex, "target.xml") ? NULL : register_description(number);
}

static const char *triple(void *target, int number)
{
	/* The last part of i386's is there to differ: lldb would take an unknown one for code16. */
	static const char *const triples[] = {[MODE_16] = "i386-unknown-unknown-code16",
					      [MODE_32] = "i386-unknown-unknown-gnu",
					      [MODE_64] = "x86_64-unknown-unknown"};

	(void)target;
	return triples[number % MODE_COUNT];
}

static ssize_t registers_read(void *target, int thread, int number, void *buf, size_t size)
{
	struct machine *machine = target;
	const struct register_layout *l = register_layout(number);
	uint8_t *to = buf;
	int result;

	(void)thread;
	if (size < l->size)
		return -ENOSPC;
	result = vcpu_need_features(&machine->vcpu);
	if (result)
		return gdbstub_error(machine->stub, result, VCPU_NO_FEATURES, strerror(-result));
	for (int i = 0; i < l->block_count; i++) {
		result = state_read(&machine->vcpu, l->row[i], to);
		if (result)
			return result;
		to += l->row[i]->bits / 8;
	}
	return (ssize_t)l->size;
}

static int write_one(struct machine *machine, const struct register_row *row, const uint8_t *value)
{
	uint64_t pc = vcpu_pc(&machine->vcpu);
	char why[200] = "";
	int result;

	result = state_write(&machine->vcpu, row, value, why, sizeof(why));
	if (row->home == HOME_PC || row->home == HOME_RAW_IP || pc != vcpu_pc(&machine->vcpu)) {
		machine->pc_moved = true;
		machine->hit_here = false;
		machine->inject = 0; /* a trap of the place that was left */
		machine->bios.caught = false;
	}
	if (row->home == HOME_FLAGS)
		machine->guest_tf = machine->vcpu.regs->rflags & RFLAGS_TF;
	if (result && *why)
		gdbstub_error(machine->stub, result, "%s", why);
	return result;
}

/*
 * Only what differs is written: selectors would be loaded again, and "ip" would undo "eip". The
 * program counter and the stack pointer come last, being relative to bases that may change.
 */
static int registers_write(void *target, int thread, int number, const void *buf, size_t len)
{
	struct machine *machine = target;
	const struct register_layout *l = register_layout(number);
	uint8_t before[REGISTER_BLOCK_MAX];
	int result = 0;

	if (len != l->size)
		return gdbstub_error(machine->stub, -EINVAL, "G has %zu bytes here, not %zu", l->size,
				     len);
	if (registers_read(target, thread, number, before, sizeof(before)) < 0)
		return -EIO;
	for (int last = 0; last < 2; last++) {
		size_t at = 0;

		for (int i = 0; i < l->block_count; at += l->row[i++]->bits / 8) {
			const struct register_row *row = l->row[i];
			const uint8_t *value = (const uint8_t *)buf + at;
			int failed = 0;

			if ((row->home == HOME_PC || row->home == HOME_SP) == last &&
			    memcmp(before + at, value, row->bits / 8))
				failed = write_one(machine, row, value);
			if (failed && !result)
				result = failed;
		}
	}
	return result;
}

static ssize_t register_read(void *target, int thread, int layout_number, int number, void *buf,
			     size_t size)
{
	struct machine *machine = target;
	const struct register_row *row = register_row(layout_number, number);
	int result;

	(void)thread;
	if (!row || size < row->bits / 8)
		return gdbstub_error(machine->stub, -EINVAL, "there is no register %d", number);
	result = state_read(&machine->vcpu, row, buf);
	return result ? result : row->bits / 8;
}

static int register_write(void *target, int thread, int layout_number, int number, const void *buf,
			  size_t len)
{
	struct machine *machine = target;
	const struct register_row *row = register_row(layout_number, number);

	(void)thread;
	if (!row)
		return gdbstub_error(machine->stub, -EINVAL, "there is no register %d", number);
	if (len != row->bits / 8)
		return gdbstub_error(machine->stub, -EINVAL, "%s has %d bytes, not %zu", row->name,
				     row->bits / 8, len);
	return write_one(machine, row, buf);
}

static const int *expedited(void *target, int number)
{
	(void)target;
	return register_layout(number)->expedited;
}

static uint64_t pc(void *target, int thread)
{
	const struct machine *machine = target;

	(void)thread;
	return vcpu_pc(&machine->vcpu);
}

static int set_pc(void *target, int thread, uint64_t addr)
{
	struct machine *machine = target;
	char why[200] = "";
	int result = state_set_pc(&machine->vcpu, addr, why, sizeof(why));

	(void)thread;
	if (result)
		return gdbstub_error(machine->stub, result, "%s", why);
	machine->pc_moved = true;
	machine->inject = 0; /* a trap of the place that was left */
	machine->bios.caught = false;
	/* "c ADDR" is a jump: a point there is to be hit. */
	machine->hit_here = points_at(&machine->points, addr) != GDBSTUB_STOPPED;
	return 0;
}

static int explain_memory(struct machine *machine, uint64_t addr, size_t len)
{
	uint64_t left = 0;
	char why[200];

	if (machine->physical)
		snprintf(why, sizeof(why), "there is no memory at physical address 0x%llx",
			 (unsigned long long)(vm_host(&machine->vm, addr, &left) ? addr + left : addr));
	else
		memory_why(&machine->vcpu, addr, len, why, sizeof(why));
	return gdbstub_error(machine->stub, -EFAULT, "%s", why);
}

static ssize_t read_memory(void *target, int thread, uint64_t addr, void *buf, size_t len)
{
	struct machine *machine = target;
	ssize_t n = machine->physical ? memory_read_physical(&machine->vcpu, addr, buf, len)
				      : memory_read(&machine->vcpu, addr, buf, len);

	(void)thread;
	return n < 0 ? explain_memory(machine, addr, 1) : n;
}

static int write_memory(void *target, int thread, uint64_t addr, const void *buf, size_t len)
{
	struct machine *machine = target;

	int result = machine->physical ? memory_write_physical(&machine->vcpu, addr, buf, len)
				       : memory_write(&machine->vcpu, addr, buf, len);

	(void)thread;
	return result ? explain_memory(machine, addr, len) : 0;
}

static int region(void *target, int thread, uint64_t addr, struct gdbstub_region *region)
{
	const struct machine *machine = target;

	(void)thread;
	if (machine->physical)
		memory_region_physical(&machine->vcpu, addr, region);
	else
		memory_region(&machine->vcpu, addr, region);
	return 0;
}

/* The kind is a length on x86 and means nothing for breakpoints. */
static int point_insert(void *target, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct machine *machine = target;
	int result;

	if (kind >= GDBSTUB_POINT_WRITE && (!len || addr + (len - 1) < addr))
		return gdbstub_error(machine->stub, -EINVAL, "%llu bytes at 0x%llx cannot be watched",
				     (unsigned long long)len, (unsigned long long)addr);
	result = kind < GDBSTUB_POINT_WRITE && layout(target, THREAD) % MODE_COUNT != MODE_64
			 ? points_insert_narrow(&machine->points, kind, addr)
			 : points_insert(&machine->points, kind, addr, len);
	if (result == -ENOSPC)
		return gdbstub_error(machine->stub, result, "there are %d breakpoints and watchpoints already",
				     POINTS_MAX);
	if (!result && kind <= GDBSTUB_POINT_HARDWARE && machine->pc_moved &&
	    addr == vcpu_pc(&machine->vcpu))
		machine->hit_here = true;
	return result;
}

static int point_remove(void *target, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct machine *machine = target;

	points_remove(&machine->points, kind, addr, len);
	return 0;
}

static void clear_points(void *target)
{
	struct machine *machine = target;

	points_clear(&machine->points);
}

/* The next client would not expect it. */
static void session_ended(void *target)
{
	struct machine *machine = target;

	points_free(&machine->points);
	machine->physical = machine->exact = false;
	machine->catches.count = 0;
	machine->trace = machine->options->trace;
}

static enum gdbstub_reason point_here(void *target, int thread)
{
	const struct machine *machine = target;

	(void)thread;
	return points_at(&machine->points, vcpu_pc(&machine->vcpu));
}

static enum gdbstub_reason point_hit(void *target, int thread)
{
	struct machine *machine = target;

	(void)thread;
	return points_hit(machine, vcpu_pc(&machine->vcpu));
}

static void run(void *target, enum gdbstub_resume (*action)(const struct gdbstub *, int),
		struct gdbstub_stop *stop)
{
	struct machine *machine = target;

	machine_run(machine, action(machine->stub, THREAD), stop);
}

static void kick(void *target)
{
	struct machine *machine = target;

	vcpu_kick(&machine->vcpu);
}

static int restart(void *target)
{
	struct machine *machine = target;
	char why[256];
	int result;

	/* Not the guest's own: what it has written to its disks is forgotten. */
	machine->reset_due = false;
	result = machine_restart(machine, why, sizeof(why));

	if (result) {
		machine_say(machine, "cannot begin anew: %s", why);
		message("cannot begin anew: %s", why);
		return result;
	}
	/* As if the client had put it there: a point at the beginning is to be hit. */
	machine->pc_moved = true;
	machine->hit_here = points_at(&machine->points, vcpu_pc(&machine->vcpu)) != GDBSTUB_STOPPED;
	return 0;
}

static const struct gdbstub_file *file(void *target)
{
	const struct machine *machine = target;

	return machine->symbols ? &machine->symbols->file : NULL;
}

static ssize_t file_read(void *target, uint64_t offset, void *buf, size_t size)
{
	const struct machine *machine = target;

	return symbols_read(machine->symbols, offset, buf, size);
}

static uint64_t load_offset(void *target)
{
	const struct machine *machine = target;

	return machine->options->symbols_offset;
}

static void notice(void *target, const char *text)
{
	(void)target;
	message("%s", text);
}

const struct gdbstub_ops target_ops = {
	.thread_next = thread_next,
	.thread_info = thread_info,
	.layout = layout,
	.layout_name = layout_name,
	.description = description,
	.triple = triple,
	.registers_read = registers_read,
	.registers_write = registers_write,
	.register_read = register_read,
	.register_write = register_write,
	.expedited = expedited,
	.pc = pc,
	.set_pc = set_pc,
	.memory_read = read_memory,
	.memory_write = write_memory,
	.memory_region = region,
	.point_insert = point_insert,
	.point_remove = point_remove,
	.points_clear = clear_points,
	.session_ended = session_ended,
	.point_here = point_here,
	.point_hit = point_hit,
	.run = run,
	.kick = kick,
	.restart = restart,
	.file = file,
	.file_read = file_read,
	.load_offset = load_offset,
	.notice = notice,
	.monitor = monitor_commands,
};
