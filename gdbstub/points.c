/* Breakpoints and watchpoints: the Z and z packets, and what the client has set with a breakpoint. */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define TOTAL_MAX (16u << 20) /* bytes of all expressions */

/*
 * Conditions and commands of a breakpoint. A packet's hexadecimal digits are turned into this in place: each
 * expression is one byte that says what it is, two of length, and itself.
 */
struct point_code {
	enum gdbstub_point kind;
	uint64_t addr;
	size_t size;
	uint8_t bytes[];
};

enum { HEAD = 3 };

static int compare(const void *a, const void *b)
{
	const struct point_code *p = a, *q = b;

	if (p->addr != q->addr)
		return p->addr < q->addr ? -1 : 1;
	return (int)p->kind - (int)q->kind;
}

static struct point_code *find(struct gdbstub *stub, enum gdbstub_point kind, uint64_t addr)
{
	const struct point_code key = {.kind = kind, .addr = addr};
	void *node = stub->codes ? tfind(&key, &stub->codes, compare) : NULL;

	return node ? *(struct point_code **)node : NULL;
}

static void forget(struct gdbstub *stub, enum gdbstub_point kind, uint64_t addr)
{
	struct point_code *code = find(stub, kind, addr);

	if (!code)
		return;
	tdelete(code, &stub->codes, compare);
	stub->codes_size -= sizeof(*code) + code->size;
	free(code);
}

void conditions_free(struct gdbstub *stub)
{
	tdestroy(stub->codes, free);
	stub->codes = NULL;
	stub->codes_size = 0;
	stub->has_commands = false;
}

void target_clear_points(struct gdbstub *stub)
{
	conditions_free(stub);
	stub->ops->points_clear(stub->target);
}

/* An expression as it is stored, and where the next is. */
static const uint8_t *expression(const uint8_t *at, bool *is_command, size_t *size)
{
	*is_command = *at == 'c';
	*size = (size_t)(at[1] << 8 | at[2]);
	return at + HEAD + *size;
}

/* "X len,expr" to `to`, which is behind *p by no more than what is put there. False: malformed. */
static bool parse_expression(const char **p, const char *end, bool is_command, uint8_t **to)
{
	const char *from = *p;
	uint64_t size;

	if (*from++ != 'X' || !hex_number(&from, &size) || *from++ != ',' || !size || size > 0xffff ||
	    (uint64_t)(end - from) < 2 * size)
		return false;
	/* Of "X1,ab" the first three bytes have been read: there is room for them before the digits. */
	if (!hex_decode(*to + HEAD, from, size))
		return false;
	(*to)[0] = is_command ? 'c' : 'x';
	(*to)[1] = (uint8_t)(size >> 8);
	(*to)[2] = (uint8_t)size;
	*to += HEAD + size;
	*p = from + 2 * size;
	return true;
}

/*
 * What follows a breakpoint's kind: [;cond_list][;cmds:persist,cmd_list], where a list is one expression
 * behind the other; gdb's own server takes a ';' between them, too. It is stored at `options`. Returns its
 * size, or a negative number where it is malformed.
 */
static ssize_t parse_options(char *options, const char *end)
{
	uint8_t *to = (uint8_t *)options;
	const char *p = options;
	bool in_commands = false;

	while (p < end) {
		if (*p == ';' && !strncmp(p, ";cmds:", 6)) {
			p += 6;
			/* Who is to see what a command prints is gone with the connection, whatever `persist` is. */
			if ((*p != '0' && *p != '1') || p[1] != ',')
				return -1;
			p += 2;
			in_commands = true;
		} else if (*p == ';') {
			p++;
		}
		if (!parse_expression(&p, end, in_commands, &to))
			return -1;
	}
	return to - (uint8_t *)options;
}

/* Looks at all expressions before any is used. */
static int check(struct gdbstub *stub, const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (at < bytes + size) {
		const uint8_t *code = at + HEAD;
		bool is_command;
		size_t len;
		const char *why;

		at = expression(at, &is_command, &len);
		stub->has_commands |= is_command;
		why = agent_check(code, len, !is_command);
		if (why)
			return gdbstub_error(stub, -EINVAL, "bad bytecode in a %s: %s",
					     is_command ? "command" : "condition", why);
	}
	return 0;
}

