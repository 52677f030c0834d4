#define _GNU_SOURCE
#include "options.h"

#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devices/rtc.h"
#include "load/load.h"
#include "message.h"
#include "probe.h"
#include "sandbox_rules.h"
#include "screenshot.h"
#include "trace.h"
#include "vcpu.h"

enum { OPTION_APPEND = 256, OPTION_ARCH, OPTION_CHROOT, OPTION_GDB_SCRIPT, OPTION_INITRD, OPTION_KEYS, OPTION_MACHINE,
       OPTION_MODULE, OPTION_NO_SANDBOX, OPTION_NO_WAIT, OPTION_ON_DISCONNECT, OPTION_ON_RESET, OPTION_PROBE, OPTION_RTC, OPTION_SANDBOX_RULES, OPTION_SCREEN,
       OPTION_SCREENSHOT, OPTION_SCREENSHOTS, OPTION_SERIAL,
       OPTION_SYMBOLS, OPTION_SYMBOLS_OFFSET, OPTION_TIMEOUT, OPTION_TRACE, OPTION_USER };

/* From this table come getopt's and the help. */
static const struct {
	const char *name;
	int value; /* the short option, if it is a character */
	const char *argument;
	const char *help;
} table[] = {
	{"gdb", 'g', "ENDPOINT", "[HOST]:PORT (default 127.0.0.1:1234; port 0 picks one and prints it), "
				 "unix:PATH, stdio, none"},
	{"type", 't', "TYPE", "the image's type, from the list below (default auto)"},
	{"load", 'l', "ADDR", "where a raw image goes (default 0x1000)"},
	{"entry", 'e', "WHERE", "where a raw image begins: linear address or SEG:OFF (default: --load)"},
	{"mode", 'M', "16|32|64", "the CPU's mode at the entry (default 16; of an ELF image 32 or 64, by its class)"},
	{"memory", 'm', "SIZE", "the guest's memory, with K, M or G (default 64M)"},
	{"disk", 'd', "FILE", "another disk, or one to boot from without an IMAGE; ,floppy ,hd ,cd ,ro ,rw ,chs=C/H/S "
			 "behind it"},
	{"machine", OPTION_MACHINE, "WHAT", "what is around the CPU: pc (devices and a BIOS), bare (memory alone), auto (default: bare for raw images)"},
	{"rtc", OPTION_RTC, "WHEN", "the guest's clock at power-on: now, or a date and time (default 2026-01-01T00:00:00)"},
	{"append", OPTION_APPEND, "TEXT", "the command line of a kernel, or the arguments of a COM program"},
	{"initrd", OPTION_INITRD, "FILE", "the initial RAM disk of a Linux kernel"},
	{"module", OPTION_MODULE, "FILE[ ARGS]", "a module for a Multiboot or PVH kernel, with its arguments; one or more"},
	{"console", 'c', "WHERE", "the guest's output: stdio (default), gdb, both, file:PATH, none"},
	{"screen", OPTION_SCREEN, NULL, "show the guest's screen: on a terminal while it runs, and as text at the end"},
	{"keys", OPTION_KEYS, "TEXT", "what is typed on the guest's keyboard, as in 'dir\\n<F1><wait 2s>'"},
	{"serial", OPTION_SERIAL, "WHERE", "what is connected to COM1: stdio, pty, unix:PATH, file:PATH (input alone), none (default: the console, without input)"},
	{"screenshot", OPTION_SCREENSHOT, "FILE.png", "write the guest's screen to FILE.png at the end"},
	{"screenshots", OPTION_SCREENSHOTS, "DIR", "the folder that monitor screenshot may write pictures to"},
	{"arch", OPTION_ARCH, "ARCH",
	 "what gdb is served, whatever the CPU's mode: auto (default), i8086, i386, x86-64"},
	{"symbols", OPTION_SYMBOLS, "FILE",
	 "an ELF file with the guest's symbols, which gdb then finds by itself"},
	{"symbols-offset", OPTION_SYMBOLS_OFFSET, "N",
	 "the guest's code is N bytes above where that was linked"},
	{"no-wait", OPTION_NO_WAIT, NULL, "run at once instead of waiting for gdb"},
	{"on-disconnect", OPTION_ON_DISCONNECT, "WHAT",
	 "when gdb goes without detaching: stop (default), run, exit"},
	{"on-reset", OPTION_ON_RESET, "WHAT",
	 "when the guest resets the machine: stop (default, but not for a guest with a keyboard), run"},
	{"timeout", OPTION_TIMEOUT, "SECONDS", "end the VM after this long, with exit status 124"},
	{"user", OPTION_USER, "NAME", "once all is open, go on as this user, when started as root"},
	{"chroot", OPTION_CHROOT, "DIR", "and with DIR as the root of the file system"},
	{"no-sandbox", OPTION_NO_SANDBOX, NULL, "keep capabilities and all system calls"},
	{"trace", OPTION_TRACE, "WHAT", "say what the guest asks of the BIOS and of devices: bios, io or bios,io"},
	{"probe", OPTION_PROBE, NULL, "print what this host's KVM can do for a debugger, and exit"},
	{"sandbox-rules", OPTION_SANDBOX_RULES, NULL, "print the system calls that the sandbox lets through, and exit"},
	{"gdb-script", OPTION_GDB_SCRIPT, NULL, "print where gdb's script for 16-bit code is, and exit"},
	{"verbose", 'v', NULL, "say what is loaded where"},
	{"help", 'h', NULL, "print this and exit"},
	{"version", 'V', NULL, "print the version and exit"},
};

