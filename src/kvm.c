#define _GNU_SOURCE
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trap.h"

#define DEVICE "/dev/kvm"
#define ACCESS_OF_GROUP 060u /* what opens it for its group */

/* Where VMX without unrestricted guest keeps a TSS (3 pages) and page tables (1) of its own: below any ROM. */
#define TSS_ADDRESS 0xfeffd000ul
#define IDENTITY_MAP_ADDRESS 0xfeffc000ull

#define SLOT_ROM 2 /* behind those of low and high memory */
/* With a window in low memory: */
#define SLOT_BELOW 0
#define SLOT_WINDOW 3
#define SLOT_ABOVE 4

static int device = -1;

/* Whether somebody may open it by being in its group. */
static bool is_for_group(void)
{
	struct stat status;

	return stat(DEVICE, &status) || (status.st_gid && (status.st_mode & ACCESS_OF_GROUP) == ACCESS_OF_GROUP);
}

int vm_open_device(char *why, size_t size)
{
	int error, version, fd;

	if (device >= 0)
		return 0;
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		const char *advice = "load the module kvm_intel or kvm_amd; inside a virtual machine, "
				     "turn on nested virtualisation";

		error = errno;
		if ((error == EACCES || error == EPERM) && !is_for_group())
			advice = "only root may: ask for access to it, or run as root";
		else if (error == EACCES || error == EPERM)
			advice = "join the group kvm (usermod -aG kvm USER, then log in again), or run "
				 "as root";
		else if (error == ENODEV || error == ENXIO)
			advice = "turn on VT-x or AMD-V in the firmware set-up; inside a virtual "
				 "machine, turn on nested virtualisation";
		snprintf(why, size, "cannot open " DEVICE ": %s: %s", strerror(error), advice);
		return -error;
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		close(fd);
	if (version < 0) {
		snprintf(why, size, DEVICE " is not the KVM device: load the module kvm_intel or kvm_amd");
		return -ENOTSUP;
	}
	if (version != KVM_API_VERSION) {
		snprintf(why, size, DEVICE " has KVM API version %d, not %d: use a kernel from 2.6.22 on",
			 version, KVM_API_VERSION);
		return -ENOTSUP;
	}
	device = fd;
	return 0;
}

static int capability(const struct vm *vm, long which)
{
	int value = ioctl(vm->device, KVM_CHECK_EXTENSION, which);

	return value > 0 ? value : 0;
}

static int check_capabilities(struct vm *vm, char *why, size_t size)
{
	static const struct {
		long capability;
		const char *what;
	} needed[] = {
		{KVM_CAP_USER_MEMORY, "guest memory from user space"},
		{KVM_CAP_SET_GUEST_DEBUG, "guest debugging"},
		{KVM_CAP_IMMEDIATE_EXIT, "immediate exits (Linux 4.12)"},
	};
	int sync = capability(vm, KVM_CAP_SYNC_REGS), run_size, coalesced;

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (capability(vm, needed[i].capability))
			continue;
		snprintf(why, size, "this host's KVM lacks %s: use a newer kernel", needed[i].what);
		return -ENOTSUP;
	}
	run_size = ioctl(vm->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_size < (int)sizeof(struct kvm_run)) {
		snprintf(why, size, "this host's KVM gives no run page: %s", strerror(errno));
		return -ENOTSUP;
	}
	vm->run_size = (size_t)run_size;
	coalesced = capability(vm, KVM_CAP_COALESCED_MMIO);
	if (((size_t)coalesced + 1) * VM_PAGE <= vm->run_size)
		vm->coalesced_page = (unsigned int)coalesced;
	vm->sync_regs = (sync & KVM_SYNC_X86_REGS) && (sync & KVM_SYNC_X86_SREGS);
	vm->sync_events = vm->sync_regs && (sync & KVM_SYNC_X86_EVENTS);
	vm->debug = (uint32_t)capability(vm, KVM_CAP_SET_GUEST_DEBUG2);
	if (!vm->debug) /* older than the capability: what has always been there */
		vm->debug = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP |
			    KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP;
	return 0;
}

static int add_slot(struct vm *vm, uint32_t slot, uint64_t gpa, uint64_t offset, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)vm->memory + offset,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static int add_memory(struct vm *vm, uint64_t size, char *why, size_t why_size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int error;

	if (memory == MAP_FAILED) {
		error = errno;
		snprintf(why, why_size, "cannot map %llu bytes of guest memory: %s: try a smaller --memory",
			 (unsigned long long)size, strerror(error));
		return -error;
	}
	vm->memory = memory;
	vm->size = size;
	vm->low_size = size < VM_LOW_MAX ? size : VM_LOW_MAX;
	if (add_slot(vm, 0, 0, 0, vm->low_size) ||
	    (size > vm->low_size &&
	     add_slot(vm, 1, VM_HIGH_START, vm->low_size, size - vm->low_size))) {
		error = errno;
		snprintf(why, why_size, "KVM does not take %llu bytes of guest memory: %s",
			 (unsigned long long)size, strerror(error));
		return -error;
	}
	return 0;
}

