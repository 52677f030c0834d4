/* The packets of one letter and the v packets that do not resume: registers, memory, points. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static int last_stop(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	reply_stop(stub, &stub->session.last);
	return 0;
}

static int extended_mode(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	stub->session.extended = true;
	reply_ok(stub);
	return 0;
}

/* H op thread-id: 0 is any thread, -1 all of them (for Hc only). */
static int set_thread(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args + 1;
	int thread;

	if (!len || !thread_parse(&p, &thread) || *p)
		return -EINVAL;
	if (thread > 0 && !thread_exists(stub, thread))
		return gdbstub_error(stub, -ESRCH, "there is no thread %x", (unsigned int)thread);
	if (*args == 'c') {
		stub->session.continue_thread = thread;
	} else if (*args == 'g') {
		/* Any will do: the first is as good as another. */
		if (thread > 0)
			stub->session.general_thread = thread;
	} else {
		return 1;
	}
	reply_ok(stub);
	return 0;
}

static int thread_alive(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	int thread;

	(void)len;
	if (!thread_parse(&p, &thread) || *p)
		return -EINVAL;
	if (!thread_exists(stub, thread))
		return -ESRCH;
	reply_ok(stub);
	return 0;
}

static int read_registers(struct gdbstub *stub, char *args, size_t len)
{
	ssize_t size;
	int thread;

	if (!thread_suffix(stub, args, &len, &thread))
		return -EINVAL;
	if (*args)
		return 1;
	size = stub->ops->registers_read(stub->target, thread, stub->session.layout, stub->scratch,
					 sizeof(stub->scratch));
	if (size < 0)
		return (int)size;
	reply_hex(&stub->packets, stub->scratch, (size_t)size);
	return 0;
}

static int write_registers(struct gdbstub *stub, char *args, size_t len)
{
	int result, thread;

	if (!thread_suffix(stub, args, &len, &thread) || len & 1 ||
	    len / 2 > sizeof(stub->scratch) ||
	    !hex_decode((uint8_t *)stub->scratch, args, len / 2))
		return -EINVAL;
	result = stub->ops->registers_write(stub->target, thread, stub->session.layout,
					    stub->scratch, len / 2);
	if (!result)
		reply_ok(stub);
	return result;
}

static int read_register(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	uint64_t number;
	ssize_t size;
	int thread;

	if (!thread_suffix(stub, args, &len, &thread) || !hex_number(&p, &number) || *p ||
	    number > INT32_MAX)
		return -EINVAL;
	size = stub->ops->register_read(stub->target, thread, stub->session.layout, (int)number,
					stub->scratch, sizeof(stub->scratch));
	if (size < 0)
		return (int)size;
	reply_hex(&stub->packets, stub->scratch, (size_t)size);
	return 0;
}

static int write_register(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	uint64_t number;
	size_t digits;
	int result, thread;

	if (!thread_suffix(stub, args, &len, &thread) || !hex_number(&p, &number) || *p++ != '=' || number > INT32_MAX)
		return -EINVAL;
	digits = len - (size_t)(p - args);
	if (digits & 1 || digits / 2 > sizeof(stub->scratch) ||
	    !hex_decode((uint8_t *)stub->scratch, p, digits / 2))
		return -EINVAL;
	result = stub->ops->register_write(stub->target, thread, stub->session.layout, (int)number,
					   stub->scratch, digits / 2);
	if (!result)
		reply_ok(stub);
	return result;
}

bool range_parse(const char *p, uint64_t *addr, uint64_t *len, const char **rest)
{
	if (!hex_number(&p, addr) || *p++ != ',' || !hex_number(&p, len))
		return false;
	if (rest) {
		if (*p++ != ':')
			return false;
		*rest = p;
		return true;
	}
	return !*p;
}

static ssize_t read_memory(struct gdbstub *stub, uint64_t addr, void *buf, size_t len)
{
	return stub->ops->memory_read(stub->target, stub->session.general_thread, addr, buf, len);
}

static int read_memory_hex(struct gdbstub *stub, char *args, size_t len)
{
	struct packets *p = &stub->packets;
	uint64_t addr, size;
	ssize_t got;
	char *room;

	(void)len;
	if (!range_parse(args, &addr, &size, NULL))
		return -EINVAL;
	if (!size)
		return 0;
	/* A reply may be shorter than what was asked for. */
	if (size > PACKET_BODY_MAX / 2)
		size = PACKET_BODY_MAX / 2;
	room = reply_room(p, 2 * size);
	got = read_memory(stub, addr, room + size, size);
	if (got < 0)
		return (int)got;
	/* The bytes lie at the end of the room that their digits fill. */
	if ((size_t)got < size)
		memmove(room + got, room + size, (size_t)got);
	hex_encode(room, (uint8_t *)room + got, (size_t)got);
	p->out_len = 2 * (size_t)got;
	return 0;
}

static int read_memory_binary(struct gdbstub *stub, char *args, size_t len)
{
	struct packets *p = &stub->packets;
	uint64_t addr, size;

	(void)len;
	if (!range_parse(args, &addr, &size, NULL))
		return -EINVAL;
	reply_text(p, "b");
	while (size) {
		size_t part = size < sizeof(stub->scratch) ? size : sizeof(stub->scratch);
		ssize_t got = read_memory(stub, addr, stub->scratch, part);

		if (got < 0)
			return p->out_len > 1 ? 0 : (int)got;
		if (reply_binary(p, stub->scratch, (size_t)got) < part)
			break;
		addr += part;
		if (!addr) /* the end of the address space is not its beginning */
			break;
		size -= part;
	}
	return 0;
}

