#define _GNU_SOURCE
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "irq_monitor.h"
#include "machine.h"
#include "memory.h"
#include "options.h"
#include "sandbox.h"
#include "screen.h"
#include "screenshot.h"
#include "state.h"
#include "target.h"
#include "trace.h"

static int monitor_status(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	char info[80], where[32];

	(void)args;
	target_ops.thread_info(machine, 1, info, sizeof(info));
	gdbstub_printf(stub, "vCPU0: %s, at %s\n", info,
		       vcpu_where(&machine->vcpu, where, sizeof(where)));
	gdbstub_printf(stub, "memory: %llu KiB; breakpoints inserted: %zu, watchpoints: %zu\n",
		       (unsigned long long)(machine->vm.size >> 10), machine->points.count - machine->points.watches,
		       machine->points.watches);
	if (machine->system.has_code)
		gdbstub_printf(stub, "port 0x80: 0x%02x\n", machine->system.code);
	if (machine->interrupt >= 0)
		gdbstub_printf(stub, "interrupt 0x%02x waits\n", (unsigned int)machine->interrupt);
	return 0;
}

static int monitor_step_rep(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;

	if (!strcmp(args, "all"))
		machine->whole_repeats = true;
	else if (!strcmp(args, "one"))
		machine->whole_repeats = false;
	else if (*args)
		gdbstub_printf(stub, "It is one or all.\n");
	gdbstub_printf(stub, "A step does %s of a string instruction with REP.\n",
		       machine->whole_repeats ? "all iterations" : "one iteration");
	return 0;
}

static int monitor_next(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;

	(void)args;
	machine->step_over = true;
	gdbstub_printf(stub, "The next stepi goes over a call, an INT or a string instruction.\n");
	return 0;
}

static void set_switch(struct gdbstub *stub, const char *args, bool *on)
{
	if (!strcmp(args, "on") || !strcmp(args, "off"))
		*on = !strcmp(args, "on");
	else if (*args)
		gdbstub_printf(stub, "It is on or off.\n");
}

static int monitor_phys(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;

	set_switch(stub, args, &machine->physical);
	gdbstub_printf(stub, "Memory is read and written at %s addresses.\n",
		       machine->physical ? "physical" : "linear");
	return 0;
}

static int monitor_exact(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;

	set_switch(stub, args, &machine->exact);
	gdbstub_printf(stub, machine->exact
				     ? "While there are points the guest is stepped, and none is missed.\n"
				     : "The guest is stepped only for points that cannot be found otherwise.\n");
	return 0;
}

static int monitor_step_irq(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;

	set_switch(stub, args, &machine->step_interrupts);
	gdbstub_printf(stub, machine->step_interrupts
				     ? "A step takes an interrupt that waits.\n"
				     : "An interrupt waits until the guest runs; a step does not take it.\n");
	return 0;
}

static int monitor_step_kvm(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;

	set_switch(stub, args, &machine->step_kvm);
	gdbstub_printf(stub, "%s\n", machine->step_kvm
					     ? "KVM does each step."
					     : "Plain instructions are stepped without entering the guest.");
	return 0;
}

static int monitor_interrupt(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	char *end;
	unsigned long vector = strtoul(args, &end, 0);

	if (!*args || *end || *args == '-' || vector > 255) {
		gdbstub_printf(stub, "It takes a vector from 0 to 255.\n");
		return 0;
	}
	machine->interrupt = (int)vector;
	gdbstub_printf(stub, "Interrupt 0x%02lx comes as soon as the guest runs with IF set.\n", vector);
	return 0;
}

static int monitor_key(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	char why[KEYS_WHY];

	if (!machine->is_pc)
		gdbstub_printf(stub, "This machine has no keyboard.\n");
	else if (typist_add(machine, args, why, sizeof(why)))
		gdbstub_printf(stub, "%s\n", why);
	else
		gdbstub_printf(stub, "Keys to be typed: %zu.\n", machine->typist.strokes.count - machine->typist.next);
	return 0;
}

static int monitor_registers(struct gdbstub *stub, void *target, const char *args)
{
	static const struct {
		const char *name, *what;
	} sets[] = {
		[REGISTERS_ALL] = {"all", "all registers"},
		[REGISTERS_SYSTEM] = {"system", "all but the model-specific registers"},
		[REGISTERS_CORE] = {"core", "the general, segment, floating point and vector registers"},
	};
	struct machine *machine = target;
	int set = machine->register_set;

	for (int i = 0; i < REGISTERS_SETS; i++) {
		if (!strcmp(args, sets[i].name))
			set = i;
	}
	if (*args && strcmp(args, sets[set].name))
		gdbstub_printf(stub, "It is core, system or all.\n");
	gdbstub_printf(stub, "Served: %s.\n", sets[set].what);
	if (set != machine->register_set)
		gdbstub_printf(stub, "gdb learns it when the guest stops next, or at once by "
				     "'unset tdesc filename';\nother clients when they connect.\n");
	machine->register_set = set;
	return 0;
}

