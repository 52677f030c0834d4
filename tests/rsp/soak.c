/*
 * soak: a TAP test of long random debugging: random programs (tests/unit/program.c) are stepped, run, interrupted, left
 * and come back to, with breakpoints and watchpoints set and removed and memory and registers written. After each
 * stop the code is to be the program's own, without a planted byte, and the program counter at an instruction; at
 * the end registers and memory are to be what they are when the same program runs freely.
 *
 * Environment: SOAK_SEED: the first program's, from which it and all that is done to it is made again; SOAK_PROGRAMS:
 * how many (20); SOAK_SECONDS: instead of that, how long. AGREE_NO_EXCEPTIONS=1: as for test_agree.c.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "in_qemu.h"
#include "program.h"
#include "tap.h"

#define REPLY_MAX 0x4000
#define ACTIONS 60	   /* of a program */
#define POINTS 12	   /* at a time */
#define WATCHES 2	   /* of which */
#define STOPS_MAX 100000   /* on the way to the end */
#define PROGRAMS_A_SERVER 10
#define PROGRESS 100 /* programs, of a run by time */
#define LATELY 8	   /* packets that are shown when it fails */
#define PIECE 0x400u	   /* of memory, in a packet */
#define SCRATCH 0x8000u	   /* which no program uses */
#define LIDT 0x8100u	   /* an instruction, and its operand behind it */
#define G_DIGITS (16 * 8)  /* general registers, EIP, EFLAGS, selectors */
#define EFLAGS_DIGIT (9 * 8)

static struct server server;
static struct program soaked;
static char reply[REPLY_MAX], code[2 * PROGRAM_CODE_SIZE + 1];
static int fd = -1;
static bool spoke;
static uint64_t state;
static char lately[LATELY][40]; /* packets but for reads of memory, in turn */
static unsigned int said;
static struct {
	char body[40];
	bool watches;
} points[POINTS];
static size_t point_count;

static unsigned int any(unsigned int limit)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (unsigned int)(state >> 33) % limit;
}

static void note(const char *body)
{
	if (*body != 'm')
		snprintf(lately[said++ % LATELY], sizeof(*lately), "%.39s", body);
}

static bool exchange(const char *body)
{
	note(body);
	return client_exchange(&server, fd, body, reply, sizeof(reply), &spoke);
}

