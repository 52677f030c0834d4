/* Resuming and stop replies: c, s, vCont, and the protocol of a switch of layouts. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

int thread_next(const struct gdbstub *stub, int after)
{
	return stub->killed ? 0 : stub->ops->thread_next(stub->target, after);
}

bool thread_exists(const struct gdbstub *stub, int thread)
{
	return thread > 0 && thread_next(stub, thread - 1) == thread;
}

static bool parse_id(const char **p, int *thread)
{
	uint64_t id;

	if (!strncmp(*p, "-1", 2)) {
		*p += 2;
		*thread = -1;
		return true;
	}
	if (!hex_number(p, &id) || id > INT32_MAX)
		return false;
	*thread = (int)id;
	return true;
}

bool thread_parse(const char **p, int *thread)
{
	/* "pPID.TID" is for clients with multiprocess, which is not offered, but costs nothing. */
	if (**p == 'p') {
		++*p;
		if (!parse_id(p, thread))
			return false;
		if (**p != '.') {
			*thread = -1; /* all of the process */
			return true;
		}
		++*p;
	}
	return parse_id(p, thread);
}

/* One of vCont's actions. */
struct action {
	enum gdbstub_resume resume;
	uint64_t start, end; /* of r: goes on while it is in [start, end); empty for the others */
	int thread;	     /* -1: all */
};

/* Moves *p behind the action. False if it is none. */
static bool parse_action(const char **p, struct action *action)
{
	uint64_t signal;
	char letter = **p;

	*action = (struct action){.thread = -1};
	switch (letter) {
	case 'c':
	case 'C':
		action->resume = GDBSTUB_CONTINUE;
		break;
	case 's':
	case 'S':
	case 'r':
		action->resume = GDBSTUB_STEP;
		break;
	case 't':
		action->resume = GDBSTUB_HOLD;
		break;
	default:
		return false;
	}
	++*p;
	/* A guest has no signals to be given: the number is read and left. */
	if ((letter == 'C' || letter == 'S') && !hex_number(p, &signal))
		return false;
	if (letter == 'r') {
		if (!hex_number(p, &action->start) || **p != ',')
			return false;
		++*p;
		if (!hex_number(p, &action->end))
			return false;
	}
	if (**p == ':') {
		++*p;
		if (!thread_parse(p, &action->thread))
			return false;
	}
	if (**p && **p != ';')
		return false;
	return true;
}

/* What is asked of a thread: of vCont's actions the first that names it. */
static struct action find_action(const struct session *s, int thread)
{
	struct action action = {.resume = s->default_action};
	const char *p = s->actions;

	if (!p) {
		if (s->default_action == GDBSTUB_STEP && s->continue_thread > 0 &&
		    s->continue_thread != thread)
			action.resume = GDBSTUB_CONTINUE;
		return action;
	}
	while (*p == ';') {
		p++;
		if (!parse_action(&p, &action))
			break;
		if (action.thread <= 0 || action.thread == thread)
			return action;
	}
	return (struct action){.resume = GDBSTUB_HOLD};
}

enum gdbstub_resume session_action(const struct gdbstub *stub, int thread)
{
	return find_action(&stub->session, thread).resume;
}

static bool is_watch(enum gdbstub_reason reason)
{
	return reason >= GDBSTUB_WATCH && reason <= GDBSTUB_AWATCH;
}

static const char *reason_text(const struct session *s, enum gdbstub_reason reason)
{
	if (reason == GDBSTUB_SWBREAK && s->features & CLIENT_SWBREAK)
		return "swbreak:;";
	if (reason == GDBSTUB_HWBREAK && s->features & CLIENT_HWBREAK)
		return "hwbreak:;";
	return "";
}

/* printf() would be the longest part of a step's way through this program. */
static void reply_signal(struct packets *p, enum gdbstub_signal signal, int thread)
{
	uint8_t number = (uint8_t)signal;

	reply_text(p, "T");
	reply_hex(p, &number, 1);
	reply_text(p, "thread:");
	reply_number(p, (unsigned int)thread);
	reply_text(p, ";");
}

