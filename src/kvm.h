/* The KVM device, one virtual machine, and its memory. */
#ifndef KVM_H
#define KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Guest memory above this much goes to 4 GiB and up, as on a PC; KVM's own pages lie in between. */
#define VM_LOW_MAX 0xc0000000ull
#define VM_HIGH_START 0x100000000ull

#define VM_PAGE 0x1000u

/* A byte that a breakpoint instruction stands for in guest memory; trap.c keeps them. */
struct trap {
	uint64_t gpa;
	uint8_t *host;	 /* where that is */
	uint64_t linear; /* of the breakpoint that it is for, or one of them */
	uint8_t original;
	uint8_t planted;
	bool wanted;
};

#define TRAPS_OUT_MAX 32

struct traps {
	struct trap *list; /* by gpa */
	size_t count, capacity;
	size_t renewed; /* up to this one, by traps_renew() */
	bool lifted;	/* none of them is in memory now */
	uint64_t out[TRAPS_OUT_MAX]; /* where only these are not: their gpas */
	int out_count;
	bool lost;	/* some have lost their place */
};

/* How a window is used: by the guest, or by a debugger, who is to change nothing by looking. */
enum window_access { WINDOW_READ, WINDOW_WRITE, WINDOW_PEEK };

/* Guest-physical memory, below vm.low_size, that the program serves in the place of RAM; whole pages. */
struct window {
	uint64_t start, size; /* a size of 0: there is none */
	void (*access)(void *opaque, uint64_t offset, uint8_t *data, size_t len, enum window_access how);
	void *opaque;
};

struct vm {
	int device; /* /dev/kvm */
	int fd;
	size_t run_size;   /* of a vCPU's shared page */
	bool sync_regs;	   /* KVM_CAP_SYNC_REGS, general and segment registers */
	bool sync_events;  /* the same, with what is to be delivered */
	uint32_t debug;	   /* KVM_GUESTDBG_* bits that this host takes */
	uint8_t *memory;   /* private anonymous memory, size bytes */
	uint64_t size;	   /* a multiple of 4096 */
	uint64_t low_size; /* of it, what begins at guest-physical 0 */
	uint8_t *rom;	   /* what ends at VM_HIGH_START; NULL: nothing does */
	uint64_t rom_size;
	struct window window;
	bool split; /* the memory has slots apart for what is below and above of it */
	unsigned int coalesced_page; /* of a vCPU's: writes to the window that are still to be served; 0: none */
	struct traps traps;
};

/* Opens the KVM device, if it is not open yet; it stays open, for guests to come. 0, or as vm_create(). */
int vm_open_device(char *why, size_t size);

/*
 * Creates a machine with `size` bytes of memory (a multiple of 4096, not 0) and no vCPU. Returns 0,
 * or a negative errno with a sentence in `why` that says what the user can do.
 */
int vm_create(struct vm *vm, uint64_t size, char *why, size_t why_size);
void vm_destroy(struct vm *vm);

/*
 * Adds a ROM of `size` bytes (a multiple of 4096, at most 16 MiB) that ends at 4 GiB. The guest cannot write it where
 * the host can see to that. Returns 0, or a negative errno and why.
 */
int vm_add_rom(struct vm *vm, const void *data, uint64_t size, char *why, size_t why_size);
bool vm_is_rom(const struct vm *vm, uint64_t gpa);
/* Where the next memory begins above `gpa`, at which there is none; UINT64_MAX if there is none either. */
uint64_t vm_next(const struct vm *vm, uint64_t gpa);

/*
 * Takes the RAM there from the guest, or gives it back, with what was in it. The guest must not be running.
 * Return 0 or a negative errno.
 */
int vm_open_window(struct vm *vm, const struct window *window);
int vm_close_window(struct vm *vm);
/* Whether `gpa` is in the window, and in *left how many bytes of it follow. */
bool vm_in_window(const struct vm *vm, uint64_t gpa, uint64_t *left);
/* Does an access to it, of bytes that are in it. */
void vm_access_window(const struct vm *vm, uint64_t gpa, void *data, size_t len, enum window_access how);

/*
 * The host address of guest-physical `gpa`, and in *len, if it is not NULL, how many bytes follow in
 * one piece from there; NULL where there is no memory, or the window.
 */
void *vm_host(const struct vm *vm, uint64_t gpa, uint64_t *len);

#endif