#define COUNT (sizeof(table) / sizeof(*table))

static void help(void)
{
	printf("usage: kvmgdb [OPTION]... [IMAGE] [-- COMMAND [ARG]...]\n\n"
	       "Boots IMAGE on a bare KVM virtual CPU and serves it to gdb.\n\n");
	for (size_t i = 0; i < COUNT; i++) {
		char letter[8] = "   ", left[40];

		if (table[i].value < 256)
			snprintf(letter, sizeof(letter), "-%c,", table[i].value);
		snprintf(left, sizeof(left), "%s --%s%s%s", letter, table[i].name,
			 table[i].argument ? "=" : "", table[i].argument ? table[i].argument : "");
		printf("  %-24s %s\n", left, table[i].help);
	}
	printf("\nTypes of images:\n");
	for (size_t i = 0; image_types[i]; i++)
		printf("  %-24s %s\n", image_types[i]->name, image_types[i]->help);
	printf("\nWith -- COMMAND, COMMAND is started once the endpoint is ready, with it in\n"
	       "KVMGDB_ENDPOINT, and kvmgdb ends with its exit status. If COMMAND is a gdb, it is\n"
	       "connected before it does anything else.\n\n"
	       "Exit status: 0 the guest halted or gdb killed it, 1 it died, 2 the set-up failed,\n"
	       "124 the time was up; COMMAND's own.\n");
}

/* A number in C's notation; the whole text must be one. */
static bool number(const char *text, int base, uint64_t limit, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, base);
	return *text >= '0' && *text <= 'f' && end != text && !*end && !errno && *value <= limit;
}

static void parse_load(struct options *options, const char *text)
{
	if (!number(text, 0, (1ull << 52) - 1, &options->load))
		die("--load=%s: not an address", text);
	options->load_given = true;
}

/* Segment and offset are in hex, as everybody writes them, with or without 0x. */
static void parse_entry(struct options *options, const char *text)
{
	const char *colon = strchr(text, ':');
	char segment[16];
	uint64_t value;

	options->entry = text;
	options->entry_has_segment = colon != NULL;
	if (!colon) {
		if (!number(text, 0, (1ull << 52) - 1, &options->entry_offset))
			die("--entry=%s: neither an address nor SEG:OFF", text);
		return;
	}
	snprintf(segment, sizeof(segment), "%.*s", (int)(colon - text), text);
	if (colon - text >= (int)sizeof(segment) || !number(segment, 16, 0xffff, &value) ||
	    !number(colon + 1, 16, 0xffff, &options->entry_offset))
		die("--entry=%s: segment and offset are hexadecimal numbers of at most 4 digits", text);
	options->entry_segment = (uint16_t)value;
}