void reply_stop(struct gdbstub *stub, const struct gdbstub_stop *stop)
{
	struct packets *p = &stub->packets;
	struct session *s = &stub->session;
	static const char *const watches[] = {
		[GDBSTUB_WATCH] = "watch", [GDBSTUB_RWATCH] = "rwatch", [GDBSTUB_AWATCH] = "awatch"};
	enum gdbstub_signal signal;
	const int *number;

	if (stop->reason == GDBSTUB_EXITED) {
		reply_format(p, "W%02x", (unsigned int)stop->status & 0xff);
		return;
	}
	signal = stop->signal;
	/* lldb would take a stop without a signal for none, and go on. */
	if (s->thread_suffix && signal == GDBSTUB_SIGNAL_NONE && stop->thread == s->last.thread)
		signal = GDBSTUB_SIGNAL_TRAP;
	reply_signal(p, signal, stop->thread);
	reply_text(p, reason_text(s, stop->reason));
	if (signal != stop->signal) {
		reply_text(p, "reason:exception;description:");
		reply_hex(p, "stopped", strlen("stopped"));
		reply_text(p, ";");
	}
	if (is_watch(stop->reason))
		reply_format(p, "%s:%llx;", watches[stop->reason], (unsigned long long)stop->addr);
	if (s->threads_in_stop) {
		reply_text(p, "threads:");
		for (int thread = 0, first = 1; (thread = thread_next(stub, thread)) != 0; first = 0)
			reply_format(p, "%s%x", first ? "" : ",", (unsigned int)thread);
		reply_text(p, ";");
	}
	number = stub->ops->expedited(stub->target, s->layout);
	for (; number && *number >= 0; number++) {
		ssize_t size = stub->ops->register_read(stub->target, stop->thread, s->layout,
							*number, stub->scratch,
							sizeof(stub->scratch));

		if (size <= 0)
			continue;
		if (*number < 0x10)
			reply_text(p, "0");
		reply_number(p, (unsigned int)*number);
		reply_text(p, ":");
		reply_hex(p, stub->scratch, (size_t)size);
		reply_text(p, ";");
	}
}

/*
 * The thread's registers now have another layout than the one the client knows. An exec stop makes
 * gdb read the target description anew; the stop proper is kept back as the reply to the next resume
 * packet, for which the target is not run. gdb marks its breakpoints as not inserted on an exec, and
 * parses this reply with the old layout, so it carries no registers. It opens the program that is named,
 * and warns, for there is none: the one that is served would be read again, with which displays end and
 * qOffsets is forgotten.
 */
static void reply_exec(struct gdbstub *stub, const struct gdbstub_stop *stop, int layout)
{
	struct session *s = &stub->session;
	const char *name = stub->ops->layout_name(stub->target, layout);

	s->saved = *stop;
	s->has_saved = true;
	s->layout = layout;
	s->last = (struct gdbstub_stop){.signal = GDBSTUB_SIGNAL_TRAP, .thread = stop->thread};
	target_clear_points(stub);
	reply_text(&stub->packets, "T05exec:");
	reply_hex(&stub->packets, name, strlen(name));
	reply_format(&stub->packets, ";thread:%x;", (unsigned int)stop->thread);
}

static void report(struct gdbstub *stub, const struct gdbstub_stop *stop)
{
	struct session *s = &stub->session;
	int layout = stub->ops->layout(stub->target, stop->thread);

	reply_start(&stub->packets);
	s->last = *stop;
	if (s->last.reason == GDBSTUB_INTERRUPTED)
		s->last.signal = GDBSTUB_SIGNAL_INT;
	if (s->last.reason == GDBSTUB_EXITED)
		s->state = SESSION_EXITED;
	else if (layout != s->layout && s->features & CLIENT_EXEC_EVENTS) {
		reply_exec(stub, &s->last, layout);
		return;
	}
	reply_stop(stub, &s->last);
}

/*
 * The stop that an exec stop has kept back. gdb has inserted its points again; for the end of a step
 * with none there, signal 0 reads better ("Program stopped.") than the "SIGTRAP" of a step that gdb
 * has forgotten.
 */
