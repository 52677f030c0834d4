/*
 * measure [OPTION]... NAME COMMAND: starts a server of the GDB Remote Serial Protocol and measures it, by what gdb
 * asks of one. A line for each figure goes to standard output: NAME, the figure and its unit, its median, its least
 * and its greatest value, separated by tabs; what the server cannot do has '-' and why.
 *
 *   -r N     repetitions (default 5)
 *   -b ADDR  where loops.S is (default 7c00), in hex like all addresses
 *   -a ADDR  1 MiB of memory that can be written to, for the figures of memory (default 10000)
 *   -l FILE  loops.S, to be written to memory and begun there: what is debugged has not been given it
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define REPETITIONS_MAX 101
#define MEMORY_SIZE 0x80000  /* bytes of one repetition */
#define TIME_MAX 1.0	     /* seconds of one */
#define SPIN 0x40
#define POINT 0x60
#define RANGE 0x80
#define RANGE_SIZE 4 /* at least, in either form */

static struct client client;
static const char *name, *command, *image, *server_log;
static unsigned long base = 0x7c00, memory = 0x10000;
static int repetitions = 5;
static bool is_64bit;
static size_t packet_size = 400;

static int compare(const void *a, const void *b)
{
	const double *p = a, *q = b;

	return *p < *q ? -1 : *p > *q;
}

static void print(const char *figure, const char *unit, double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	printf("%s\t%s\t%s\t%.6g\t%.6g\t%.6g\n", name, figure, unit, values[count / 2], values[0],
	       values[count - 1]);
	fflush(stdout);
}

static void print_none(const char *figure, const char *unit, const char *why)
{
	printf("%s\t%s\t%s\t-\t%s\n", name, figure, unit, why);
	fflush(stdout);
}

static bool is_ok(void)
{
	return !strcmp(client.body, "OK");
}

/* A register's number in the layout for 64-bit code, and in the one for others. */
struct place {
	unsigned int in_64bit, in_32bit;
};

static const struct place counter = {2, 1}, program_counter = {16, 8}, code_segment = {18, 10};

static bool set_register(const struct place *place, uint64_t value)
{
	unsigned int number = is_64bit ? place->in_64bit : place->in_32bit;
	unsigned int size = is_64bit && number <= program_counter.in_64bit ? 8 : 4;
	size_t offset = 2 * (size_t)(is_64bit ? 8 : 4) * number; /* in G, if it is not behind the program counter */
	char digits[17] = "", *all;
	bool done;

	for (unsigned int i = 0; i < size; i++)
		snprintf(digits + 2 * i, 3, "%02x", (unsigned int)(value >> 8 * i & 0xff));
	if (client_command(&client, "P%x=%s", number, digits) && is_ok())
		return true;
	/* Some have no P. */
	if (!client_command(&client, "g") || client.body_len < offset + 2 * size)
		return false;
	all = strdup(client.body);
	memcpy(all + offset, digits, 2 * size);
	done = client_command(&client, "G%s", all) && is_ok();
	free(all);
	return done;
}

static bool go_to(unsigned long offset)
{
	return set_register(&program_counter, base + offset);
}

