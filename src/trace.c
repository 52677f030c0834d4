#define _GNU_SOURCE
#include "trace.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

static const struct {
	const char *name;
	unsigned int bit;
	const char *what;
} kinds[] = {
	{"bios", TRACE_BIOS, "BIOS services"},
	{"io", TRACE_IO, "port accesses"},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The kind whose name is these `len` characters, or -1. */
static int find_kind(const char *text, size_t len)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strlen(kinds[i].name) == len && !strncmp(kinds[i].name, text, len))
			return (int)i;
	}
	return -1;
}

bool trace_parse(const char *text, unsigned int *what)
{
	*what = 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		int kind = find_kind(text, len);

		if (kind < 0)
			return false;
		*what |= kinds[kind].bit;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

struct line {
	char text[240];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, sizeof(line->text) - line->len, format, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n < sizeof(line->text) - line->len ? (size_t)n : sizeof(line->text) - line->len - 1;
}

/* 32 bits where there is something in the upper 16. */
static void add_register(struct line *line, const char *name, uint32_t value)
{
	if (value >> 16)
		add(line, " E%s=%08x", name, value);
	else
		add(line, " %s=%04x", name, value);
}

void trace_service(const struct bios_call *before, const struct bios_call *after, bool is_done)
{
	static const struct {
		const char *name;
		size_t offset;
	} general[] = {
		{"AX", offsetof(struct bios_call, a)},	{"BX", offsetof(struct bios_call, b)},
		{"CX", offsetof(struct bios_call, c)},	{"DX", offsetof(struct bios_call, d)},
		{"SI", offsetof(struct bios_call, si)}, {"DI", offsetof(struct bios_call, di)},
		{"BP", offsetof(struct bios_call, bp)},
	};
	struct line line = {.len = 0};
	char what[100];

	bios_describe(before, what, sizeof(what));
	add(&line, "%s from %04x:%04x:", what, before->cs, bios_caller(before));
	for (size_t i = 0; i < COUNT(general); i++)
		add_register(&line, general[i].name,
			     ((const union bios_register *)((const char *)before + general[i].offset))->e);
	add(&line, " DS=%04x ES=%04x", before->ds, before->es);
	if (is_done) {
		add(&line, " ->");
		for (size_t i = 0; i < COUNT(general); i++) {
			uint32_t was = ((const union bios_register *)((const char *)before + general[i].offset))->e;
			uint32_t is = ((const union bios_register *)((const char *)after + general[i].offset))->e;

			if (!i || was != is)
				add_register(&line, general[i].name, is);
		}
		if (before->es != after->es)
			add(&line, " ES=%04x", after->es);
		add(&line, " CF=%d", after->flags & FLAG_CARRY ? 1 : 0);
		if ((before->flags ^ after->flags) & FLAG_ZERO)
			add(&line, " ZF=%d", after->flags & FLAG_ZERO ? 1 : 0);
	}
	machine_say(before->machine, "%s", line.text);
}

/* By port. */
static const struct {
	uint16_t first, last;
	const char *name;
} names[] = {
	{0x00, 0x0f, "DMA controller"},	    {0x20, 0x21, "interrupt controller"},
	{0x40, 0x43, "timer"},		    {0x60, 0x60, "keyboard"},
	{0x61, 0x61, "speaker and timer"},  {0x64, 0x64, "keyboard controller"},
	{0x70, 0x71, "clock and CMOS"},	    {0x80, 0x80, "codes"},
	{0x81, 0x8f, "DMA pages"},	    {0x92, 0x92, "A20 and reset"},
	{0xa0, 0xa1, "interrupt controller 2"}, {0xb2, 0xb3, "power management"},
	{0xc0, 0xdf, "DMA controller 2"},   {0xe9, 0xe9, "text"},
	{0x170, 0x177, "IDE 2"},	    {0x1f0, 0x1f7, "IDE"},
	{0x201, 0x201, "joysticks"},	    {0x278, 0x27f, "printer 2"},
	{0x2e8, 0x2ef, "COM4"},		    {0x2f8, 0x2ff, "COM2"},
	{0x376, 0x376, "IDE 2"},	    {0x378, 0x37f, "printer"},
	{0x3b4, 0x3ba, "monochrome screen"}, {0x3c0, 0x3cf, "VGA"},
	{0x3d4, 0x3da, "VGA"},		    {0x3e8, 0x3ef, "COM3"},
	{0x3f0, 0x3f5, "floppies"},	    {0x3f6, 0x3f6, "IDE"},
	{0x3f7, 0x3f7, "floppies"},	    {0x3f8, 0x3ff, "COM1"},
	{0x402, 0x402, "text"},		    {0x4d0, 0x4d1, "interrupt controllers' triggers"},
	{0x604, 0x604, "power"},	    {0xcf8, 0xcff, "PCI"},
	{0x8900, 0x8900, "power"},	    {0xb004, 0xb004, "power"},
};

void trace_port(struct machine *machine, const struct port_access *access)
{
	const char *name = NULL;
	uint32_t value = 0;

	for (size_t i = 0; machine->is_pc && i < COUNT(names) && names[i].first <= access->port; i++) {
		if (access->port <= names[i].last)
			name = names[i].name;
	}
	memcpy(&value, access->data, access->size);
	machine_say(machine, "port 0x%04x %s 0x%0*x%s%s%s", access->port, access->write ? "<-" : "->",
		    2 * access->size, value, name ? " (" : "", name ? name : "", name ? ")" : "");
}

int trace_monitor(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	size_t len = strcspn(args, " \t");
	const char *rest = args + len + strspn(args + len, " \t");
	int kind = find_kind(args, len);
	bool all_off = !strcmp(args, "off");

	if (all_off)
		machine->trace = 0;
	else if (kind >= 0 && (!*rest || !strcmp(rest, "on")))
		machine->trace |= kinds[kind].bit;
	else if (kind >= 0 && !strcmp(rest, "off"))
		machine->trace &= ~kinds[kind].bit;
	else if (*args)
		gdbstub_printf(stub, "It is bios or io, with on or off behind it.\n");
	for (size_t i = 0; i < COUNT(kinds); i++)
		gdbstub_printf(stub, "%s are %sshown.\n", kinds[i].what,
			       machine->trace & kinds[i].bit ? "" : "not ");
	return 0;
}