static void report_saved(struct gdbstub *stub)
{
	struct session *s = &stub->session;

	s->has_saved = false;
	s->last = s->saved;
	if (s->last.reason == GDBSTUB_WATCH) {
		/* gdb has forgotten the old value on the exec, sees no change, and would go on. */
		gdbstub_printf(stub, "Watched memory at 0x%llx was written.\n",
			       (unsigned long long)s->last.addr);
		s->last.reason = GDBSTUB_STOPPED;
		s->last.signal = GDBSTUB_SIGNAL_NONE;
	}
	if (s->last.signal == GDBSTUB_SIGNAL_TRAP && s->last.reason < GDBSTUB_WATCH) {
		s->last.reason = stub->ops->point_here(stub->target, s->last.thread);
		if (s->last.reason == GDBSTUB_STOPPED)
			s->last.signal = GDBSTUB_SIGNAL_NONE;
	}
	reply_start(&stub->packets);
	reply_stop(stub, &s->last);
}

/*
 * Whether a step is to be followed by another: the manual's vCont;r goes on while the thread is in the
 * range and nothing else has happened. A breakpoint that counts there and a switch of layouts are to be seen.
 */
static bool steps_on(struct gdbstub *stub, struct gdbstub_stop *stop)
{
	struct action action = find_action(&stub->session, stop->thread);
	uint64_t pc;

	if (action.start >= action.end || stop->reason != GDBSTUB_STOPPED ||
	    stop->signal != GDBSTUB_SIGNAL_TRAP)
		return false;
	pc = stub->ops->pc(stub->target, stop->thread);
	if (pc < action.start || pc >= action.end ||
	    stub->ops->layout(stub->target, stop->thread) != stub->session.layout ||
	    stub->ops->point_hit(stub->target, stop->thread) != GDBSTUB_STOPPED)
		return false;
	if (stop->halted) {
		/* As it is told of a halt while it runs; after a SIGTRAP gdb would step on through the range. */
		stop->signal = GDBSTUB_SIGNAL_NONE;
		return false;
	}
	/* Between two steps nobody else would look; but while there was no signal, there is nothing to be seen. */
	if ((stub->reminded || !stub->transport.is_socket) && gdbstub_poll(stub))
		stop->reason = GDBSTUB_INTERRUPTED;
	return stop->reason == GDBSTUB_STOPPED;
}

/*
 * A step, or a watchpoint's stop, that ends at a breakpoint with commands, which the client does not know to have been
 * hit: it will leave it as one that it has seen.
 */
static void arrive(struct gdbstub *stub, const struct gdbstub_stop *stop, uint64_t from)
{
	struct action action = find_action(&stub->session, stop->thread);
	uint64_t pc;

	if (!is_watch(stop->reason) &&
	    (stop->reason != GDBSTUB_STOPPED || stop->signal != GDBSTUB_SIGNAL_TRAP))
		return;
	pc = stub->ops->pc(stub->target, stop->thread);
	/* Within a range steps_on() has looked. */
	if (pc != from && (pc < action.start || pc >= action.end || stop->reason != GDBSTUB_STOPPED))
		stub->ops->point_hit(stub->target, stop->thread);
}

/*
 * Whether an interrupt that has crossed the last stop reply is for what is resumed now. To a person who was told of a
 * stop it means nothing any more; but gdb steps on and on by itself, and off breakpoints and watchpoints whose
 * conditions it decides, and would go on with that for ever.
 */
static bool takes_interrupt(struct gdbstub *stub, bool steps)
{
	struct session *s = &stub->session;
	bool waits = s->interrupt_waits && s->has_run;

	s->interrupt_waits = false;
	s->has_run = true;
	return waits && (steps || is_watch(s->last.reason) ||
			 (s->last.reason == GDBSTUB_STOPPED && s->last.signal == GDBSTUB_SIGNAL_TRAP));
}

