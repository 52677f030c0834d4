/*
 * One virtual CPU. Its general and segment registers are read once per exit (by KVM_CAP_SYNC_REGS
 * they come with it) and written once per entry; everything else is read when it is asked for.
 * All of it is used on the one thread that runs the vCPU, but vcpu_kick().
 */
#ifndef VCPU_H
#define VCPU_H

#include <linux/kvm.h>
#include <signal.h>

#include "kvm.h"

/* How instructions are decoded, by CS: the class of a mode, and the layout of its registers. */
enum vcpu_mode { MODE_16, MODE_32, MODE_64, MODE_COUNT };

#define CR0_PE 0x1u
#define CR0_EM 0x4u
#define CR0_TS 0x8u
#define CR0_ET 0x10u
#define CR0_AM 0x40000u
#define CR0_WP 0x10000u
#define CR0_NW 0x20000000u
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define CR4_OSFXSR 0x200u
#define CR4_SMEP 0x100000u
#define CR4_CET 0x800000u
#define EFER_SCE 0x1u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define RFLAGS_TF 0x100u
#define RFLAGS_IF 0x200u
#define RFLAGS_DF 0x400u
#define DR6_BS 0x4000u
#define RFLAGS_RF 0x10000u
#define RFLAGS_VM 0x20000u
#define RFLAGS_AC 0x40000u

#define VCPU_DEBUG_REGISTERS 4

/* The x87 and SSE registers, as FXSAVE stores them (SDM volume 1, 10.5.1, with 64-bit operands). */
struct fxsave {
	uint16_t fcw, fsw;
	uint8_t ftw; /* abridged: a bit for each register that is not empty */
	uint8_t reserved;
	uint16_t fop;
	uint64_t fip, fdp; /* with 32-bit operands the upper half has the selector */
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16];
	uint8_t xmm[16][16];
};

/* State components of the XSAVE area beyond FXSAVE's, by their bits in XCR0 (SDM volume 1, 13.1). */
#define XSTATE_AVX 2
#define XSTATE_OPMASK 5
#define XSTATE_ZMM_HI256 6
#define XSTATE_HI16_ZMM 7
#define XSTATE_PKRU 9
#define XSTATE_COUNT 10
#define XSTATE_SIZE_MAX 1024 /* of a component: Hi16_ZMM */

struct vcpu {
	struct vm *vm;
	int fd;
	struct kvm_run *run;
	/* Valid whenever the vCPU is not inside vcpu_enter(). After changing *regs, set regs_dirty. */
	struct kvm_regs *regs;
	const struct kvm_sregs *sregs;
	struct kvm_vcpu_events *events; /* as KVM_RUN has left them; NULL where they do not come with it */
	bool regs_dirty;
	bool io_pending;	  /* an I/O exit was served, the instruction is not completed */
	struct kvm_regs own_regs; /* without KVM_CAP_SYNC_REGS */
	struct kvm_sregs own_sregs;
	bool has_features; /* vcpu_need_features() */
	bool has_apic;
	uint8_t *xsave; /* the XSAVE area, in its standard format; xsave_size bytes */
	size_t xsave_size;
	bool fpu_valid;			     /* xsave is what KVM has */
	uint32_t xstate_offset[XSTATE_COUNT]; /* in xsave; 0: the vCPU has no such component */
	uint64_t tsc_shown; /* to the client, last */
	struct kvm_guest_debug debug; /* as the kernel knows it */
	bool debug_known;
	bool set_tf; /* vcpu_step_again() */
	bool steps_without_tf; /* KVM_GUESTDBG_SINGLESTEP alone makes a step: KVM emulates guest code */
	bool own_breakpoints, own_breakpoints_known; /* vcpu_has_breakpoints() */
	struct kvm_msr_list *msrs; /* vcpu_lists_msr()'s; NULL: not read yet */
	volatile sig_atomic_t kicked;
	int signal;		       /* vcpu_take_signal()'s; 0: none */
	unsigned int rounds;	       /* since vcpu_pass_round() has looked for it */
	void (*on_signal)(int number); /* its handler */
};

/* Creates vCPU `id`; whether it has a local APIC is what CPUID says, no more. Returns 0, or a negative errno and why. */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int id, bool has_apic, char *why, size_t why_size);
void vcpu_destroy(struct vcpu *vcpu);

/*
 * Gives the CPU the host's features (CPUID), once. All that needs them does so by itself: it takes a host that is a
 * virtual machine longer than all else here, and a client's first questions are answered without. Returns 0 or a
 * negative errno.
 */
int vcpu_need_features(struct vcpu *vcpu);
#define VCPU_NO_FEATURES "KVM cannot set a virtual CPU's features: %s" /* what is told of that */

/*
 * Runs the guest until the next exit. Returns the KVM_EXIT_* reason, or a negative errno; -EINTR
 * after a kick.
 */
int vcpu_enter(struct vcpu *vcpu);
/*
 * Blocks the signal everywhere but in vcpu_enter(), which it ends and which then calls the handler: to have it delivered
 * takes as long as ten system calls. Where KVM cannot do that it is delivered as ever.
 */
void vcpu_take_signal(struct vcpu *vcpu, int number, void (*handler)(int number));
/* For loops that may do without vcpu_enter(), once in each round: now and then looks whether the signal has come. */
void vcpu_pass_round(struct vcpu *vcpu);
/*
 * Completes an I/O instruction without running another. Returns -EINTR when it is complete, or the
 * exit that completion led to: more I/O to be served, or KVM_EXIT_DEBUG.
 */
