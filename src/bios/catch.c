#define _GNU_SOURCE
#include "bios/catch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bios/bios.h"
#include "machine.h"

bool catches_want(const struct catches *catches, unsigned int vector, uint8_t ah)
{
	if (catches->paused)
		return false;
	for (size_t i = 0; i < catches->count; i++) {
		if (catches->list[i].vector == vector &&
		    (catches->list[i].ah == BIOS_ANY || catches->list[i].ah == ah))
			return true;
	}
	return false;
}

static void list(struct gdbstub *stub, const struct catches *catches)
{
	if (!catches->count)
		gdbstub_printf(stub, "No service is caught.\n");
	for (size_t i = 0; i < catches->count; i++) {
		const struct catch *catch = &catches->list[i];
		const char *name = bios_service_name(catch->vector, catch->ah);

		gdbstub_printf(stub, "INT %02xh", catch->vector);
		if (catch->ah != BIOS_ANY)
			gdbstub_printf(stub, " AH=%02x", (unsigned int)catch->ah);
		gdbstub_printf(stub, name ? " (%s) is caught.\n" : " is caught.\n", name);
	}
}

/* A byte at *text, in C's notation or, like 13h, in the assemblers'; *text is then behind it and blanks. */
static bool parse_byte(const char **text, uint8_t *value)
{
	size_t len = strcspn(*text, " \t");
	char word[8], *end;
	unsigned long number;

	if (!len || len >= sizeof(word) || strspn(*text, "0123456789abcdefABCDEFhHxX") < len)
		return false;
	memcpy(word, *text, len);
	word[len] = 0;
	if (word[len - 1] == 'h' || word[len - 1] == 'H') {
		word[len - 1] = 0;
		number = strtoul(word, &end, 16);
	} else {
		number = strtoul(word, &end, 0);
	}
	if (end == word || *end || number > 0xff)
		return false;
	*value = (uint8_t)number;
	*text += len + strspn(*text + len, " \t");
	return true;
}

/* With BIOS_ANY, all of the vector's. */
static void drop(struct catches *catches, uint8_t vector, int ah)
{
	size_t kept = 0;

	for (size_t i = 0; i < catches->count; i++) {
		const struct catch *catch = &catches->list[i];

		if (catch->vector != vector || (ah != BIOS_ANY && catch->ah != ah))
			catches->list[kept++] = *catch;
	}
	catches->count = kept;
}

static bool is_there(const struct catches *catches, uint8_t vector, int ah)
{
	for (size_t i = 0; i < catches->count; i++) {
		if (catches->list[i].vector == vector && catches->list[i].ah == ah)
			return true;
	}
	return false;
}

/* What follows "int ". False if it is something else. */
static bool change(struct gdbstub *stub, struct catches *catches, const char *args)
{
	uint8_t vector, byte;
	int ah = BIOS_ANY;

	if (!parse_byte(&args, &vector))
		return false;
	if (parse_byte(&args, &byte))
		ah = byte;
	if (!strcmp(args, "off"))
		drop(catches, vector, ah);
	else if (*args)
		return false;
	else if (is_there(catches, vector, ah))
		return true;
	else if (catches->count == CATCHES_MAX)
		gdbstub_printf(stub, "There are %d already.\n", CATCHES_MAX);
	else
		catches->list[catches->count++] = (struct catch){.vector = vector, .ah = ah};
	return true;
}

int catch_monitor(struct gdbstub *stub, void *target, const char *args)
{
	struct machine *machine = target;
	struct catches *catches = &machine->catches;
	bool good = true;

	if (!machine->is_pc)
		gdbstub_printf(stub, "This machine has no BIOS.\n");
	if (!strcmp(args, "off"))
		catches->count = 0;
	else if (!strncmp(args, "int", 3) && (args[3] == ' ' || args[3] == '\t'))
		good = change(stub, catches, args + 3 + strspn(args + 3, " \t"));
	else
		good = !*args;
	if (!good)
		gdbstub_printf(stub, "It is int, a vector and perhaps AH, like int 0x13 0x02, with off behind it "
				     "to end it, or off alone.\n");
	list(stub, catches);
	return 0;
}