static bool load(void)
{
	char bytes[512], digits[2 * sizeof(bytes) + 1];
	FILE *file = fopen(image, "rb");
	bool whole = file && fread(bytes, 1, sizeof(bytes), file) == sizeof(bytes);

	if (file)
		fclose(file);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(digits + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
	/* With the selector the base. */
	return whole && client_command(&client, "M%lx,%zx:%s", base, sizeof(bytes), digits) && is_ok() &&
	       set_register(&code_segment, 0) && go_to(0);
}

/* As gdb begins. */
static bool begin(void)
{
	const char *size;

	if (!client_start(&client, command, server_log) ||
	    !client_command(&client, "qSupported:swbreak+;hwbreak+;vContSupported+;xmlRegisters=i386"))
		return false;
	size = strstr(client.body, "PacketSize=");
	if (size)
		packet_size = strtoul(size + strlen("PacketSize="), NULL, 16);
	if (packet_size > CLIENT_PACKET_MAX)
		packet_size = CLIENT_PACKET_MAX;
	if (!client_command(&client, "QStartNoAckMode"))
		return false;
	client.no_ack = is_ok();
	if (!client_command(&client, "Hg0") || !client_command(&client, "qXfer:features:read:target.xml:0,300"))
		return false;
	is_64bit = strstr(client.body, "x86-64") != NULL && !strstr(client.body, "<architecture>i8086");
	return client_command(&client, "vCont?") && client_command(&client, "?") && (!image || load());
}

static void measure_start(void)
{
	double values[REPETITIONS_MAX];

	for (int i = 0; i < repetitions; i++) {
		if (!client_start(&client, command, server_log) || !client_command(&client, "?")) {
			print_none("launch to first reply", "ms", "it does not answer");
			client_stop(&client);
			return;
		}
		values[i] = (client_clock() - client.launched) * 1e3;
		client_stop(&client);
	}
	print("launch to first reply", "ms", values, repetitions);
}

/* How often in a second the packets are answered, one after the other. */
static bool rate(double *value, const struct packet *const *packets)
{
	double began = client_clock(), over;
	long done = 0;

	do {
		for (int i = 0; i < 50; i++, done++) {
			for (const struct packet *const *packet = packets; *packet; packet++) {
				if (!client_ask(&client, *packet))
					return false;
			}
		}
		over = client_clock() - began;
	} while (over < TIME_MAX / 2);
	*value = (double)done / over;
	return true;
}

static void measure_rate(const char *figure, const struct packet *const *packets)
{
	double values[REPETITIONS_MAX];

	for (int i = 0; i < repetitions; i++) {
		if (!rate(&values[i], packets)) {
			print_none(figure, "/s", "no answer");
			return;
		}
	}
	print(figure, "/s", values, repetitions);
}

static void measure_steps(void)
{
	struct packet step = packet_make("vCont;s:1", 9), registers = packet_make("g", 1);

	if (!go_to(SPIN) || !client_command(&client, "qC"))
		return;
	/* What "qC" has told, where it has. */
	if (!strncmp(client.body, "QC", 2)) {
		char body[64];
		int len = snprintf(body, sizeof(body), "vCont;s:%.40s", client.body + 2);

		step = packet_make(body, (size_t)len);
	}
	measure_rate("g", (const struct packet *const[]){&registers, NULL});
	measure_rate("step", (const struct packet *const[]){&step, NULL});
	measure_rate("step and g", (const struct packet *const[]){&step, &registers, NULL});
}

static bool run_range(uint64_t count, double *over)
{
	double began;

	if (!go_to(RANGE) || !set_register(&counter, count))
		return false;
	began = client_clock();
	if (!client_command(&client, "vCont;r%lx,%lx", base + RANGE, base + RANGE + RANGE_SIZE))
		return false;
	*over = client_clock() - began;
	return true;
}

static void measure_range(void)
{
	double values[REPETITIONS_MAX], over = 0;
	uint64_t count = 50;

	if (!client_command(&client, "vCont?") || !strstr(client.body, ";r")) {
		print_none("range stepping", "instructions/s", "it has none");
		return;
	}
	while (run_range(count, &over) && over < TIME_MAX / 4)
		count *= 4;
	for (int i = 0; i < repetitions; i++) {
		if (!run_range(count, &over)) {
			print_none("range stepping", "instructions/s", "no answer");
			return;
		}
		values[i] = 2 * (double)count / over;
	}
	print("range stepping", "instructions/s", values, repetitions);
}

/* As gdb does it: the breakpoint out of the way, a step, the breakpoint back, and on. */
static void measure_point(char kind, const char *figure)
{
	char insert[64], remove[64];
	int len = snprintf(insert, sizeof(insert), "Z%c,%lx,1", kind, base + POINT);
	struct packet packets[4];

	snprintf(remove, sizeof(remove), "z%c,%lx,1", kind, base + POINT);
	packets[0] = packet_make(remove, (size_t)len);
	packets[1] = packet_make("vCont;s", 7);
	packets[2] = packet_make(insert, (size_t)len);
	packets[3] = packet_make("vCont;c", 7);
	if (!go_to(POINT) || !client_command(&client, "%s", insert) || !is_ok()) {
		print_none(figure, "/s", "it has none");
		return;
	}
	measure_rate(figure, (const struct packet *const[]){&packets[0], &packets[1], &packets[2], &packets[3], NULL});
	client_command(&client, "%s", remove);
}

/* A packet for each part of the memory; `letter` says which. */
static void measure_memory(char letter, const char *figure, size_t per_byte)
{
	size_t part = (packet_size - 40) / per_byte & ~(size_t)15, count = (MEMORY_SIZE + part - 1) / part;
	struct packet *packets = calloc(count, sizeof(*packets));
	double values[REPETITIONS_MAX];
	char *body = malloc(packet_size);
	const char *why = NULL;

	if (!packets || !body)
		abort();
	for (size_t i = 0; i < count; i++) {
		size_t len = (size_t)sprintf(body, "%c%lx,%zx%s", letter, memory + i * part, part,
					     letter == 'M' || letter == 'X' ? ":" : "");

		/* Every byte but those that are escaped. */
		for (size_t k = 0; k < part && (letter == 'M' || letter == 'X'); k++) {
			unsigned char byte = (unsigned char)(k * 7 % 251);

			if (byte == '#' || byte == '$' || byte == '*' || byte == '}')
				byte = 0;
			if (letter == 'M')
				len += (size_t)sprintf(body + len, "%02x", byte);
			else
				body[len++] = (char)byte;
		}
		packets[i] = packet_make(body, len);
	}
	for (int r = -1; r < repetitions && !why; r++) {
		double began = client_clock();

		for (size_t i = 0; i < count && !why; i++) {
			if (!client_ask(&client, &packets[i]))
				why = "no answer";
			else if (!client.body_len || *client.body == 'E' ||
				 (letter == 'm' && client.body_len < part / 8))
				why = "it has none";
		}
		if (r >= 0) /* the first one is for warming up */
			values[r] = (double)(count * part) / (client_clock() - began) / 1e6;
	}
	if (why)
		print_none(figure, "MB/s", why);
	else
		print(figure, "MB/s", values, repetitions);
	for (size_t i = 0; i < count; i++)
		free(packets[i].frame);
	free(packets);
	free(body);
}

static void measure_interrupt(void)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	struct packet go_on = packet_make("vCont;c", 7);
	double values[REPETITIONS_MAX], began;

	for (int i = 0; i < repetitions; i++) {
		if (!go_to(SPIN) || !client_send(&client, go_on.frame, go_on.len))
			return;
		nanosleep(&pause, NULL);
		began = client_clock();
		if (!client_send(&client, "\x03", 1) || !client_receive(&client)) {
			print_none("Ctrl-C to stop", "us", "no answer");
			return;
		}
		values[i] = (client_clock() - began) * 1e6;
	}
	print("Ctrl-C to stop", "us", values, repetitions);
}

