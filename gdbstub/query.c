/* The q and Q packets: negotiation, threads, descriptions. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* What a client may offer, and what it is here. */
static const struct {
	const char *name;
	unsigned int feature;
} client_features[] = {
	{"swbreak+", CLIENT_SWBREAK},
	{"hwbreak+", CLIENT_HWBREAK},
	{"vContSupported+", CLIENT_VCONT},
	{"error-message+", CLIENT_ERROR_MESSAGE},
	{"exec-events+", CLIENT_EXEC_EVENTS},
};

/* Features of the stub that belong to no packet of their own. */
static const struct command features[] = {
	{.name = "swbreak", .feature = "swbreak+", .negotiated = CLIENT_SWBREAK},
	{.name = "hwbreak", .feature = "hwbreak+", .negotiated = CLIENT_HWBREAK},
	{.name = "error-message", .feature = "error-message+", .negotiated = CLIENT_ERROR_MESSAGE},
	{.name = "exec-events", .feature = "exec-events+", .negotiated = CLIENT_EXEC_EVENTS},
	{0},
};

static void announce(struct gdbstub *stub, const struct command *table)
{
	for (; table->name; table++) {
		if (table->feature &&
		    (!table->negotiated || table->negotiated & stub->session.features) &&
		    (!table->needs_file || file_served(stub)))
			reply_format(&stub->packets, ";%s", table->feature);
	}
}

static int supported(struct gdbstub *stub, char *args, size_t len)
{
	char *save = NULL;

	(void)len;
	if (*args && *args != ':')
		return 1;
	stub->session.features = 0;
	for (char *word = *args ? strtok_r(args + 1, ";", &save) : NULL; word;
	     word = strtok_r(NULL, ";", &save)) {
		for (size_t i = 0; i < sizeof(client_features) / sizeof(*client_features); i++) {
			if (!strcmp(word, client_features[i].name))
				stub->session.features |= client_features[i].feature;
		}
	}
	/* In hex, like every number of the protocol. */
	reply_format(&stub->packets, "PacketSize=%x", GDBSTUB_PACKET_SIZE);
	announce(stub, queries);
	announce(stub, commands);
	announce(stub, features);
	return 0;
}

static int start_no_ack(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	stub->session.start_no_ack = true;
	reply_ok(stub);
	return 0;
}

int reply_transfer(struct gdbstub *stub, const char *range, const char *text, size_t size)
{
	struct packets *p = &stub->packets;
	uint64_t offset, len;
	char *more;

	if (!hex_number(&range, &offset) || *range++ != ',' || !hex_number(&range, &len) || *range)
		return -EINVAL;
	if (offset > size)
		return -EINVAL;
	if (len > size - offset)
		len = size - offset;
	more = reply_room(p, 1);
	if (more)
		*more = reply_binary(p, text + offset, len) < size - offset ? 'm' : 'l';
	return 0;
}

static int read_features(struct gdbstub *stub, char *args, size_t len)
{
	struct session *s = &stub->session;
	char *range = strchr(args, ':');
	int layout = s->layout;
	const char *xml;

	(void)len;
	if (!range)
		return -EINVAL;
	*range++ = 0;
	/* Whoever begins to read it gets the one that is right now, and is served by it. */
	if (!strncmp(range, "0,", 2) && !s->has_saved)
		layout = stub->ops->layout(stub->target, s->general_thread);
	xml = stub->ops->description(stub->target, layout, args);
	if (!xml) {
		reply_text(&stub->packets, "E00"); /* the manual's answer to a bad annex */
		return 0;
	}
	s->layout = layout;
	return reply_transfer(stub, range, xml, strlen(xml));
}

