/* The whole of it: one virtual machine, what is attached to it, and what the debugger has set. */
#ifndef MACHINE_H
#define MACHINE_H

#include "bios/bios_state.h"
#include "bios/catch.h"
#include "console.h"
#include "devices/clock.h"
#include "devices/ide.h"
#include "devices/ioapic.h"
#include "devices/keyboard.h"
#include "devices/lapic.h"
#include "devices/pic.h"
#include "devices/pit.h"
#include "devices/rtc.h"
#include "devices/system.h"
#include "devices/typist.h"
#include "devices/uart.h"
#include "devices/vga.h"
#include "gdbstub.h"
#include "guard.h"
#include "places.h"
#include "points.h"
#include "probe.h"
#include "serial.h"
#include "vcpu.h"

struct drives;
struct options;

/* What has become of the guest; it can be run only in the first. */
enum machine_life { MACHINE_ALIVE, MACHINE_HALTED, MACHINE_DEAD };

/* What the guest has asked for, which is done when its instruction is complete. */
enum machine_request { MACHINE_GO_ON, MACHINE_RESET, MACHINE_OFF };

/* The last HLT of a guest that waits, and since when, in its own time, nothing else has happened. */
struct idle {
	struct kvm_regs regs;
	uint64_t since;
};

/* Where a step ends that goes over what its instruction calls or repeats. */
struct step_over {
	bool active;
	bool has_point; /* one that nobody else has set, is there for it */
	uint64_t pc, sp; /* sp: at least; what is deeper is another call of the same place */
};

struct machine {
	const struct options *options;
	const struct image *image;
	struct vm vm;
	struct vcpu vcpu;
	struct console console;
	bool is_pc;	       /* with a PC's devices and, for 16-bit code, its BIOS */
	bool has_terminal;     /* the guest's screen is on the user's */
	bool uses_pc;	       /* the guest has asked for a service or used a device, but for those for text */
	struct bios bios;
	struct catches catches;
	unsigned int trace;    /* bits of enum trace */
	struct clock clock;
	struct pic pic;
	struct lapic lapic;
	struct ioapic ioapic;
	struct pit pit;
	struct rtc rtc;
	struct system system;
	struct keyboard keyboard;
	struct typist typist;
	struct uart uart;
	struct serial serial;
	struct idle idle;
	struct drives *drives; /* NULL: none */
	struct points points;
	struct guard guard;
	struct places places;
	unsigned int to_step; /* a run: instructions to be stepped before points are armed again */
	struct findings findings;
	const struct symbols *symbols; /* NULL: none */
	struct gdbstub *stub; /* NULL with --gdb=none */
	enum machine_life life;
	enum machine_request request;
	bool has_run;	       /* in this process, whichever guest */
	bool reset_due;	       /* the guest has reset itself: it begins anew when it goes on */
	bool begins_anew;      /* at once */
	char epitaph[200];     /* MACHINE_DEAD: the sentence that says why */
	int fatal_signal;      /* MACHINE_DEAD: enum gdbstub_signal */
	uint64_t halted_at;    /* MACHINE_HALTED: the linear address behind the HLT */
	bool halt_stepped;     /* into by a step: a `continue` that follows need not say it again */
	bool pc_moved;	       /* the client has written the program counter since the last stop */
	bool hit_here;	       /* and has then set a point there: see run.c */
	bool raised;	       /* the last step has ended in the handler of an exception of the instruction's */
	bool came_back;	       /* from a reset: what was to follow the instruction does not (bios_resume()) */
	bool at_point;	       /* a run: at a point that is still to be left */
	uint32_t inject;       /* KVM_GUESTDBG_INJECT_*: the guest's own trap, to be given back to it */
	int interrupt;	       /* a vector that comes before those of the controller, or -1 */
	bool exact;	       /* points are found by stepping alone, so that none is missed */
	bool step_interrupts;  /* a step takes it; else it waits until the guest runs */
	bool probe_failed;     /* when the guest ran, and nobody had asked for points or steps */
	bool carried_out;      /* an instruction of the guest's that KVM cannot emulate, at some time */
	bool guest_tf;	       /* the guest's own TF, which stepping hides */
	int arch;	       /* what the guest is served as: enum vcpu_mode, or ARCH_AUTO */
	bool whole_repeats;    /* a step does all of a string instruction */
	int register_set;      /* enum register_set: what the client wants to see */
	bool physical;	       /* the client's memory addresses are guest-physical ones */
	bool step_kvm;	       /* KVM does each step, also what compute() could do */
	bool step_over;	       /* the next step does not go into what the instruction calls */
	struct step_over over; /* while it runs */
	bool told_of_unknown;  /* that watchpoints may miss an instruction */
	bool told_of_stepping; /* the user knows that points made the guest slow */
	bool told_of_upper;    /* that some in the upper half of the address space may be missed */
	bool told_of_places;   /* and that a change of page tables, */
	bool told_of_overwriting; /* or of code, may have hidden some */
	/* Large, and most of it seldom used: behind what is, which is close together so. */
	struct ide ide;
	struct vga vga;
	uint8_t told_of_service[256 * 256 / 8]; /* that the BIOS does not have: by vector and AH */
};

/* Creates the virtual machine and loads the image. Returns 0, or a negative errno and why. */
int machine_create(struct machine *machine, char *why, size_t size);
void machine_destroy(struct machine *machine);
/* Begins anew, as after power-on; points stay. */
int machine_restart(struct machine *machine, char *why, size_t size);

/*
 * A sentence about the guest ("halted at 0000:1013"): to gdb's console if a gdb is there, else to
 * the program's.
 */
void machine_say(struct machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * run.c: runs the guest, freely or for one instruction, until something is to be reported, a client
 * says so, or machine_end() was called.
 */
void machine_run(struct machine *machine, enum gdbstub_resume how, struct gdbstub_stop *stop);

/*
 * Async-signal-safe: the machine is to end with this exit status as soon as it is out of the guest.
 * Returns false when it is not running, so that the caller must see to it.
 */
bool machine_end(struct machine *machine, int status);
/* The status that machine_end() was given, or -1. */
int machine_ending(void);

#endif
