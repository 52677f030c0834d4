/* One client after the other: its session, the way of a packet to its handler, and its end. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#ifndef sigev_notify_thread_id /* as timer_create(2) has it; glibc before 2.38 does not */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* The stub whose run() a signal is to interrupt; a signal has no other way to find it. */
static _Thread_local struct gdbstub *volatile serving;

void gdbstub_on_signal(int number)
{
	struct gdbstub *stub = serving;
	int saved = errno;

	/* At once, and here: nobody need look at the listener before each packet then. */
	if (stub && number == SIGNAL_LISTENER && stub->connected)
		transport_refuse(&stub->transport);
	/* It may have been the reminder instead. */
	if (stub) {
		transport_hear(&stub->transport);
		stub->reminded = 1;
		if (stub->running)
			stub->ops->kick(stub->target);
	}
	errno = saved;
}

struct gdbstub *gdbstub_new(const struct gdbstub_ops *ops, void *target)
{
	struct sigaction action = {.sa_handler = gdbstub_on_signal, .sa_flags = SA_RESTART};
	struct gdbstub *stub = calloc(1, sizeof(*stub));

	if (!stub)
		return NULL;
	sigaction(SIGNAL_CLIENT, &action, NULL);
	sigaction(SIGNAL_LISTENER, &action, NULL);
	stub->ops = ops;
	stub->target = target;
	stub->transport.listener = stub->transport.in = stub->transport.out = -1;
	stub->transport.refused = -1;
	stub->transport.tell = ops->notice;
	stub->transport.target = target;
	stub->reminded = 1;
	return stub;
}

void gdbstub_free(struct gdbstub *stub)
{
	if (!stub)
		return;
	transport_close(&stub->transport);
	conditions_free(stub);
	if (stub->has_reminder)
		timer_delete(stub->reminder);
	if (serving == stub)
		serving = NULL;
	free(stub);
}

void gdbstub_set_on_disconnect(struct gdbstub *stub, enum gdbstub_on_disconnect what)
{
	stub->on_disconnect = what;
}

void gdbstub_set_created(struct gdbstub *stub, bool created)
{
	stub->created = created;
}

int gdbstub_listen(struct gdbstub *stub, const char *endpoint, char *why, size_t size)
{
	return transport_listen(&stub->transport, endpoint, why, size);
}

const char *gdbstub_endpoint(const struct gdbstub *stub)
{
	return stub->transport.endpoint;
}

bool gdbstub_is_public(const struct gdbstub *stub)
{
	return stub->transport.public;
}

bool gdbstub_connected(const struct gdbstub *stub)
{
	return stub->connected;
}

bool gdbstub_take_socket(struct gdbstub *stub)
{
	bool is_there = *stub->transport.path;

	*stub->transport.path = 0;
	return is_there;
}

void gdbstub_set_owner(struct gdbstub *stub, const struct f_owner_ex *owner)
{
	stub->transport.owner = owner;
}

int gdbstub_error(struct gdbstub *stub, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(stub->error_text, sizeof(stub->error_text), format, args);
	va_end(args);
	return error;
}

void gdbstub_write(struct gdbstub *stub, const void *text, size_t len)
{
	const char *p = text;

	/* The manual allows O packets while the target runs and during qRcmd. */
	while (stub->connected && !stub->packets.lost && len) {
		size_t part = len < 0x1000 ? len : 0x1000;

		reply_start(&stub->packets);
		reply_text(&stub->packets, "O");
		reply_hex(&stub->packets, p, part);
		packet_send(&stub->packets);
		p += part;
		len -= part;
	}
}