static bool ask(const char *expected, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A packet with this reply; NULL: with any but an error. */
static bool ask(const char *expected, const char *format, ...)
{
	static char body[2 * PIECE + 40];
	va_list args;

	va_start(args, format);
	vsnprintf(body, sizeof(body), format, args);
	va_end(args);
	if (exchange(body) && (expected ? !strcmp(reply, expected) : *reply && *reply != 'E'))
		return true;
	comment("%.80s is answered by %.80s", body, reply);
	return false;
}

static bool connect_client(void)
{
	if (fd >= 0)
		close(fd);
	point_count = 0;
	fd = server_connect(&server);
	return fd >= 0 && ask("OK", "QStartNoAckMode") && ask(NULL, "qSupported:swbreak+;hwbreak+");
}

static void put_hex(char *to, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

static bool write_memory(uint32_t at, const uint8_t *bytes, size_t len)
{
	char digits[2 * PIECE + 1];

	for (size_t done = 0, piece; done < len; done += piece) {
		piece = len - done < PIECE ? len - done : PIECE;
		put_hex(digits, bytes + done, piece);
		if (!ask("OK", "M%zx,%zx:%s", at + done, piece, digits))
			return false;
	}
	return true;
}

static bool write_register(unsigned int number, uint32_t value)
{
	return ask("OK", "P%x=%08x", number, __builtin_bswap32(value));
}

/* The guest is at the program's beginning, with its memory; `anew`: after a reset. */
static bool load(bool anew)
{
	static const uint8_t lidt[] = {0x0f, 0x01, 0x1d, (LIDT + 8) & 0xff, LIDT >> 8, 0, 0, 0,
				       7, 0, PROGRAM_IDT & 0xff, PROGRAM_IDT >> 8, 0, 0};
	const struct kvm_regs *regs = &soaked.regs;
	const uint64_t general[] = {regs->rax, regs->rcx, regs->rdx, regs->rbx, 0, regs->rbp, regs->rsi, regs->rdi};
	static const unsigned int numbers[] = {[SEGMENT_ES] = 13, [SEGMENT_CS] = 10, [SEGMENT_SS] = 11,
					       [SEGMENT_DS] = 12, [SEGMENT_FS] = 14, [SEGMENT_GS] = 15};

	/* "reset" */
	if ((anew && !ask("OK", "qRcmd,7265736574")) || !write_memory(0, soaked.memory, PROGRAM_MEMORY))
		return false;
	if (soaked.mode == MODE_32 &&
	    (!write_memory(LIDT, lidt, sizeof(lidt)) || !write_register(8, LIDT) || !ask(NULL, "vCont;s:1")))
		return false;
	for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS && soaked.mode == MODE_16; s++) {
		if (!write_register(numbers[s], soaked.selectors[s]))
			return false;
	}
	for (unsigned int i = 0; i < 8; i++) {
		if (i != 4 && !write_register(i, (uint32_t)general[i]))
			return false;
	}
	/* Both linear, as they are served in 16-bit mode. */
	return write_register(4, PROGRAM_STACK + PROGRAM_STACK_SIZE / 2) && write_register(9, (uint32_t)regs->rflags) &&
	       write_register(8, (uint32_t)regs->rip + (soaked.mode == MODE_16 ? 16u * soaked.selectors[SEGMENT_CS] : 0));
}

static bool read_pc(uint32_t *pc)
{
	if (!ask(NULL, "p8") || strlen(reply) < 8)
		return false;
	reply[8] = 0;
	*pc = __builtin_bswap32((uint32_t)strtoul(reply, NULL, 16));
	return true;
}

/* Whether one of this kind is set, at this address if it is a breakpoint. */
static bool is_set(bool watches, uint32_t pc)
{
	for (size_t i = 0; i < point_count; i++) {
		if (points[i].watches == watches && (watches || strtoul(points[i].body + 2, NULL, 16) == pc))
			return true;
	}
	return false;
}

/* What is to hold at each stop; `reply` is the one of that. */
static bool check(bool *ended)
{
	bool hit = strstr(reply, "break:"), watch = strstr(reply, "watch:");
	uint32_t pc;

	for (uint32_t at = 0, piece; at < PROGRAM_CODE_SIZE; at += piece) {
		piece = PROGRAM_CODE_SIZE - at < PIECE ? PROGRAM_CODE_SIZE - at : PIECE;
		if (!ask(NULL, "m%x,%x", PROGRAM_CODE + at, piece))
			return false;
		if (strncmp(reply, code + 2 * at, 2 * piece)) {
			comment("the code at 0x%x is not the program's", PROGRAM_CODE + at);
			return false;
		}
	}
	if (!read_pc(&pc))
		return false;
	if ((hit || watch) && !is_set(watch, pc)) {
		comment("a stop at 0x%x for a point that is not set", pc);
		return false;
	}
	*ended = pc == soaked.end;
	if (*ended || program_at(&soaked, pc))
		return true;
	comment("it is at 0x%x, where no instruction begins", pc);
	return false;
}

/* Registers, and all memory of the program. */
static bool read_all(char *text, size_t size)
{
	size_t len;
	unsigned long flags;

	if (!ask(NULL, "g") || strlen(reply) < G_DIGITS)
		return false;
	reply[EFLAGS_DIGIT + 8] = 0;
	flags = __builtin_bswap32((uint32_t)strtoul(reply + EFLAGS_DIGIT, NULL, 16)) & ~(unsigned long)RFLAGS_RF; /* as in agree.c */
	len = (size_t)snprintf(text, size, "%.*s flags %lx ", EFLAGS_DIGIT, reply, flags);
	for (uint32_t at = PROGRAM_IDT; at < PROGRAM_MEMORY; at += PIECE) {
		if (!ask(NULL, "m%x,%x", at, PIECE))
			return false;
		len += (size_t)snprintf(text + len, size - len, "%s", reply);
	}
	return len < size;
}

static bool set_point(void)
{
	unsigned int kind = any(5), len = 1;
	uint32_t at;
	size_t watches = 0;

	for (size_t i = 0; i < point_count; i++)
		watches += points[i].watches;
	if (point_count == POINTS || (kind >= 2 && (watches == WATCHES || in_qemu())))
		return true;
	if (kind >= 2) {
		at = PROGRAM_DATA + any(PROGRAM_DATA_SIZE - 8);
		len = 1 + any(8);
	} else {
		do
			at = PROGRAM_CODE + any(PROGRAM_CODE_SIZE);
		while (!program_at(&soaked, at));
	}
	snprintf(points[point_count].body, sizeof(points->body), "%u,%x,%x", kind, at, len);
	points[point_count].watches = kind >= 2;
	/* The same twice is one. */
	for (size_t i = 0; i < point_count; i++) {
		if (!strcmp(points[i].body, points[point_count].body))
			return true;
	}
	return ask("OK", "Z%s", points[point_count++].body);
}

static bool remove_point(void)
{
	size_t i;
	char body[sizeof(points->body)];

	if (!point_count)
		return true;
	i = any((unsigned int)point_count);
	memcpy(body, points[i].body, sizeof(body));
	points[i] = points[--point_count];
	return ask("OK", "z%s", body);
}

static bool interrupt(void)
{
	note("vCont;c and Ctrl-C");
	strcpy(reply, "nothing");
	if (client_send(fd, "vCont;c") && write(fd, "\3", 1) == 1 &&
	    client_receive(&server, fd, reply, sizeof(reply), &spoke) && *reply == 'T')
		return true;
	comment("vCont;c and Ctrl-C are answered by %.80s", reply);
	return false;
}

static bool edit(void)
{
	uint8_t bytes[16];
	uint32_t at = PROGRAM_CODE + any(PROGRAM_CODE_SIZE - sizeof(bytes)), pc;
	char digits[2 * sizeof(bytes) + 1];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)any(256);
	put_hex(digits, bytes, sizeof(bytes));
	/* What is there already, but through the breakpoints; and the program counter. */
	return write_memory(SCRATCH, bytes, sizeof(bytes)) && ask(digits, "m%x,%zx", SCRATCH, sizeof(bytes)) &&
	       write_memory(at, soaked.memory + at, sizeof(bytes)) && read_pc(&pc) && write_register(8, pc);
}