static void parse_memory(struct options *options, const char *text)
{
	static const char units[] = "KMG";
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGE_SIZE);
	size_t len = strlen(text);
	const char *unit = len > 1 ? strchr(units, text[len - 1] & ~0x20) : NULL;
	int shift = unit && *unit ? 10 * (int)(unit - units + 1) : 0;
	char digits[32];
	uint64_t value;
	bool fits;

	snprintf(digits, sizeof(digits), "%.*s", (int)(shift ? len - 1 : len), text);
	fits = len < sizeof(digits) && number(digits, 0, UINT64_MAX >> shift, &value);
	if (!fits && *digits && strspn(digits, "0123456789") == strlen(digits))
		die("--memory=%s: that is more than there can be", text);
	if (!fits)
		die("--memory=%s: a size is a number with K, M or G behind it", text);
	value <<= shift;
	if (!value)
		die("--memory=%s: the guest needs some memory", text);
	if (value & 0xfff)
		die("--memory=%s: the size must be a multiple of 4K", text);
	if (value > host)
		die("--memory=%s: this host has only %lluM", text, (unsigned long long)(host >> 20));
	options->memory = value;
}

static void parse_mode(struct options *options, const char *text)
{
	if (strcmp(text, "16") && strcmp(text, "32") && strcmp(text, "64"))
		die("--mode=%s: the mode is 16, 32 or 64", text);
	options->mode = atoi(text);
	options->mode_given = true;
}

static void parse_on_disconnect(struct options *options, const char *text)
{
	static const char *const names[] = {[GDBSTUB_DISCONNECT_STOP] = "stop",
					    [GDBSTUB_DISCONNECT_RUN] = "run",
					    [GDBSTUB_DISCONNECT_EXIT] = "exit"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(text, names[i])) {
			options->on_disconnect = (enum gdbstub_on_disconnect)i;
			return;
		}
	}
	die("--on-disconnect=%s: it is stop, run or exit", text);
}

static void parse_on_reset(struct options *options, const char *text)
{
	if (strcmp(text, "stop") && strcmp(text, "run"))
		die("--on-reset=%s: it is stop or run", text);
	options->on_reset = strcmp(text, "run") ? OPTIONS_RESET_STOP : OPTIONS_RESET_RUN;
}

static void parse_machine(struct options *options, const char *text)
{
	static const char *const names[] = {[OPTIONS_MACHINE_AUTO] = "auto", [OPTIONS_MACHINE_PC] = "pc",
					    [OPTIONS_MACHINE_BARE] = "bare"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(text, names[i])) {
			options->machine = (enum options_machine)i;
			return;
		}
	}
	die("--machine=%s: it is auto, pc or bare", text);
}

static void parse_rtc(struct options *options, const char *text)
{
	time_t now = time(NULL);
	struct tm local;

	if (!strcmp(text, "now") && localtime_r(&now, &local))
		options->rtc = now + local.tm_gmtoff;
	else if (!rtc_parse(text, &options->rtc))
		die("--rtc=%s: it is now, a date like 2026-01-31, or a date and time like 2026-01-31T12:34:56", text);
}

static const char *const arch_names[] = {[MODE_16] = "i8086", [MODE_32] = "i386", [MODE_64] = "x86-64"};

bool arch_parse(const char *text, int *arch)
{
	for (int i = 0; i < MODE_COUNT; i++) {
		if (!strcmp(text, arch_names[i])) {
			*arch = i;
			return true;
		}
	}
	if (strcmp(text, "auto"))
		return false;
	*arch = ARCH_AUTO;
	return true;
}

const char *arch_name(int arch)
{
	return arch == ARCH_AUTO ? "auto" : arch_names[arch];
}

