/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gdbstub.h"

/* Exit statuses. */
#define EXIT_HALTED 0
#define EXIT_DIED 1
#define EXIT_SETUP 2
#define EXIT_TIMEOUT 124

enum options_machine { OPTIONS_MACHINE_AUTO, OPTIONS_MACHINE_PC, OPTIONS_MACHINE_BARE };

/* What becomes of a guest that resets the machine. */
enum options_on_reset {
	OPTIONS_RESET_AUTO, /* it runs on if somebody sits at it and no gdb is there */
	OPTIONS_RESET_STOP,
	OPTIONS_RESET_RUN,
};

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
	enum options_machine machine;
	int64_t rtc; /* the guest's clock at power-on: seconds since 1970, no time zone */
	const char *append; /* the command line of a kernel or program; NULL: none was given */
	const char *initrd; /* NULL: none */
	const char **modules; /* each a path, and arguments behind a space */
	size_t module_count;
	const char *console;
	const char *keys; /* NULL: none */
	const char *serial; /* NULL: the console */
	int arch; /* as arch_parse() */
	const char *symbols; /* NULL: none */
	uint64_t symbols_offset; /* modulo 2^64 */
	bool no_wait;
	enum gdbstub_on_disconnect on_disconnect;
	enum options_on_reset on_reset;
	unsigned int timeout; /* seconds; 0: none */
	unsigned int trace;   /* bits of enum trace */
	bool verbose;
	const char *screenshot; /* NULL: none */
	const char *screenshots; /* the folder that clients may write pictures to; NULL: none */
	bool no_sandbox;
	const char *user; /* as whom it goes on; NULL: as it was started */
	uid_t uid; /* of `user` */
	gid_t gid;
	const char *chroot; /* NULL: none */
	bool screen; /* the guest's screen is shown */
	const char *image; /* NULL: the first of the disks */
	const char **disks; /* as written */
	size_t disk_count;
	char **command; /* NULL: none */
};

/*
 * What the guest is served as, by gdb's names: "i8086", "i386", "x86-64" are enum vcpu_mode, "auto", the
 * CPU's mode, is ARCH_AUTO. False if it is none of them.
 */
#define ARCH_AUTO (-1)
bool arch_parse(const char *text, int *arch);
const char *arch_name(int arch);

/* Parses or exits: with 0 after --help and --version, with EXIT_SETUP and a message on mistakes. */
void options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);

/* -1 and why if an option was given that only raw images take; --mode is not one of them with `has_mode`. */
int options_reject_raw(const struct options *options, bool has_mode, char *why, size_t size);

#endif
