/* ROM images: firmware of its own, at the end of the first 4 GiB, where the CPU begins. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load/load.h"
#include "machine.h"
#include "options.h"
#include "segment.h"

#define ROM_MAX (16u << 20)
#define SHADOW_END 0x100000u
#define SHADOW_MAX 0x40000u /* a chip set shows 128K of it, and firmware that finds none cannot ask for more */

/* As after a reset (SDM volume 3, 10.1.4): the segment's base is not what its selector says. */
#define RESET_SELECTOR 0xf000
#define RESET_BASE 0xffff0000u
#define RESET_IP 0xfff0
#define RESET_EDX 0x600 /* the processor's model */

static int enter(struct machine *machine, char *why, size_t size)
{
	struct kvm_sregs sregs;
	int result = load_real_mode(machine, RESET_SELECTOR, RESET_IP, 0, why, size);

	if (result)
		return result;
	sregs = *machine->vcpu.sregs;
	sregs.cs.base = RESET_BASE;
	result = vcpu_set_sregs(&machine->vcpu, &sregs);
	if (result)
		snprintf(why, size, "KVM refuses the segment registers: %s", strerror(-result));
	machine->vcpu.regs->rdx = RESET_EDX;
	return result;
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	size_t shadow = image->size < SHADOW_MAX ? image->size : SHADOW_MAX;
	int result;

	if (options_reject_raw(machine->options, false, why, size))
		return -EINVAL;
	if (image->size > ROM_MAX || image->truncated || image->size % VM_PAGE) {
		snprintf(why, size, "%s is no ROM image: its size is no multiple of 4K up to 16M", image->path);
		return -ENOEXEC;
	}
	result = vm_add_rom(&machine->vm, image->data, image->size, why, size);
	/* The end of it is seen below 1 MiB, too; as a chip set has it that lets that be written. */
	if (!result)
		result = load_copy(machine, SHADOW_END - shadow, image->data + image->size - shadow, shadow, why, size);
	return result ? result : enter(machine, why, size);
}

const struct image_type image_rom = {
	.name = "rom",
	.help = "a ROM that ends at 4 GiB and has the reset vector; then there is no other BIOS",
	.load = load,
	.is_firmware = true,
};