/* One random thing; *stopped: it ran. */
static bool act(bool *stopped)
{
	uint32_t pc;

	*stopped = true;
	switch (any(12)) {
	case 0:
	case 1:
	case 2:
		return ask(NULL, "vCont;s:1");
	case 3:
		return read_pc(&pc) && ask(NULL, "vCont;r%x,%x:1", pc, pc + 1 + any(24));
	case 4:
		return ask(NULL, "vCont;c");
	case 5:
		return interrupt();
	case 6:
		return connect_client();
	default:
		break;
	}
	*stopped = false;
	switch (any(4)) {
	case 0:
		return edit();
	case 1:
		return remove_point();
	default:
		return set_point();
	}
}

/* On to the end, over what is set. */
static bool run_to_end(bool ended)
{
	for (int i = 0; !ended; i++) {
		if (i == STOPS_MAX || !ask(NULL, "vCont;c") || !check(&ended))
			return false;
	}
	return true;
}

/* Whether this program is not for this host: it has come to a division that ends in an exception. */
static bool is_skipped(void)
{
	const char *without = getenv("AGREE_NO_EXCEPTIONS");
	const struct program_instruction *at;
	uint32_t pc;

	if (!without || strcmp(without, "1") != 0 || soaked.mode != MODE_32 || !read_pc(&pc))
		return false;
	at = program_at(&soaked, pc);
	return at && at->flow == FLOW_DIVIDE;
}