static int monitor_arch(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;

	if (*args && !arch_parse(args, &machine->arch))
		gdbstub_printf(stub, "It is auto, i8086, i386 or x86-64.\n");
	else if (*args)
		gdbstub_printf(stub, "From the next stop on, or from 'unset tdesc filename':\n");
	gdbstub_printf(stub, "The guest is served as %s.\n",
		       machine->arch == ARCH_AUTO ? "what its mode is" : arch_name(machine->arch));
	return 0;
}

static int monitor_screen(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	static struct screen screen;
	size_t len;
	char *text;

	(void)args;
	if (!machine->is_pc) {
		gdbstub_printf(stub, "A bare machine has no screen; --machine=pc has.\n");
		return 0;
	}
	screen_read(machine, &screen);
	text = screen_text(&screen, &len);
	if (!text)
		return -ENOMEM;
	gdbstub_write(stub, text, len);
	free(text);
	if (!screen.is_graphics && screen.has_cursor)
		gdbstub_printf(stub, "[%u x %u, cursor at row %u, column %u]\n", screen.columns, screen.rows,
			       screen.row, screen.column);
	else if (!screen.is_graphics)
		gdbstub_printf(stub, "[%u x %u, no cursor]\n", screen.columns, screen.rows);
	return 0;
}

/* A client is not to choose any of this user's files. */
static int monitor_screenshot(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	char why[256];

	if (!machine->is_pc)
		gdbstub_printf(stub, "A bare machine has no screen; --machine=pc has.\n");
	else if (!*args)
		gdbstub_printf(stub, "It takes the name of the file, FILE.png.\n");
	else if (screenshot_check_name(args, why, sizeof(why)))
		gdbstub_printf(stub, "%s\n", why);
	else if (!sandbox_has_screenshots())
		gdbstub_printf(stub, "kvmgdb runs in a sandbox without a folder for it: start it with --screenshots=DIR.\n");
	else if (screenshot_write(machine, sandbox_create_screenshot(args), args, why, sizeof(why)))
		gdbstub_printf(stub, "%s\n", why);
	return 0;
}

static int monitor_page(struct gdbstub *stub, void *target, const char *args)
{
	const struct machine *machine = target;
	char text[256], *end;
	uint64_t linear;

	errno = 0;
	linear = strtoull(args, &end, 0);
	if (!*args || *end || errno || *args == '-') {
		gdbstub_printf(stub, "It takes a linear address, as 0x7c00.\n");
		return 0;
	}
	memory_describe(&machine->vcpu, linear, text, sizeof(text));
	gdbstub_printf(stub, "%s\n", text);
	return 0;
}

const struct gdbstub_monitor monitor_commands[] = {
	{"arch", "[auto|i8086|i386|x86-64]", "what the guest is served as", monitor_arch},
	{"catch", "[int VECTOR [AH] [off]|off]", "stop before a BIOS service", catch_monitor},
	{"exact", "[on|off]", "find points by stepping alone: slow, and none is missed", monitor_exact},
	{"interrupt", "VECTOR", "an interrupt, as from a device", monitor_interrupt},
	{"irq", "", "the interrupt controllers, and what waits in them", irq_monitor},
	{"key", "TEXT", "type text, as --keys does", monitor_key},
	{"next", "", "make the next stepi a nexti", monitor_next},
	{"page", "ADDRESS", "where a linear address leads, or where in the page tables it ends", monitor_page},
	{"phys", "[on|off]", "read and write memory at physical addresses", monitor_phys},
	{"points", "", "breakpoints and watchpoints: how they are armed, and how often they were hit", points_monitor},
	{"registers", "[core|system|all]", "which registers gdb is told of", monitor_registers},
	{"screen", "", "the text on the guest's screen", monitor_screen},
	{"screenshot", "FILE.png", "write a picture of the guest's screen, in the folder of --screenshots", monitor_screenshot},
	{"status", "", "the CPU's mode and place, and what is set", monitor_status},
	{"step-irq", "[on|off]", "whether a step takes an interrupt", monitor_step_irq},
	{"step-kvm", "[on|off]", "whether KVM does each step, also of a plain instruction", monitor_step_kvm},
	{"step-rep", "[one|all]", "how many iterations of REP a step does", monitor_step_rep},
	{"trace", "[bios|io [on|off]]", "say what the guest asks of the BIOS and of devices", trace_monitor},
	{0},
};