int vm_create(struct vm *vm, uint64_t size, char *why, size_t why_size)
{
	uint64_t identity_map = IDENTITY_MAP_ADDRESS;
	struct kvm_enable_cap exit_on_failure = {.cap = KVM_CAP_EXIT_ON_EMULATION_FAILURE,
						 .args = {1}};
	int result;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	result = vm_open_device(why, why_size);
	vm->device = device;
	if (!result)
		result = check_capabilities(vm, why, why_size);
	if (result)
		goto failed;
	/* The clock's signal may come while the guest begins anew. */
	do {
		vm->fd = ioctl(vm->device, KVM_CREATE_VM, 0);
	} while (vm->fd < 0 && errno == EINTR);
	if (vm->fd < 0) {
		result = -errno;
		snprintf(why, why_size,
			 "KVM cannot create a virtual machine: %s: is another hypervisor using the "
			 "processor?",
			 strerror(-result));
		goto failed;
	}
	/* Both are for old Intel processors and do nothing elsewhere, so a refusal is no matter. */
	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS);
	/* An instruction that KVM cannot emulate is to be reported at every privilege level. */
	ioctl(vm->fd, KVM_ENABLE_CAP, &exit_on_failure);
	result = add_memory(vm, size, why, why_size);
	if (!result)
		return 0;
failed:
	vm_destroy(vm);
	return result;
}

void vm_destroy(struct vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->memory)
		munmap(vm->memory, vm->size);
	if (vm->rom)
		munmap(vm->rom, vm->rom_size);
	vm->rom = NULL;
	traps_forget(vm);
	vm->fd = -1;
	vm->memory = NULL;
}

int vm_add_rom(struct vm *vm, const void *data, uint64_t size, char *why, size_t why_size)
{
	struct kvm_userspace_memory_region region = {
		.slot = SLOT_ROM,
		.flags = capability(vm, KVM_CAP_READONLY_MEM) ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = VM_HIGH_START - size,
		.memory_size = size,
	};
	void *rom = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	if (rom == MAP_FAILED) {
		error = errno;
		snprintf(why, why_size, "cannot map %llu bytes of ROM: %s", (unsigned long long)size, strerror(error));
		return -error;
	}
	memcpy(rom, data, size);
	vm->rom = rom;
	vm->rom_size = size;
	region.userspace_addr = (uint64_t)(uintptr_t)rom;
	if (!ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return 0;
	error = errno;
	snprintf(why, why_size, "KVM does not take a ROM of %llu bytes: %s", (unsigned long long)size,
		 strerror(error));
	return -error;
}

bool vm_is_rom(const struct vm *vm, uint64_t gpa)
{
	return vm->rom && gpa < VM_HIGH_START && gpa >= VM_HIGH_START - vm->rom_size;
}

uint64_t vm_next(const struct vm *vm, uint64_t gpa)
{
	if (vm->rom && gpa < VM_HIGH_START - vm->rom_size)
		return VM_HIGH_START - vm->rom_size;
	return gpa < VM_HIGH_START && vm->size > vm->low_size ? VM_HIGH_START : UINT64_MAX;
}

int vm_open_window(struct vm *vm, const struct window *window)
{
	struct kvm_coalesced_mmio_zone zone = {.addr = window->start, .size = (uint32_t)window->size};
	uint64_t end = window->start + window->size;
	int result;

	/* A slot's size cannot be changed: it is made anew. The first time it becomes three, which then stay. */
	if (!vm->split)
		result = add_slot(vm, SLOT_BELOW, 0, 0, 0) ||
			 add_slot(vm, SLOT_BELOW, 0, 0, window->start) ||
			 (end < vm->low_size && add_slot(vm, SLOT_ABOVE, end, end, vm->low_size - end));
	else
		result = add_slot(vm, SLOT_WINDOW, window->start, window->start, 0);
	if (result)
		return -errno;
	vm->split = true;
	/* Without it writes are slower, and that is all. */
	if (vm->coalesced_page)
		ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone);
	traps_remove_range(vm, window->start, window->size);
	vm->window = *window;
	return 0;
}

int vm_close_window(struct vm *vm)
{
	struct kvm_coalesced_mmio_zone zone = {.addr = vm->window.start, .size = (uint32_t)vm->window.size};

	if (vm->coalesced_page)
		ioctl(vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	if (add_slot(vm, SLOT_WINDOW, vm->window.start, vm->window.start, vm->window.size))
		return -errno;
	vm->window = (struct window){0};
	return 0;
}

bool vm_in_window(const struct vm *vm, uint64_t gpa, uint64_t *left)
{
	if (gpa < vm->window.start || gpa - vm->window.start >= vm->window.size)
		return false;
	*left = vm->window.start + vm->window.size - gpa;
	return true;
}

void vm_access_window(const struct vm *vm, uint64_t gpa, void *data, size_t len, enum window_access how)
{
	vm->window.access(vm->window.opaque, gpa - vm->window.start, data, len, how);
}

void *vm_host(const struct vm *vm, uint64_t gpa, uint64_t *len)
{
	uint64_t offset, left, end = vm->low_size;

	if (vm_is_rom(vm, gpa)) {
		if (len)
			*len = VM_HIGH_START - gpa;
		return vm->rom + (gpa - (VM_HIGH_START - vm->rom_size));
	}
	if (gpa < vm->low_size) {
		if (vm_in_window(vm, gpa, &left))
			return NULL;
		offset = gpa;
		if (gpa < vm->window.start)
			end = vm->window.start;
	} else {
		if (gpa < VM_HIGH_START || gpa - VM_HIGH_START >= vm->size - vm->low_size)
			return NULL;
		offset = gpa - VM_HIGH_START + vm->low_size;
		end = vm->size;
	}
	if (len)
		*len = end - offset;
	return vm->memory + offset;
}
