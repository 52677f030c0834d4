/* The `monitor` commands (qRcmd): the library's own, then the target's. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static int help(struct gdbstub *stub, void *target, const char *args);
static int reset(struct gdbstub *stub, void *target, const char *args);

static const struct gdbstub_monitor own[] = {
	{"help", "[COMMAND]", "prints this list, or a line of it", help},
	{"reset", "[halt | init]", "begins anew, as after power-on, and waits; breakpoints stay", reset},
	{0},
};

static void say_row(struct gdbstub *stub, const struct gdbstub_monitor *row)
{
	int column = (int)(strlen(row->name) + strlen(row->args));

	gdbstub_printf(stub, "monitor %s%s%s%*s%s\n", row->name, *row->args ? " " : "", row->args,
		       column < 33 ? 35 - column - (*row->args != 0) : 2, "", row->help);
}

static const struct gdbstub_monitor *find(const struct gdbstub_monitor *row, const char *line,
					  size_t len)
{
	for (; row && row->name; row++) {
		if (strlen(row->name) == len && !strncmp(row->name, line, len))
			return row;
	}
	return NULL;
}

/* Says so if there is none. */
static const struct gdbstub_monitor *find_command(struct gdbstub *stub, const char *name, size_t len)
{
	const struct gdbstub_monitor *row = find(own, name, len);

	if (!row)
		row = find(stub->ops->monitor, name, len);
	if (!row)
		gdbstub_printf(stub, "There is no monitor command '%.*s'; try 'monitor help'.\n", (int)len, name);
	return row;
}

static int help(struct gdbstub *stub, void *target, const char *args)
{
	const struct gdbstub_monitor *row;

	(void)target;
	if (*args) {
		row = find_command(stub, args, strlen(args));
		if (row)
			say_row(stub, row);
		return 0;
	}
	for (row = own; row->name; row++)
		say_row(stub, row);
	for (row = stub->ops->monitor; row && row->name; row++)
		say_row(stub, row);
	return 0;
}

/* gdb is not told of it, and goes on with the registers that it has. */
static int reset(struct gdbstub *stub, void *target, const char *args)
{
	(void)target;
	/* As other stubs know it. A script that wants the guest to run is not to go on as if it had been obeyed. */
	if (*args && strcmp(args, "halt") && strcmp(args, "init"))
		return gdbstub_error(stub, -EINVAL, "it waits after a reset: the command takes nothing, halt or init");
	if (!target_restart(stub))
		return gdbstub_error(stub, -EIO, "it cannot begin anew");
	gdbstub_printf(stub, "It begins anew. gdb shows where it was until it stops again, or until "
			     "'maintenance flush register-cache'.\n");
	return 0;
}

int monitor_command(struct gdbstub *stub, char *args, size_t len)
{
	const struct gdbstub_monitor *row;
	char line[256], *name = line, *end, *rest;
	int result;

	if (len & 1 || len / 2 >= sizeof(line) || !hex_decode((uint8_t *)line, args, len / 2))
		return gdbstub_error(stub, -EINVAL, "not a monitor command of at most %zu characters",
				     sizeof(line) - 1);
	line[len / 2] = 0;
	name += strspn(name, " \t");
	if (!*name)
		name = strcpy(line, "help");
	end = name + strcspn(name, " \t");
	row = find_command(stub, name, (size_t)(end - name));
	rest = end + strspn(end, " \t");
	if (!row) {
		result = 0;
	} else if (*rest && !*row->args) {
		gdbstub_printf(stub, "'monitor %s' takes no argument.\n", row->name);
		result = 0;
	} else {
		result = row->handler(stub, stub->target, rest);
	}
	if (result < 0 && *stub->error_text && !session_takes_error_text(stub))
		gdbstub_printf(stub, "%s\n", stub->error_text);
	if (!result)
		reply_ok(stub);
	return result;
}