/* With a '-' the code is below, which in 64 bits is the same as far above. */
static void parse_symbols_offset(struct options *options, const char *text)
{
	bool below = *text == '-';

	if (!number(text + below, 0, UINT64_MAX, &options->symbols_offset))
		die("--symbols-offset=%s: not a number of bytes", text);
	if (below)
		options->symbols_offset = -options->symbols_offset;
}

static void parse_timeout(struct options *options, const char *text)
{
	uint64_t value;

	if (!number(text, 10, 1000000000, &value) || !value)
		die("--timeout=%s: not a number of seconds", text);
	options->timeout = (unsigned int)value;
}

static void parse_screenshot(struct options *options, const char *text)
{
	char why[256];

	/* Better now than when the guest has run for long. */
	if (screenshot_check(text, why, sizeof(why)))
		die("--screenshot: %s", why);
	options->screenshot = text;
}

static void parse_user(struct options *options, const char *text)
{
	const struct passwd *entry;

	errno = 0;
	entry = getpwnam(text);
	if (!entry)
		die("--user=%s: %s", text, errno ? strerror(errno) : "there is no such user");
	options->user = text;
	options->uid = entry->pw_uid;
	options->gid = entry->pw_gid;
}

static void print_probe(void)
{
	char why[256];

	if (probe_print(why, sizeof(why)))
		die("%s", why);
	exit(0);
}

static void print_gdb_script(void)
{
	static const char script[] = PKGDATADIR "/kvmgdb.py";

	if (access(script, R_OK))
		die("%s cannot be read: %s; make install puts it there, from src/gdb", script,
		    strerror(errno));
	puts(script);
	exit(0);
}

static void add_module(struct options *options, const char *text)
{
	const char **modules = realloc(options->modules, (options->module_count + 1) * sizeof(*modules));

	if (!modules)
		die("no memory for the modules");
	modules[options->module_count++] = text;
	options->modules = modules;
}

static void apply(struct options *options, int option, char *argument)
{
	switch (option) {
	case 'g':
		options->gdb = argument;
		options->gdb_given = true;
		break;
	case 't':
		options->type = argument;
		break;
	case 'l':
		parse_load(options, argument);
		break;
	case 'e':
		parse_entry(options, argument);
		break;
	case 'M':
		parse_mode(options, argument);
		break;
	case 'm':
		parse_memory(options, argument);
		break;
	case 'd':
		options->disks[options->disk_count++] = argument;
		break;
	case OPTION_APPEND:
		options->append = argument;
		break;
	case OPTION_INITRD:
		options->initrd = argument;
		break;
	case OPTION_MODULE:
		add_module(options, argument);
		break;
	case OPTION_MACHINE:
		parse_machine(options, argument);
		break;
	case OPTION_RTC:
		parse_rtc(options, argument);
		break;
	case OPTION_TRACE:
		if (!trace_parse(argument, &options->trace))
			die("--trace=%s: it is bios, io or both with a comma between", argument);
		break;
	case 'c':
		options->console = argument;
		break;
	case OPTION_SCREEN:
		options->screen = true;
		break;
	case OPTION_KEYS:
		options->keys = argument;
		break;
	case OPTION_SERIAL:
		options->serial = argument;
		break;
	case OPTION_SCREENSHOT:
		parse_screenshot(options, argument);
		break;
	case OPTION_SCREENSHOTS:
		options->screenshots = argument;
		break;
	case OPTION_USER:
		parse_user(options, argument);
		break;
	case OPTION_CHROOT:
		options->chroot = argument;
		break;
	case OPTION_NO_SANDBOX:
		options->no_sandbox = true;
		break;
	case OPTION_NO_WAIT:
		options->no_wait = true;
		break;
	case OPTION_ON_DISCONNECT:
		parse_on_disconnect(options, argument);
		break;
	case OPTION_ON_RESET:
		parse_on_reset(options, argument);
		break;
	case OPTION_ARCH:
		if (!arch_parse(argument, &options->arch))
			die("--arch=%s: it is auto, i8086, i386 or x86-64", argument);
		break;
	case OPTION_SYMBOLS:
		options->symbols = argument;
		break;
	case OPTION_SYMBOLS_OFFSET:
		parse_symbols_offset(options, argument);
		break;
	case OPTION_TIMEOUT:
		parse_timeout(options, argument);
		break;
	case OPTION_PROBE:
		print_probe();
		break;
	case OPTION_SANDBOX_RULES:
		sandbox_print_rules();
		exit(0);
	case OPTION_GDB_SCRIPT:
		print_gdb_script();
		break;
	case 'v':
		options->verbose = true;
		break;
	case 'h':
		help();
		exit(0);
	case 'V':
		puts(PACKAGE_STRING);
		exit(0);
	default: /* getopt has said what is wrong */
		fprintf(stderr, "Try 'kvmgdb --help'.\n");
		exit(EXIT_SETUP);
	}
}