int vcpu_complete(struct vcpu *vcpu);
/* Async-signal-safe: makes vcpu_enter() return soon, or at once the next time. */
void vcpu_kick(struct vcpu *vcpu);
/*
 * Lets the next vcpu_enter() go on with an instruction that is done but not left, whatever kick there was.
 * vcpu_was_kicked() still tells of that.
 */
void vcpu_defer_kick(struct vcpu *vcpu);
/* Past an instruction of this length, which has been carried out by others than KVM; clears RF, as each does. */
void vcpu_skip(struct vcpu *vcpu, unsigned int length);
/* Whether there was a kick since the last call. */
bool vcpu_was_kicked(struct vcpu *vcpu);

/*
 * What is to be reported by KVM_EXIT_DEBUG: KVM_GUESTDBG_* bits and, for KVM_GUESTDBG_USE_HW_BP, the
 * debug registers, DR7 as [7]. No system call when nothing changed, unless `again`. Returns 0 or a
 * negative errno.
 */
int vcpu_debug(struct vcpu *vcpu, uint32_t control, const uint64_t debugreg[8], bool again);

/*
 * The next vcpu_enter() goes on from an execution breakpoint of a debug register without hitting it again, if the
 * host heeds RF. Not for a step.
 */
void vcpu_pass_breakpoint(struct vcpu *vcpu);

/*
 * For a step like the one before, of an instruction that begins and ends within it: TF goes to KVM with the
 * registers that KVM_RUN takes along, and no KVM_SET_GUEST_DEBUG is needed. False if it is.
 */
bool vcpu_step_again(struct vcpu *vcpu, uint32_t control, const uint64_t debugreg[8]);

/* Writes the segment and control registers at once, so that a refusal has somebody to be told to. */
int vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs);
/* Reads them again, where it matters what KVM has made of the ones written. */
int vcpu_reread_sregs(struct vcpu *vcpu);
/*
 * The x87 and SSE registers; NULL with errno set on failure. vcpu_set_fpu() writes at once. Not by
 * KVM_GET_FPU, which leaves MXCSR out.
 */
const struct fxsave *vcpu_fpu(struct vcpu *vcpu);
int vcpu_set_fpu(struct vcpu *vcpu, const struct fxsave *fpu);
/*
 * A component of the extended state, XSTATE_SIZE_MAX bytes at most, or NULL with errno set; read with the
 * x87 and SSE registers, once per stop. vcpu_set_xstate() writes `len` bytes of it at `offset`.
 */
const uint8_t *vcpu_xstate(struct vcpu *vcpu, unsigned int component);
int vcpu_set_xstate(struct vcpu *vcpu, unsigned int component, size_t offset, const void *bytes,
		    size_t len);

/* Whether the host's KVM lists a model-specific register as one that it keeps for a guest. */
bool vcpu_lists_msr(struct vcpu *vcpu, uint32_t index);
/* 0; -EINVAL where KVM refuses; another negative errno. */
int vcpu_msr(struct vcpu *vcpu, uint32_t index, uint64_t *value);
int vcpu_set_msr(struct vcpu *vcpu, uint32_t index, uint64_t value);
/* The guest's own debug registers, whatever vcpu_debug() has set. */
int vcpu_debug_registers(const struct vcpu *vcpu, struct kvm_debugregs *registers);
int vcpu_set_debug_registers(struct vcpu *vcpu, const struct kvm_debugregs *registers);
/*
 * Whether any of them is switched on, or KVM does not say. Asked once, until the guest runs freely or these are written;
 * behind an instruction that writes them, clear own_breakpoints_known.
 */
bool vcpu_has_breakpoints(struct vcpu *vcpu);
int vcpu_xcr0(struct vcpu *vcpu, uint64_t *value);
int vcpu_set_xcr0(struct vcpu *vcpu, uint64_t value);

/*
 * Ends the shadow of a STI: with IF cleared behind its back VMX refuses to enter the guest. Returns 0 or a
 * negative errno.
 */
int vcpu_end_shadow(struct vcpu *vcpu);
/* Whether interrupts wait behind a STI or MOV SS for one more instruction. */
bool vcpu_in_shadow(const struct vcpu *vcpu);
/*
 * Whether KVM is known to have nothing to deliver, to complete or to hold back before the next instruction, so that
 * others may carry it out.
 */
bool vcpu_is_settled(const struct vcpu *vcpu);
/* Interrupts the guest, which must be ready for that. Returns 0 or a negative errno. */
int vcpu_interrupt(struct vcpu *vcpu, uint8_t vector);
/*
 * Takes back what KVM was about to deliver when KVM_RUN ended: *vector is that of an interrupt, and *exception
 * that of an exception, else -1 each. What an instruction raises comes again with it.
 */
int vcpu_take_back(struct vcpu *vcpu, int *vector, int *exception);

enum vcpu_mode vcpu_mode(const struct vcpu *vcpu);
/* A general register by the number that instructions have for it, REX's bit included. */
__u64 *vcpu_general(struct kvm_regs *regs, unsigned int number);
/* Real mode or virtual-8086 mode, where a selector is its base divided by 16. */
bool vcpu_is_real(const struct vcpu *vcpu);
unsigned int vcpu_cpl(const struct vcpu *vcpu);
/* CS:IP and SS:SP as linear addresses; in 64-bit mode RIP and RSP. */
uint64_t vcpu_pc(const struct vcpu *vcpu);
uint64_t vcpu_sp(const struct vcpu *vcpu);
/* "0000:7c00" in real mode, "0008:00100000" in protected mode, "0x100000" in 64-bit mode. */
const char *vcpu_where(const struct vcpu *vcpu, char *text, size_t size);

#endif
