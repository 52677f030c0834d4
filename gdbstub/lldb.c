/*
 * What lldb asks for beyond gdb's packets, as its "GDB Remote Protocol Extensions" say. lldb keeps the
 * description that it has read when it connected, so all that is said here is of the layout served.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static const char *triple(const struct gdbstub *stub)
{
	return stub->ops->triple ? stub->ops->triple(stub->target, stub->session.layout) : NULL;
}

/* Registers of the thread that ";thread:ID;" at a packet's end names, instead of Hg's. */
static int thread_suffix_supported(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	stub->session.thread_suffix = true;
	reply_ok(stub);
	return 0;
}

bool thread_suffix(struct gdbstub *stub, char *args, size_t *len, int *thread)
{
	char *suffix = stub->session.thread_suffix ? strstr(args, ";thread:") : NULL;
	const char *p;

	*thread = stub->session.general_thread;
	if (!suffix)
		return true;
	p = suffix + strlen(";thread:");
	if (!thread_parse(&p, thread) || strcmp(p, ";") || !thread_exists(stub, *thread))
		return false;
	*suffix = 0;
	*len = (size_t)(suffix - args);
	return true;
}

static int list_threads_in_stop_reply(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	stub->session.threads_in_stop = true;
	reply_ok(stub);
	return 0;
}

/* "E16;" and the sentence in hex */
static int enable_error_strings(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	stub->session.error_strings = true;
	reply_ok(stub);
	return 0;
}

static void reply_triple(struct gdbstub *stub, const char *text)
{
	reply_text(&stub->packets, "triple:");
	reply_hex(&stub->packets, text, strlen(text));
	reply_text(&stub->packets, ";");
}

static int host_info(struct gdbstub *stub, char *args, size_t len)
{
	const char *text = triple(stub);

	(void)args;
	(void)len;
	if (!text)
		return 1;
	/* lldb says this first, and then reads the description; it must fit. */
	reply_triple(stub, text);
	return 0;
}

static int process_info(struct gdbstub *stub, char *args, size_t len)
{
	const char *text = triple(stub);

	(void)args;
	(void)len;
	if (!text)
		return 1;
	reply_text(&stub->packets, "pid:1;");
	reply_triple(stub, text);
	return 0;
}

static int memory_region(struct gdbstub *stub, char *args, size_t len)
{
	struct gdbstub_region region = {0};
	const char *p = args;
	uint64_t addr;
	int result;

	(void)len;
	if (!stub->ops->memory_region)
		return 1;
	if (!hex_number(&p, &addr) || *p)
		return -EINVAL;
	result = stub->ops->memory_region(stub->target, stub->session.general_thread, addr, &region);
	if (result)
		return result;
	/* lldb takes 2^64 for 0, and begins again. */
	if (region.start + region.size - 1 == UINT64_MAX)
		region.size--;
	if (addr - region.start >= region.size)
		return gdbstub_error(stub, -EFAULT, "there is nothing behind");
	reply_format(&stub->packets, "start:%llx;size:%llx;", (unsigned long long)region.start,
		     (unsigned long long)region.size);
	if (region.readable || region.writable || region.executable)
		reply_format(&stub->packets, "permissions:%s%s%s;", region.readable ? "r" : "",
			     region.writable ? "w" : "", region.executable ? "x" : "");
	return 0;
}

static int detach_and_stay_stopped(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	reply_ok(stub);
	return 0;
}

/* The stop of one thread: the last stop's own, or that it is stopped, too. */
static int thread_stop_info(struct gdbstub *stub, char *args, size_t len)
{
	struct gdbstub_stop stop = {.signal = GDBSTUB_SIGNAL_NONE};
	const char *p = args;

	(void)len;
	if (!thread_parse(&p, &stop.thread) || *p)
		return -EINVAL;
	if (!thread_exists(stub, stop.thread))
		return gdbstub_error(stub, -ESRCH, "there is no thread %x", (unsigned int)stop.thread);
	reply_stop(stub, stop.thread == stub->session.last.thread ? &stub->session.last : &stop);
	return 0;
}

const struct command lldb_queries[] = {
	{.name = "QThreadSuffixSupported", .handler = thread_suffix_supported, .exact = true},
	{.name = "QListThreadsInStopReply", .handler = list_threads_in_stop_reply, .exact = true},
	{.name = "QEnableErrorStrings", .handler = enable_error_strings, .exact = true},
	{.name = "qHostInfo", .handler = host_info, .exact = true},
	{.name = "qProcessInfo", .handler = process_info, .exact = true},
	{.name = "qMemoryRegionInfo:", .handler = memory_region},
	{.name = "qSupportsDetachAndStayStopped:", .handler = detach_and_stay_stopped, .exact = true},
	{.name = "qThreadStopInfo", .handler = thread_stop_info},
	{0},
};