/* Stores what has been parsed with a breakpoint, in the place of what was there. */
static int insert_with_code(struct gdbstub *stub, enum gdbstub_point kind, uint64_t addr, uint64_t len,
			    const uint8_t *bytes, size_t size)
{
	struct point_code *code = find(stub, kind, addr);
	int result;

	/* gdb sets everything again whenever the target stops. */
	if (code && code->size == size && !memcmp(code->bytes, bytes, size))
		return stub->ops->point_insert(stub->target, kind, addr, len);
	result = check(stub, bytes, size);
	if (result)
		return result;
	if (stub->codes_size + sizeof(*code) + size > TOTAL_MAX)
		return gdbstub_error(stub, -ENOSPC, "all conditions together have more than %u bytes", TOTAL_MAX);
	code = malloc(sizeof(*code) + size);
	if (!code)
		return -ENOMEM;
	result = stub->ops->point_insert(stub->target, kind, addr, len);
	if (result) {
		free(code);
		return result;
	}
	*code = (struct point_code){.kind = kind, .addr = addr, .size = size};
	memcpy(code->bytes, bytes, size);
	forget(stub, kind, addr);
	if (!tsearch(code, &stub->codes, compare)) {
		free(code);
		/* Without its condition it stops where it should not, and the client looks again. */
		return 0;
	}
	stub->codes_size += sizeof(*code) + size;
	return 0;
}

/* Z type,addr,kind[options] */
static int change_point(struct gdbstub *stub, char *args, size_t len, bool insert)
{
	const char *p = args + 2, *end = args + len;
	enum gdbstub_point type;
	uint64_t addr, kind;
	ssize_t size;
	int result;

	if (args[0] < '0' || args[0] > '4')
		return 1;
	if (args[1] != ',' || !hex_number(&p, &addr) || *p++ != ',' || !hex_number(&p, &kind))
		return -EINVAL;
	type = (enum gdbstub_point)(args[0] - '0');
	if (p == end) {
		result = (insert ? stub->ops->point_insert : stub->ops->point_remove)(stub->target, type, addr,
										      kind);
		if (!result)
			forget(stub, type, addr);
	} else {
		if (*p != ';' || !insert)
			return -EINVAL;
		if (type > GDBSTUB_POINT_HARDWARE)
			return gdbstub_error(stub, -EINVAL, "a watchpoint takes no condition");
		size = parse_options(args + (p - args), end);
		if (size <= 0)
			return gdbstub_error(stub, -EINVAL, "a malformed condition");
		result = insert_with_code(stub, type, addr, kind, (const uint8_t *)p, (size_t)size);
	}
	if (!result)
		reply_ok(stub);
	return result;
}

/* gdb says "Cannot access memory" of whatever it was. */
int point_insert(struct gdbstub *stub, char *args, size_t len)
{
	int result = change_point(stub, args, len, true);
	const char *p = args + 2;
	uint64_t addr;

	if (result < 0 && len > 2 && hex_number(&p, &addr))
		snprintf(stub->session.refusal, sizeof(stub->session.refusal), "0x%llx: %s", (unsigned long long)addr,
			 *stub->error_text ? stub->error_text : strerror(-result));
	return result;
}

const char *gdbstub_refusal(const struct gdbstub *stub)
{
	return *stub->session.refusal ? stub->session.refusal : NULL;
}

int point_remove(struct gdbstub *stub, char *args, size_t len)
{
	return change_point(stub, args, len, false);
}

enum gdbstub_hit gdbstub_point_hit(struct gdbstub *stub, enum gdbstub_point kind, uint64_t addr, int thread)
{
	const struct point_code *code = find(stub, kind, addr);
	bool any_condition = false, any_command = false, stops = false, is_command;
	const uint8_t *at, *next;
	uint64_t value;
	size_t size;

	if (!code)
		return GDBSTUB_STOP;
	for (at = code->bytes; at < code->bytes + code->size; at = next) {
		next = expression(at, &is_command, &size);
		any_command |= is_command;
		any_condition |= !is_command;
		/* What cannot be decided here is the client's to decide. */
		if (!is_command && !stops)
			stops = agent_evaluate(stub, thread, at + HEAD, size, &value) || value;
	}
	if (!any_command || (any_condition && !stops))
		return stops ? GDBSTUB_STOP : GDBSTUB_MISS;
	for (at = code->bytes; at < code->bytes + code->size; at = next) {
		const char *why = NULL;

		next = expression(at, &is_command, &size);
		if (is_command)
			why = agent_evaluate(stub, thread, at + HEAD, size, NULL);
		if (why)
			gdbstub_printf(stub, "[the command at 0x%llx: %s]\n", (unsigned long long)addr, why);
	}
	return GDBSTUB_SERVED;
}