/* *skipped: it did not even run freely, as was to be expected. */
static bool soak(uint64_t seed, bool *skipped)
{
	static char freely[2 * PROGRAM_MEMORY + 400], debugged[sizeof(freely)];
	bool ended = false, stopped;

	*skipped = false;
	put_hex(code, soaked.memory + PROGRAM_CODE, PROGRAM_CODE_SIZE);
	state = seed;
	/* Once before, so that all of its memory is there, and it stays there. */
	if (in_qemu() && (!load(true) || !ask(NULL, "vCont;c")))
		return false;
	if (!load(!in_qemu()) || !ask(NULL, "vCont;c") || !check(&ended))
		return false;
	*skipped = !ended && is_skipped();
	if (!ended && !*skipped)
		comment("it does not run to its end");
	if (!ended)
		return *skipped;
	if (!read_all(freely, sizeof(freely)) || !load(!in_qemu()))
		return false;
	ended = false;
	for (int i = 0; i < ACTIONS && !ended; i++) {
		if (!act(&stopped) || (stopped && !check(&ended)))
			return false;
	}
	while (point_count && any(2)) {
		if (!remove_point())
			return false;
	}
	if (!run_to_end(ended) || !read_all(debugged, sizeof(debugged)))
		return false;
	while (point_count) {
		if (!remove_point())
			return false;
	}
	if (!strcmp(freely, debugged))
		return true;
	for (size_t i = 0; freely[i]; i++) {
		if (freely[i] != debugged[i]) {
			comment("other than freely from digit %zu on: %.140s, not %.140s", i, debugged + (i & ~7u),
				freely + (i & ~7u));
			break;
		}
	}
	return false;
}

static uint64_t from_environment(const char *name, uint64_t preset)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : preset;
}

int main(void)
{
	uint64_t seed = from_environment("SOAK_SEED", 1), count = from_environment("SOAK_PROGRAMS", 20);
	uint64_t seconds = from_environment("SOAK_SECONDS", 0), done = 0, skips = 0;
	time_t began = time(NULL);
	const char *why;
	bool skip, skipped, good = true;

	why = server_missing("kvmgdb sum.bin", &skip);
	if (why && skip) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	for (; good && !why && (seconds ? (uint64_t)(time(NULL) - began) < seconds : done < count); done++) {
		enum vcpu_mode mode = done / PROGRAMS_A_SERVER % 2 ? MODE_32 : MODE_16;

		if (!(done % PROGRAMS_A_SERVER)) {
			why = server_start(&server, mode == MODE_32 ? "kvmgdb sum.bin --mode=32 --memory=1M --console=none"
								    : "kvmgdb sum.bin --memory=1M --console=none");
			if (!why && !connect_client())
				why = "no client is served";
			if (why)
				break;
		}
		program_make(&soaked, seed + done, mode);
		good = soak(seed + done, &skipped);
		skips += skipped;
		if (!seconds || !good)
			result(good, "program %llu, %d-bit%s", (unsigned long long)(seed + done), 16 << mode,
			       skipped ? " # SKIP this KVM delivers no exceptions" : "");
		else if ((done + 1) % PROGRESS == 0)
			comment("%llu programs", (unsigned long long)(done + 1));
		fflush(stdout);
		for (unsigned int i = 0; !good && i < LATELY; i++)
			comment("said: %s", lately[(said + i) % LATELY]);
		if (!good || (done + 1) % PROGRAMS_A_SERVER == 0) {
			why = server_stop(&server);
			close(fd);
			fd = -1;
		}
	}
	if (server.pid > 0)
		why = server_stop(&server);
	result(!why && good && skips < done, "%llu programs in %ld s, %llu of which are not for this KVM",
	       (unsigned long long)done, (long)(time(NULL) - began), (unsigned long long)skips);
	if (why)
		comment("%s: %.300s", why, server.output);
	return finish();
}
