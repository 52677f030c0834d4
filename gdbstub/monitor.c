/* The `monitor` commands (qRcmd): the library's own, then the target's. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static int help(struct gdbstub *stub, void *target, const char *args);
static int reset(struct gdbstub *stub, void *target, const char *args);

static const struct gdbstub_monitor own[] = {
	{"help", "", "prints this list", help},
	{"reset", "", "begins anew, as after power-on; breakpoints stay", reset},
	{0},
};

static void help_table(struct gdbstub *stub, const struct gdbstub_monitor *row)
{
	for (; row && row->name; row++) {
		int column = (int)(strlen(row->name) + strlen(row->args));

		gdbstub_printf(stub, "monitor %s%s%s%*s%s\n", row->name, *row->args ? " " : "",
			       row->args, column < 33 ? 35 - column - (*row->args != 0) : 2, "",
			       row->help);
	}
}

static int help(struct gdbstub *stub, void *target, const char *args)
{
	(void)target;
	(void)args;
	help_table(stub, own);
	help_table(stub, stub->ops->monitor);
	return 0;
}

/* gdb is not told of it, and goes on with the registers that it has. */
static int reset(struct gdbstub *stub, void *target, const char *args)
{
	(void)target;
	(void)args;
	if (!target_restart(stub))
		return gdbstub_error(stub, -EIO, "it cannot begin anew");
	gdbstub_printf(stub, "It begins anew. gdb shows where it was until it stops again, or until "
			     "'maintenance flush register-cache'.\n");
	return 0;
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

int monitor_command(struct gdbstub *stub, char *args, size_t len)
{
	const struct gdbstub_monitor *row;
	char line[256], *name = line, *end;
	int result;

	if (len & 1 || len / 2 >= sizeof(line) || !hex_decode((uint8_t *)line, args, len / 2))
		return gdbstub_error(stub, -EINVAL, "not a monitor command of at most %zu characters",
				     sizeof(line) - 1);
	line[len / 2] = 0;
	name += strspn(name, " \t");
	if (!*name)
		name = strcpy(line, "help");
	end = name + strcspn(name, " \t");
	row = find(own, name, (size_t)(end - name));
	if (!row)
		row = find(stub->ops->monitor, name, (size_t)(end - name));
	if (!row) {
		gdbstub_printf(stub, "There is no monitor command '%.*s'; try 'monitor help'.\n",
			       (int)(end - name), name);
		reply_ok(stub);
		return 0;
	}
	result = row->handler(stub, stub->target, end + strspn(end, " \t"));
	if (!result)
		reply_ok(stub);
	return result;
}