static void measure_size(void)
{
	char path[64], line[200];
	double value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)client.server);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		unsigned long size;

		if (sscanf(line, "Pss: %lu", &size) == 1)
			value = (double)size / 1024;
	}
	if (file)
		fclose(file);
	if (value > 0)
		print("memory (PSS)", "MiB", &value, 1);
}

int main(int argc, char **argv)
{
	static char path[64];
	int option;

	while ((option = getopt(argc, argv, "r:b:a:l:")) != -1) {
		if (option == 'r')
			repetitions = atoi(optarg);
		else if (option == 'b')
			base = strtoul(optarg, NULL, 16);
		else if (option == 'a')
			memory = strtoul(optarg, NULL, 16);
		else if (option == 'l')
			image = optarg;
		else
			return 2;
	}
	if (argc - optind != 2 || repetitions < 1 || repetitions > REPETITIONS_MAX) {
		fprintf(stderr, "usage: measure [-r N] [-b ADDR] [-a ADDR] [-l FILE] NAME COMMAND\n");
		return 2;
	}
	name = argv[optind];
	command = argv[optind + 1];
	snprintf(path, sizeof(path), "/tmp/measure-%d.log", (int)getpid());
	server_log = path;
	measure_start();
	if (begin()) {
		measure_steps();
		measure_range();
		/* What is read is what was written: of zeros some make runs. */
		measure_memory('M', "M: write", 2);
		measure_memory('X', "X: write, binary", 1);
		measure_memory('m', "m: read", 2);
		measure_memory('x', "x: read, binary", 1);
		measure_interrupt();
		measure_size();
	} else {
		print_none("everything", "", "it does not answer as expected");
	}
	client_stop(&client);
	/* Some never hit one, and do not come back. */
	for (int i = 0; i < 2; i++) {
		if (begin())
			measure_point((char)('0' + i), i ? "Z1, hit and stepped off" : "Z0, hit and stepped off");
		client_stop(&client);
	}
	unlink(path);
	return 0;
}