static int write_memory(struct gdbstub *stub, uint64_t addr, const char *data, size_t len)
{
	int result = 0;

	/* gdb probes with a write of nothing. */
	if (len)
		result = stub->ops->memory_write(stub->target, stub->session.general_thread, addr,
						 data, len);
	if (!result)
		reply_ok(stub);
	return result;
}

static int write_memory_hex(struct gdbstub *stub, char *args, size_t len)
{
	const char *data;
	uint64_t addr, size;
	size_t digits;

	if (!range_parse(args, &addr, &size, &data))
		return -EINVAL;
	digits = len - (size_t)(data - args);
	if (digits / 2 != size || digits & 1 ||
	    !hex_decode((uint8_t *)args + (data - args), data, size))
		return -EINVAL;
	return write_memory(stub, addr, data, size);
}

static int write_memory_binary(struct gdbstub *stub, char *args, size_t len)
{
	const char *data;
	uint64_t addr, size;

	if (!range_parse(args, &addr, &size, &data) || len - (size_t)(data - args) != size)
		return -EINVAL;
	return write_memory(stub, addr, data, size);
}

/* D, or D;pid of clients with multiprocess; D1 leaves the target stopped, which is lldb's. */
static int detach(struct gdbstub *stub, char *args, size_t len)
{
	bool stay = len && *args == '1';

	if (args[stay] && args[stay] != ';')
		return 1;
	stub->session.state = stay ? SESSION_LEFT : SESSION_DETACHED;
	reply_ok(stub);
	return 0;
}

/* A client in extended mode may want to begin anew; for any other it is the end. */
static void end_target(struct gdbstub *stub)
{
	struct session *s = &stub->session;

	if (!s->extended) {
		s->state = SESSION_KILLED;
		return;
	}
	stub->killed = true;
	s->has_saved = false;
	s->last = (struct gdbstub_stop){.reason = GDBSTUB_EXITED};
	target_clear_points(stub);
}

static int kill_target(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	end_target(stub);
	/* gdb expects no reply, lldb one. */
	if (stub->session.thread_suffix)
		reply_text(&stub->packets, "X09");
	else
		stub->session.silent = true;
	return 0;
}

static int kill_process(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	end_target(stub);
	reply_ok(stub);
	return 0;
}

/* R has no reply: gdb asks `?` next. Points stay. */
static int restart(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	if (!stub->session.extended)
		return 1;
	target_restart(stub);
	stub->session.silent = true;
	return 0;
}

/*
 * vRun;filename[;argument]...: there is one program, whatever it is called. gdb takes its points for
 * gone, and has yet to read the description, so that the reply carries no registers.
 */
static int run_program(struct gdbstub *stub, char *args, size_t len)
{
	if (!stub->session.extended || (len && *args != ';'))
		return 1;
	target_clear_points(stub);
	if (!target_restart(stub))
		return gdbstub_error(stub, -EIO, "it cannot begin anew");
	stub->session.created = true;
	reply_start(&stub->packets);
	reply_format(&stub->packets, "T%02xthread:%x;", GDBSTUB_SIGNAL_TRAP,
		     (unsigned int)stub->session.general_thread);
	return 0;
}

static int must_reply_empty(struct gdbstub *stub, char *args, size_t len)
{
	(void)stub;
	(void)args;
	(void)len;
	return 1;
}

static int interrupt(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	/* gdbstub_poll() has seen it; here nothing runs any more. */
	reply_ok(stub);
	return 0;
}

int sub_table(struct gdbstub *stub, const struct command *table, char *body, size_t len)
{
	const struct command *row = command_find(table, body);
	size_t skip;

	if (!row)
		return 1;
	skip = strlen(row->name);
	return row->handler(stub, body + skip, len - skip);
}

static int query(struct gdbstub *stub, char *args, size_t len)
{
	return sub_table(stub, queries, args - 1, len + 1);
}

static int resume(struct gdbstub *stub, char *args, size_t len)
{
	return sub_table(stub, resumes, args - 1, len + 1);
}

static int resume_v(struct gdbstub *stub, char *args, size_t len)
{
	return sub_table(stub, resumes, args - 5, len + 5);
}

/* The longer names come before the letters that they begin with. */
const struct command commands[] = {
	{.name = "?", .handler = last_stop, .exact = true},
	{.name = "!", .handler = extended_mode, .exact = true},
	{.name = "g", .handler = read_registers},
	{.name = "G", .handler = write_registers},
	{.name = "p", .handler = read_register},
	{.name = "P", .handler = write_register},
	{.name = "m", .handler = read_memory_hex},
	{.name = "M", .handler = write_memory_hex},
	{.name = "x", .handler = read_memory_binary, .feature = "binary-upload+"},
	{.name = "X", .handler = write_memory_binary},
	{.name = "Z", .handler = point_insert, .feature = "ConditionalBreakpoints+;BreakpointCommands+"},
	{.name = "z", .handler = point_remove},
	{.name = "H", .handler = set_thread},
	{.name = "T", .handler = thread_alive},
	{.name = "vCont", .handler = resume_v, .feature = "vContSupported+", .negotiated = CLIENT_VCONT},
	{.name = "vCtrlC", .handler = interrupt, .while_running = true, .exact = true},
	{.name = "vKill;", .handler = kill_process, .while_running = true},
	{.name = "vFile:", .handler = file_packet},
	{.name = "vRun", .handler = run_program},
	{.name = "vMustReplyEmpty", .handler = must_reply_empty, .exact = true},
	{.name = "c", .handler = resume},
	{.name = "C", .handler = resume},
	{.name = "s", .handler = resume},
	{.name = "S", .handler = resume},
	{.name = "D", .handler = detach, .while_running = true},
	{.name = "k", .handler = kill_target, .while_running = true, .exact = true},
	{.name = "R", .handler = restart},
	{.name = "q", .handler = query},
	{.name = "Q", .handler = query},
	{0},
};
