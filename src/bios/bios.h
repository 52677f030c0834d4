/*
 * The BIOS. Each interrupt vector leads to a stub of a few bytes in the ROM at F000:0000, whose OUT calls the
 * program; the stub's IRET then goes back to the caller. So guests may hook and chain vectors as they like.
 */
#ifndef BIOS_H
#define BIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exits.h"

struct machine;

union bios_register {
	uint64_t r;
	uint32_t e;
	uint16_t x;
	struct {
		uint8_t l, h;
	};
};

/* A service that the guest has called: its registers, which the service changes. */
struct bios_call {
	struct machine *machine;
	unsigned int trap;  /* the vector, or one of enum rom_trap */
	union bios_register a, b, c, d, si, di, bp;
	uint16_t ds, es;
	uint16_t flags;	    /* the caller's, which the IRET brings back */
	uint16_t cs, ip;    /* where the IRET goes to */
	uint64_t ds_base, es_base, ss_base;
	struct gdbstub_stop *stop; /* for BIOS_STOP, to be filled in */
};

/* In bios_call.flags. */
#define FLAG_CARRY 0x0001u
#define FLAG_ZERO 0x0040u

enum bios_result {
	BIOS_DONE,    /* back to the caller */
	BIOS_WAIT,    /* the service is called again after the next interrupt */
	BIOS_STAY,    /* the service has set the program counter itself */
	BIOS_STOP,    /* a debugger is to be told: bios_call.stop */
	BIOS_UNKNOWN, /* there is no such subfunction: CF is set and the user is told, once */
};

#define BIOS_ANY (-1)

/* A row for each function of an interrupt; one with BIOS_ANY, the last, takes all others. */
struct bios_service {
	int ah; /* or BIOS_ANY */
	const char *name; /* NULL ends the table */
	enum bios_result (*serve)(struct bios_call *call);
};

/* One table for each interrupt, in the file of its name; those of exceptions.c and boot.c come last. */
extern const struct bios_service int08_services[], int10_services[], int11_services[], int12_services[];
extern const struct bios_service int13_services[], int14_services[], int15_services[], int17_services[];
extern const struct bios_service int1a_services[], int70_services[];
extern const struct bios_service int20_services[], int21_services[]; /* both in int21.c */
extern const struct bios_service int09_services[], int16_services[];
extern const struct bios_service divide_services[], opcode_services[], irq_services[], int18_services[],
	int19_services[];

/* Puts the ROM, the interrupt vectors and the BIOS data area into memory and sets the devices up. */
void bios_power_on(struct machine *machine);
/* int16.c: the BIOS data area's part of the keyboard. */
void keyboard_power_on(struct machine *machine);
/* Tells the BIOS data area, and the tables of the ROM, which drives there are. */
void bios_tell_drives(struct machine *machine);
/* Whether the guest is at the beginning of what the BIOS has for an exception that it ends the guest's run with. */
bool bios_ends_exception(const struct machine *machine);
/* Serves the call that has just trapped, with its OUT completed. GOES_ON, or STOPPED. */
enum outcome bios_serve(struct machine *machine, struct gdbstub_stop *stop);
/* The name of a service, or NULL; with an `ah` of BIOS_ANY, of a vector that has but one. */
const char *bios_service_name(unsigned int vector, int ah);
/* "INT 13h AH=02 (read sectors)", and the offset in call->cs where it was called. */
void bios_describe(const struct bios_call *call, char *text, size_t size);
uint16_t bios_caller(const struct bios_call *call);
/*
 * The guest is to be stopped while a service waits: it is put back to its INT instruction, so that the user
 * sees code of the guest's, and the service begins anew when it goes on.
 */
void bios_rewind(struct machine *machine);

/*
 * shutdown.c: behind a reset, or a triple fault, goes on where the guest's shutdown code in the CMOS memory says. False if
 * that asks for a boot; else machine->came_back is set.
 */
bool bios_resume(struct machine *machine);

/* equipment.c: what the BIOS data area and the CMOS memory say of the devices. */
void equipment_power_on(struct machine *machine);
/* Of the CMOS memory the sizes of memory alone, which firmware of the guest's own asks for, too. */
void equipment_tell_memory(struct machine *machine);
/* KiB of memory from 1 MiB on, without a gap. */
uint32_t extended_memory(const struct machine *machine);

/* The BIOS data area, by the offset in segment 0x40. */
uint8_t *bios_byte(const struct machine *machine, unsigned int offset);
uint16_t bios_word(const struct machine *machine, unsigned int offset);
void bios_set_word(struct machine *machine, unsigned int offset, uint16_t value);
uint32_t bios_long(const struct machine *machine, unsigned int offset);
void bios_set_long(struct machine *machine, unsigned int offset, uint32_t value);

/* INT 15h AH=86h is in progress, and has waited for long enough: its HLT ends without an interrupt. */
bool bios_wait_is_over(const struct machine *machine);
/* When that wait, or that of AH=83h, ends, or CLOCK_NEVER; the latter is told then. */
uint64_t bios_next(const struct machine *machine);
void bios_update(struct machine *machine);

/* Sets or clears bits of the caller's flags. */
void bios_flag(struct bios_call *call, uint16_t flag, bool set);
/* The two ways in which services report: AH and CF. */
enum bios_result bios_fail(struct bios_call *call, uint8_t ah);
enum bios_result bios_succeed(struct bios_call *call);
/* Whether the guest has put something of its own into an interrupt vector, and into those of the timer. */
bool bios_is_hooked(const struct machine *machine);
bool bios_hears_clock(const struct machine *machine);
/* The same of the keyboard's. */
bool bios_hears_keyboard(const struct machine *machine);
/* Whether it was an INT that has come here, and not the CPU or a device. */
bool bios_called_by_int(const struct bios_call *call);
/* Goes back to the INT, or the instruction that raised the exception, as if it had not been. */
void bios_pop_frame(struct bios_call *call, bool before_int);

#endif
