/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub.h"

/* Exit statuses. */
#define EXIT_HALTED 0
#define EXIT_DIED 1
#define EXIT_SETUP 2
#define EXIT_TIMEOUT 124

struct options {
	const char *gdb;
	bool gdb_given;
	const char *type;
	uint64_t load;
	bool load_given;
	const char *entry; /* as written; NULL: the load address */
	bool entry_has_segment;
	uint16_t entry_segment;
	uint64_t entry_offset;
	int mode; /* 16, 32 or 64 */
	bool mode_given;
	uint64_t memory; /* bytes */
	const char *console;
	bool no_wait;
	enum gdbstub_on_disconnect on_disconnect;
	unsigned int timeout; /* seconds; 0: none */
	bool verbose;
	const char *image;
	char **command; /* NULL: none */
};

/* Parses or exits: with 0 after --help and --version, with EXIT_SETUP and a message on mistakes. */
void options_parse(struct options *options, int argc, char **argv);

/* -1 and why if an option was given that only raw images take. */
int options_reject_raw(const struct options *options, char *why, size_t size);

#endif
