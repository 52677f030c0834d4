/*
 * Whole sessions with a real vCPU, which needs /dev/kvm: the input is the guest's code and what its clients ask for,
 * a byte that is a kind of packet and its operands at a time, so that packets are valid and their values hostile. A
 * guest that does not stop by itself is interrupted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "input.h"
#include "internal.h"
#include "load/load.h"
#include "machine.h"
#include "options.h"
#include "target.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define CODE_MAX 64
#define PACKETS_MAX 64   /* a step takes long where it is emulated */
#define PATIENCE 2       /* looks of a running guest's at its client, before that interrupts it */
#define TICK_NS 1000000L /* between two looks at least */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine machine;
static struct options options;
static struct input input;
static int packets, looks;
static volatile sig_atomic_t serving; /* a session, so that there is a vCPU to be kicked */

static void on_tick(int number)
{
	(void)number;
	if (serving)
		vcpu_kick(&machine.vcpu);
}

/* Packets */

static char body[0x1000];
static size_t body_len;

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(body + body_len, sizeof(body) - body_len, format, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(body) - body_len)
		body_len += (size_t)len;
}

static void add_hex(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		add("%02x", bytes[i]);
}

/* One that something is at, or ends at, more often than any. */
static uint64_t take_address(void)
{
	static const uint64_t places[] = {0,	      0x1000,	  0xfff,   0xa0000,  0xb8000,	 0xfe000, 0xfffff, 0x100000,
					  0x7fffffff, 0xfffffff0, 1ull << 32, 1ull << 47, UINT64_MAX, 0x400,   0xf0000, 0x6fff};
	uint8_t how = take_byte(&input);

	switch (how >> 6) {
	case 0:
		return 0x1000u + (how & 63);
	case 1:
		return places[how & 15] + (uint64_t)((how >> 4 & 3) - 1);
	case 2:
		return machine.vcpu.regs->rsp + (how & 63) - 32;
	default:
		return take(&input, 8);
	}
}

static uint64_t take_length(void)
{
	uint8_t how = take_byte(&input);

	return how < 0xf0 ? how & 31 : how < 0xf8 ? take(&input, 2) : take(&input, 8);
}

static void registers_packet(void)
{
	add("g");
}

static void write_registers_packet(void)
{
	static uint8_t block[GDBSTUB_PACKET_SIZE / 4];
	ssize_t len = target_ops.registers_read(&machine, 1, target_ops.layout(&machine, 1), block, sizeof(block));
	size_t count, at = take(&input, 2);
	const uint8_t *bytes = take_bytes(&input, take_byte(&input) & 15, &count);

	/* What they are, but for a piece. */
	for (size_t i = 0; i < count && len > 0; i++)
		block[(at + i) % (size_t)len] = bytes[i];
	add("G");
	add_hex(block, len > 0 && len < (ssize_t)(sizeof(body) / 2 - 8) ? (size_t)len : 16);
}

static void register_packet(void)
{
	add("p%x", take_byte(&input));
}

static void write_register_packet(void)
{
	static const uint8_t sizes[] = {8, 8, 4, 2, 1, 16, 32, 10};
	uint8_t bytes[32] = {0}, number = take_byte(&input), size = sizes[take_byte(&input) & 7];
	uint64_t value = take_address();
	uint8_t real[256];
	ssize_t len = target_ops.register_read(&machine, 1, target_ops.layout(&machine, 1), number, real, sizeof(real));

	memcpy(bytes, &value, sizeof(value));
	if (len > 0 && len <= (ssize_t)sizeof(bytes))
		size = (uint8_t)len;
	add("P%x=", number);
	add_hex(bytes, size);
}

static void read_packet(void)
{
	uint64_t address = take_address();

	add("%c%llx,%llx", take_byte(&input) & 1 ? 'm' : 'x', (unsigned long long)address,
	    (unsigned long long)take_length());
}