static int read_threads(struct gdbstub *stub, char *args, size_t len)
{
	char *text = stub->scratch;
	size_t size = sizeof(stub->scratch), used;
	int thread = 0;

	(void)len;
	if (*args++ != ':') /* there is no annex */
		return -EINVAL;
	used = (size_t)snprintf(text, size, "<?xml version=\"1.0\"?>\n<threads>\n");
	while ((thread = thread_next(stub, thread)) != 0) {
		char info[80];

		stub->ops->thread_info(stub->target, thread, info, sizeof(info));
		if (size - used < sizeof(info) + 100)
			break;
		used += (size_t)snprintf(text + used, size - used,
					 "<thread id=\"%x\" name=\"vCPU%d\">%s</thread>\n",
					 (unsigned int)thread, thread - 1, info);
	}
	used += (size_t)snprintf(text + used, size - used, "</threads>\n");
	return reply_transfer(stub, args, text, used);
}

static int first_threads(struct gdbstub *stub, char *args, size_t len)
{
	struct packets *p = &stub->packets;
	char separator = 'm';
	int thread = 0;

	(void)args;
	(void)len;
	while ((thread = thread_next(stub, thread)) != 0) {
		reply_format(p, "%c%x", separator, (unsigned int)thread);
		separator = ',';
	}
	if (separator == 'm')
		reply_text(p, "l");
	return 0;
}

static int no_more_threads(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	reply_text(&stub->packets, "l");
	return 0;
}

static int thread_extra_info(struct gdbstub *stub, char *args, size_t len)
{
	const char *p = args;
	char info[80];
	int thread;

	(void)len;
	if (!thread_parse(&p, &thread) || *p)
		return -EINVAL;
	if (!thread_exists(stub, thread))
		return gdbstub_error(stub, -ESRCH, "there is no thread %x", (unsigned int)thread);
	stub->ops->thread_info(stub->target, thread, info, sizeof(info));
	reply_hex(&stub->packets, info, strlen(info));
	return 0;
}

static int current_thread(struct gdbstub *stub, char *args, size_t len)
{
	(void)args;
	(void)len;
	reply_format(&stub->packets, "QC%x", (unsigned int)stub->session.general_thread);
	return 0;
}

/* 1: it was there before, so a gdb that quits detaches; 0: it kills. */
static int attached(struct gdbstub *stub, char *args, size_t len)
{
	if (len && *args != ':')
		return 1;
	reply_text(&stub->packets, stub->created || stub->session.created ? "0" : "1");
	return 0;
}

/* One for every section: the program as a whole is somewhere else than it was linked for. */
static int offsets(struct gdbstub *stub, char *args, size_t len)
{
	unsigned long long offset;

	(void)args;
	(void)len;
	offset = stub->ops->load_offset ? stub->ops->load_offset(stub->target) : 0;
	if (!offset)
		return 1;
	reply_format(&stub->packets, "Text=%llx;Data=%llx;Bss=%llx", offset, offset, offset);
	return 0;
}

static int for_lldb(struct gdbstub *stub, char *args, size_t len)
{
	return sub_table(stub, lldb_queries, args, len);
}

const struct command queries[] = {
	{.name = "qSupported", .handler = supported},
	{.name = "QStartNoAckMode", .handler = start_no_ack, .feature = "QStartNoAckMode+", .exact = true},
	{.name = "qXfer:features:read:", .handler = read_features, .feature = "qXfer:features:read+"},
	{.name = "qXfer:threads:read:", .handler = read_threads, .feature = "qXfer:threads:read+"},
	{.name = "qXfer:exec-file:read:", .handler = file_name, .feature = "qXfer:exec-file:read+",
	 .needs_file = true},
	{.name = "qOffsets", .handler = offsets, .exact = true},
	{.name = "qfThreadInfo", .handler = first_threads, .exact = true},
	{.name = "qsThreadInfo", .handler = no_more_threads, .exact = true},
	{.name = "qThreadExtraInfo,", .handler = thread_extra_info},
	{.name = "qC", .handler = current_thread, .exact = true},
	{.name = "qAttached", .handler = attached},
	{.name = "qRcmd,", .handler = monitor_command},
	{.name = "qCRC:", .handler = memory_crc},
	{.name = "qSearch:memory:", .handler = memory_search},
	{.name = "", .handler = for_lldb},
	{0},
};