void gdbstub_printf(struct gdbstub *stub, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len > 0)
		gdbstub_write(stub, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

const struct command *command_find(const struct command *table, const char *body)
{
	for (; table->name; table++) {
		size_t len = strlen(table->name);

		if (!strncmp(body, table->name, len) && (!table->exact || !body[len]))
			return table;
	}
	return NULL;
}

void reply_ok(struct gdbstub *stub)
{
	reply_start(&stub->packets);
	reply_text(&stub->packets, "OK");
}

bool session_takes_error_text(const struct gdbstub *stub)
{
	return stub->session.features & CLIENT_ERROR_MESSAGE || stub->session.error_strings;
}

static void reply_error(struct gdbstub *stub, int error)
{
	struct packets *p = &stub->packets;
	const char *text = *stub->error_text ? stub->error_text : strerror(error);

	reply_start(p);
	if (!(stub->session.features & CLIENT_ERROR_MESSAGE)) {
		reply_format(p, "E%02x", error > 0 && error < 256 ? (unsigned int)error : 0xffu);
		if (stub->session.error_strings) {
			reply_text(p, ";");
			reply_hex(p, text, strlen(text));
		}
		return;
	}
	reply_text(p, "E.");
	for (; *text; text++) {
		char *c = reply_room(p, 1);

		/* Not even an error text may break its own frame. */
		if (c)
			*c = *text < ' ' || strchr("#$*}\x7f", *text) ? '?' : *text;
	}
}

void reply_result(struct gdbstub *stub, int result)
{
	if (result < 0) {
		reply_error(stub, -result);
	} else if (result > 0) {
		reply_start(&stub->packets); /* empty: not supported */
	}
	*stub->error_text = 0;
}

/* Whoever came between accept() and `connected` raised a signal that nobody heeded. */
static void refuse_others(struct gdbstub *stub)
{
	sigset_t knock, before;

	sigemptyset(&knock);
	sigaddset(&knock, SIGNAL_LISTENER);
	sigprocmask(SIG_BLOCK, &knock, &before);
	transport_refuse(&stub->transport);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void session_start(struct gdbstub *stub)
{
	struct session *s = &stub->session;

	memset(s, 0, sizeof(*s));
	packets_reset(&stub->packets, &stub->transport);
	stub->connected = true;
	refuse_others(stub);
	s->general_thread = s->continue_thread = stub->ops->thread_next(stub->target, 0);
	s->layout = stub->ops->layout(stub->target, s->general_thread);
	s->last = (struct gdbstub_stop){.signal = GDBSTUB_SIGNAL_TRAP, .thread = s->general_thread};
}

bool target_restart(struct gdbstub *stub)
{
	struct session *s = &stub->session;
	bool restarted = !stub->ops->restart(stub->target);

	s->has_saved = false;
	s->has_run = false; /* an interrupt that has come was for what is no more */
	s->general_thread = stub->ops->thread_next(stub->target, 0);
	s->last = (struct gdbstub_stop){.signal = GDBSTUB_SIGNAL_TRAP, .thread = s->general_thread};
	if (restarted) {
		stub->killed = false;
	} else {
		s->state = SESSION_EXITED;
		s->last = (struct gdbstub_stop){.reason = GDBSTUB_EXITED, .status = 2};
	}
	return restarted;
}

static void serve_packet(struct gdbstub *stub)
{
	struct packets *p = &stub->packets;
	const struct command *command = command_find(commands, p->body);
	int result;

	*stub->error_text = 0;
	stub->session.silent = false;
	reply_start(p);
	if (command) {
		size_t skip = strlen(command->name);

		result = command->handler(stub, p->body + skip, p->body_len - skip);
	} else {
		result = 1;
	}
	reply_result(stub, result);
	if (stub->session.silent)
		packet_ack(p);
	else
		packet_send(p);
	if (stub->session.start_no_ack) {
		p->no_ack = true;
		p->unacked = false;
		stub->session.start_no_ack = false;
	}
}

/*
 * 0x03 while nothing runs: it has been seen and answered, or has crossed a stop reply. lldb sends them by itself, to get
 * a word in, goes on by itself, and shows any stop for one that it did not expect.
 */
static void session_interrupt(struct session *s)
{
	bool answered = s->interrupt_answered || s->last.reason == GDBSTUB_INTERRUPTED;

	s->interrupt_answered = false;
	if (!answered && !s->thread_suffix)
		s->interrupt_waits = true;
}

/* Serves the client until it has gone, or ended the session. */
void session_serve(struct gdbstub *stub)
{
	struct packets *p = &stub->packets;

	while (!p->lost && stub->session.state == SESSION_OPEN) {
		switch (packet_next(p, true)) {
		case PACKET_READY:
			serve_packet(stub);
			transport_signals(&stub->transport, false);
			break;
		case PACKET_TOO_LONG:
			reply_result(stub, gdbstub_error(stub, -EMSGSIZE,
							 "the packet is longer than PacketSize"));
			packet_send(p);
			break;
		case PACKET_INTERRUPT:
			session_interrupt(&stub->session);
			break;
		case PACKET_NONE: /* a signal, or the end */
			break;
		}
	}
}

bool gdbstub_poll(struct gdbstub *stub)
{
	struct packets *p = &stub->packets;
	enum packet_event event;
	size_t offset = 0;

	if (!stub->connected) {
		if (transport_accept(&stub->transport, false))
			return false;
		session_start(stub);
		return stub->session.interrupted = true;
	}
	transport_signals(&stub->transport, true);
	while (!stub->session.interrupted && (event = packet_peek(p, &offset)) != PACKET_NONE) {
		if (event == PACKET_READY) {
			const struct command *command;
			char *end = p->body + p->body_len, mark = *end;

			*end = 0;
			command = command_find(commands, p->body);
			*end = mark;
			stub->session.interrupted = command && command->while_running;
		} else {
			stub->session.interrupted = true;
		}
	}
	return stub->session.interrupted |= p->lost;
}

/*
 * A step is over before the client can have anything to say, and a signal for each of its packets would cost as
 * much as reading them does: there are none. Some steps take long, though, and the target then has to look: this
 * has it do so.
 */
#define REMINDER_TIME 50000000 /* nanoseconds; of one step after the other the first sets it */

static void set_reminder(struct gdbstub *stub)
{
	const struct itimerspec time = {.it_value.tv_nsec = REMINDER_TIME};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL_LISTENER};

	if (!stub->has_reminder) {
		event.sigev_notify_thread_id = gettid();
		stub->has_reminder = !timer_create(CLOCK_MONOTONIC, &event, &stub->reminder);
	}
	stub->reminded = 0;
	if (!stub->has_reminder || timer_settime(stub->reminder, 0, &time, NULL))
		transport_signals(&stub->transport, true);
}

static bool only_steps(const struct gdbstub *stub)
{
	for (int thread = 0; (thread = thread_next(stub, thread)) != 0;) {
		if (session_action(stub, thread) == GDBSTUB_CONTINUE)
			return false;
	}
	return true;
}

void target_run(struct gdbstub *stub, struct gdbstub_stop *stop)
{
	/* It may be long till the reply, and without the ack the packet would be sent again. */
	if (stub->connected)
		packet_ack(&stub->packets);
	if (stub->reminded && stub->connected && only_steps(stub))
		set_reminder(stub);
	stub->running = true;
	stub->ops->run(stub->target, session_action, stop);
	stub->running = false;
}

enum gdbstub_end gdbstub_serve(struct gdbstub *stub, bool running, struct gdbstub_stop *stop)
{
	struct session *s = &stub->session;

	serving = stub;
	*stop = (struct gdbstub_stop){.signal = GDBSTUB_SIGNAL_TRAP, .thread = 1};
	for (;;) {
		if (running) {
			memset(s, 0, sizeof(*s));
			s->default_action = GDBSTUB_CONTINUE;
			target_run(stub, stop);
			/* Else somebody has connected, and his session has begun. */
			if (stop->reason != GDBSTUB_INTERRUPTED)
				return stop->reason == GDBSTUB_EXITED ? GDBSTUB_END_EXITED
								      : GDBSTUB_END_STOPPED;
		} else {
			if (transport_accept(&stub->transport, true))
				return GDBSTUB_END_DISCONNECTED;
			session_start(stub);
		}
		session_serve(stub);
		*stop = s->last;
		/* The one way out of a session, however it ended: the target is left as it was. */
		target_clear_points(stub);
		if (stub->ops->session_ended)
			stub->ops->session_ended(stub->target);
		stub->connected = false;
		transport_disconnect(&stub->transport);
		if (s->state == SESSION_KILLED)
			return GDBSTUB_END_KILLED;
		if (s->state == SESSION_EXITED)
			return GDBSTUB_END_EXITED;
		/* Behind a pipe nobody else can come, and a gdb waits for its end to be closed. */
		if (stub->transport.listener < 0 ||
		    (s->state == SESSION_OPEN && stub->on_disconnect == GDBSTUB_DISCONNECT_EXIT))
			return GDBSTUB_END_DISCONNECTED;
		running = s->state == SESSION_DETACHED ||
			  (s->state == SESSION_OPEN && stub->on_disconnect == GDBSTUB_DISCONNECT_RUN);
		if (stub->killed) {
			/* Whoever comes next finds it as after power-on. */
			running = false;
			if (!target_restart(stub)) {
				*stop = s->last;
				return GDBSTUB_END_EXITED;
			}
		}
	}
}