static void write_packet(void)
{
	uint64_t address = take_address();
	size_t len;
	const uint8_t *bytes = take_bytes(&input, take_byte(&input) & 31, &len);

	add("M%llx,%zx:", (unsigned long long)address, len);
	add_hex(bytes, len);
}

static void point_packet(void)
{
	uint8_t how = take_byte(&input);
	uint64_t address = take_address();

	add("%c%u,%llx,%llx", how & 0x80 ? 'z' : 'Z', (how & 7) % 5, (unsigned long long)address,
	    (unsigned long long)(how & 8 ? take_length() : 1u << (how >> 4 & 3)));
}

static void continue_packet(void)
{
	add("%s", take_byte(&input) & 3 ? "vCont;c" : "c");
}

static void step_packet(void)
{
	add("%s", take_byte(&input) & 3 ? "vCont;s:1" : "s");
}

static void range_packet(void)
{
	uint64_t address = take_address();

	add("vCont;r%llx,%llx:1", (unsigned long long)address, (unsigned long long)(address + take_length()));
}

static void monitor_packet(void)
{
	static const char *const args[] = {"", "on", "off", "all", "one", "core", "system", "auto", "i386", "int 0x13 2",
					   "int 0x10", "bios on", "io on", "3", "0x21", "0x80", "99999999999", "a<F1>"};
	char text[64];
	unsigned int rows = 0;

	while (target_ops.monitor[rows].name)
		rows++;
	snprintf(text, sizeof(text), "%s %s", target_ops.monitor[take_byte(&input) % rows].name,
		 args[take_byte(&input) % COUNT(args)]);
	add("qRcmd,");
	add_hex((const uint8_t *)text, strlen(text));
}

static void query_packet(void)
{
	static const char *const queries[] = {
		"?", "qSupported:swbreak+;hwbreak+;exec-events+;error-message+;multiprocess+", "qC", "qfThreadInfo",
		"qsThreadInfo", "qXfer:features:read:target.xml:0,800", "qXfer:threads:read::0,800", "qThreadExtraInfo,1",
		"qAttached", "qHostInfo", "qProcessInfo", "vCont?", "qThreadStopInfo1", "qOffsets", "Hg1", "Hc-1",
		"QThreadSuffixSupported", "QListThreadsInStopReply", "vMustReplyEmpty", "qSymbol::", "qTStatus"};

	add("%s", queries[take_byte(&input) % COUNT(queries)]);
}

static void region_packet(void)
{
	add("qMemoryRegionInfo:%llx", (unsigned long long)take_address());
}

static void restart_packet(void)
{
	add("%s", take_byte(&input) & 1 ? "vRun;" : "R00");
}

/* Any text, of which a file's name could be a part. */
static void any_packet(void)
{
	size_t len;
	const uint8_t *bytes = take_bytes(&input, take_byte(&input) & 31, &len);

	for (size_t i = 0; i < len; i++)
		add("%c", bytes[i] ? bytes[i] : ' ');
	if (body_len > 4 && !memcmp(body, "qRcmd", 5))
		body_len = 0;
}

static void (*const kinds[])(void) = {
	registers_packet, write_registers_packet, register_packet, write_register_packet, read_packet, write_packet,
	point_packet,	  continue_packet,	  step_packet,	   range_packet,	  monitor_packet,
	query_packet,	  region_packet,	  any_packet,	   write_register_packet, point_packet,
};

/* In place of gdbstub/transport.c. */

int transport_listen(struct transport *t, const char *endpoint, char *why, size_t size)
{
	(void)t;
	(void)endpoint;
	(void)why;
	(void)size;
	return 0;
}

void transport_close(struct transport *t)
{
	(void)t;
}

void transport_refuse(struct transport *t)
{
	(void)t;
}

int transport_accept(struct transport *t, bool wait)
{
	/* Somebody comes to a guest that runs, or it would for ever. */
	if (wait && (!input.left || packets >= PACKETS_MAX))
		return -ENOTCONN;
	t->in = t->out = 0;
	return 0;
}