static int run(struct gdbstub *stub)
{
	struct session *s = &stub->session;
	struct gdbstub_stop stop = {.thread = s->general_thread};
	uint64_t from = 0;
	bool any = false, steps, taken;

	if (stub->killed)
		return gdbstub_error(stub, -ESRCH, "it was killed: only run begins anew");
	if (s->has_saved) {
		report_saved(stub);
		return 0;
	}
	for (int thread = 0; (thread = stub->ops->thread_next(stub->target, thread)) != 0;)
		any |= session_action(stub, thread) != GDBSTUB_HOLD;
	steps = s->interrupt_waits && session_action(stub, stop.thread) == GDBSTUB_STEP;
	taken = any && takes_interrupt(stub, steps);
	if (taken && !steps) {
		stop.reason = GDBSTUB_INTERRUPTED;
	} else if (any) {
		if (stub->has_commands)
			from = stub->ops->pc(stub->target, stop.thread);
		/* For a step that takes long, as over a call. */
		s->interrupted = taken;
		do {
			target_run(stub, &stop);
		} while (!taken && steps_on(stub, &stop));
		if (stub->has_commands && stop.thread == s->general_thread)
			arrive(stub, &stop, from);
		s->general_thread = stop.thread;
		/*
		 * Before the reply: the client may answer at once, and would raise one. A user who has interrupted does
		 * not, and is waiting: session_serve() does it then.
		 */
		if (stop.reason != GDBSTUB_INTERRUPTED)
			transport_signals(&stub->transport, false);
		s->interrupt_answered = s->interrupted && stop.reason == GDBSTUB_INTERRUPTED;
		/* The step was made. From a point gdb may go on by itself once more. */
		if (taken && stop.reason == GDBSTUB_STOPPED && stop.signal == GDBSTUB_SIGNAL_TRAP)
			stop.reason = GDBSTUB_INTERRUPTED;
		else
			s->interrupt_waits = taken && (stop.reason == GDBSTUB_SWBREAK || stop.reason == GDBSTUB_HWBREAK ||
							is_watch(stop.reason));
	}
	/* Else everything is to hold, and does. */
	report(stub, &stop);
	return 0;
}

/* c, s [addr] and C, S sig[;addr] */
static int run_all(struct gdbstub *stub, char *args, enum gdbstub_resume action, bool with_signal)
{
	struct session *s = &stub->session;
	const char *p = args;
	uint64_t addr, signal;
	int result;

	if (with_signal) {
		if (!hex_number(&p, &signal) || (*p && *p++ != ';'))
			return -EINVAL;
	}
	if (*p) {
		if (!hex_number(&p, &addr) || *p)
			return -EINVAL;
		result = stub->ops->set_pc(stub->target, s->general_thread, addr);
		if (result)
			return result;
	}
	s->actions = NULL;
	s->default_action = action;
	return run(stub);
}

static int run_continue(struct gdbstub *stub, char *args, size_t len)
{
	(void)len;
	return run_all(stub, args, GDBSTUB_CONTINUE, false);
}

static int run_continue_signal(struct gdbstub *stub, char *args, size_t len)
{
	(void)len;
	return run_all(stub, args, GDBSTUB_CONTINUE, true);
}

static int run_step(struct gdbstub *stub, char *args, size_t len)
{
	(void)len;
	return run_all(stub, args, GDBSTUB_STEP, false);
}

static int run_step_signal(struct gdbstub *stub, char *args, size_t len)
{
	(void)len;
	return run_all(stub, args, GDBSTUB_STEP, true);
}

static int vcont_actions(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	reply_text(&stub->packets, "vCont;c;C;s;S;t;r");
	return 0;
}

static int vcont(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args - 1; /* from the ';' on */

	if (len + 2 > sizeof(stub->scratch))
		return gdbstub_error(stub, -EMSGSIZE, "too many actions");
	/* All of it is looked at before any of it is done. */
	while (*p == ';') {
		struct action action;

		p++;
		if (!parse_action(&p, &action))
			return -EINVAL;
		if (action.thread > 0 && !thread_exists(stub, action.thread))
			return gdbstub_error(stub, -ESRCH, "there is no thread %x",
					     (unsigned int)action.thread);
	}
	if (*p)
		return -EINVAL;
	/* run() asks for them while what the client sends next comes into the packet's buffer. */
	stub->session.actions = memcpy(stub->scratch, args - 1, len + 2);
	return run(stub);
}

const struct command resumes[] = {
	{.name = "c", .handler = run_continue},
	{.name = "C", .handler = run_continue_signal},
	{.name = "s", .handler = run_step},
	{.name = "S", .handler = run_step_signal},
	{.name = "vCont?", .handler = vcont_actions, .exact = true},
	{.name = "vCont;", .handler = vcont},
	{0},
};