void options_parse(struct options *options, int argc, char **argv)
{
	struct option longs[COUNT + 1] = {0};
	/* "-": arguments come as option 1, in their order. */
	char shorts[2 * COUNT + 2] = "-", *s = shorts + 1;
	int option, files;

	for (size_t i = 0; i < COUNT; i++) {
		longs[i] = (struct option){table[i].name,
					   table[i].argument ? required_argument : no_argument, NULL,
					   table[i].value};
		if (table[i].value < 256) {
			*s++ = (char)table[i].value;
			if (table[i].argument)
				*s++ = ':';
		}
	}
	*options = (struct options){.gdb = "127.0.0.1:1234",
				    .type = "auto",
				    .load = 0x1000,
				    .mode = 16,
				    .memory = 64 << 20,
				    .arch = ARCH_AUTO,
				    .rtc = RTC_START_DEFAULT,
				    .console = "stdio"};
	/* There cannot be more of them than arguments. */
	options->disks = calloc((size_t)argc, sizeof(*options->disks));
	if (!options->disks)
		die("no memory");
	/* Everything behind "--" is COMMAND; options may stand behind IMAGE, but not behind that. */
	for (files = 1; files < argc && strcmp(argv[files], "--"); files++)
		;
	if (files < argc) {
		if (files + 1 == argc)
			die("no COMMAND stands behind --");
		options->command = argv + files + 1;
	}
	argv[0] = (char *)"kvmgdb"; /* for getopt's messages */
	while ((option = getopt_long(files, argv, shorts, longs, NULL)) != -1) {
		if (option != 1)
			apply(options, option, optarg);
		else if (options->image)
			die("two images: %s and %s", options->image, optarg);
		else
			options->image = optarg;
	}
	if (!options->image && !options->disk_count)
		die("which image is to be booted? Try 'kvmgdb --help'");
	if (options->command && (!strcmp(options->gdb, "stdio") || !strcmp(options->gdb, "none")))
		die("--gdb=%s does not go with a COMMAND", options->gdb);
	if (!strchr(options->gdb, ':') && strcmp(options->gdb, "stdio") && strcmp(options->gdb, "none"))
		die("--gdb=%s: an endpoint is [HOST]:PORT, unix:PATH, stdio or none", options->gdb);
	if (options->screen && !strcmp(options->gdb, "stdio"))
		die("--screen does not go with --gdb=stdio, which needs the standard output");
	if ((options->user || options->chroot) && geteuid())
		die("--user and --chroot are for root");
}

int options_reject_raw(const struct options *options, bool has_mode, char *why, size_t size)
{
	const char *name = options->load_given ? "--load" : options->entry ? "--entry" : NULL;

	if (!name && options->mode_given && !has_mode)
		name = "--mode";
	if (!name)
		return 0;
	snprintf(why, size, "%s is for raw %simages: give --type=raw", name, strcmp(name, "--mode") ? "" : "and ELF ");
	return -1;
}

void options_free(struct options *options)
{
	free(options->disks);
	free(options->modules);
	options->disks = NULL;
}