void transport_disconnect(struct transport *t)
{
	t->in = t->out = -1;
}

void transport_signals(struct transport *t, bool on)
{
	(void)t;
	(void)on;
}

void transport_hear(struct transport *t)
{
	(void)t;
}

int transport_write(struct transport *t, const void *buf, size_t len)
{
	(void)t;
	(void)buf;
	if (len > GDBSTUB_PACKET_SIZE + 1)
		abort();
	return 0;
}

/* An interrupt that was seen here is not read any more: nobody needs it when the guest has stopped. */
int transport_peek(struct transport *t)
{
	(void)t;
	return looks++ < PATIENCE ? -EAGAIN : 3;
}

ssize_t transport_read(struct transport *t, void *buf, size_t size, bool wait)
{
	uint8_t sum = 0;
	char *to = buf;
	uint8_t kind;

	(void)t;
	if (!wait) {
		if (looks++ < PATIENCE)
			return -EAGAIN;
		*to = 3;
		return 1;
	}
	looks = 0;
	kind = take_byte(&input);
	if (!input.left || packets++ >= PACKETS_MAX || kind == 0xff)
		return 0;
	body_len = 0;
	if (kind == 0xfe)
		restart_packet();
	else
		kinds[kind % COUNT(kinds)]();
	if (2 * body_len + PACKET_FRAME > size)
		body_len = 0;
	*to++ = '$';
	for (size_t i = 0; i < body_len; i++) {
		char c = body[i];

		if (c == '#' || c == '$' || c == '}' || c == '*') {
			*to++ = '}';
			sum = (uint8_t)(sum + '}');
			c ^= 0x20;
		}
		*to++ = c;
		sum = (uint8_t)(sum + c);
	}
	to += sprintf(to, "#%02x", sum);
	return to - (char *)buf;
}

/* An interruption is no part of what a KVM can do, so that is found out before there are any. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	const struct itimerspec each = {.it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS};
	char why[256];
	timer_t timer;

	(void)argc;
	(void)argv;
	machine.console.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (serial_open(&machine.serial, NULL, why, sizeof(why)) || probe(&machine.findings, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		exit(77);
	}
	sigaction(SIGUSR2, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &each, NULL))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image image = {.path = "code", .type = &image_raw, .fd = -1};
	static uint8_t code[CODE_MAX + 1];
	struct gdbstub_stop stop = {0};
	char why[256];
	uint8_t how;
	size_t len;

	input = (struct input){data, size};
	how = take_byte(&input);
	data = take_bytes(&input, take_byte(&input) % CODE_MAX, &len);
	memset(code, 0xf4, sizeof(code));
	if (len)
		memcpy(code, data, len);
	image.data = code;
	image.size = len + 1;
	options = (struct options){.type = "raw", .load = 0x1000, .mode = 16 << (how & 3) % 3, .memory = 2 << 20, .arch = ARCH_AUTO,
				   .machine = how & 4 ? OPTIONS_MACHINE_PC : OPTIONS_MACHINE_BARE};
	machine.options = &options;
	machine.image = &image;
	machine.arch = ARCH_AUTO;
	machine.physical = machine.whole_repeats = machine.step_interrupts = machine.step_over = false;
	machine.register_set = 0;
	machine.catches.count = 0;
	machine.trace = 0;
	packets = looks = 0;
	if (machine_create(&machine, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	machine.stub = gdbstub_new(&target_ops, &machine);
	if (!machine.stub)
		abort();
	machine.console.stub = machine.stub;
	serving = 1;
	gdbstub_serve(machine.stub, how & 8, &stop);
	serving = 0;
	if (machine.points.count || machine.physical)
		abort();
	gdbstub_free(machine.stub);
	machine.stub = machine.console.stub = NULL;
	typist_free(&machine);
	machine_destroy(&machine);
	guard_free(&machine.guard);
	points_free(&machine.points);
	return 0;
}
