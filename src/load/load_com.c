/* COM programs: 64 KiB with a program segment prefix, as DOS has it, before the code at 0x100. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "e820.h"
#include "load/load.h"
#include "machine.h"
#include "options.h"
#include "segment.h"

#define SEGMENT 0x1000
#define CODE 0x100
#define STACK 0xfffe
#define SIZE_MAX_COM (STACK - CODE)

/* The program segment prefix (RBIL, INT 21h AH=26h). */
#define PSP_EXIT 0x00
#define PSP_MEMORY_END 0x02
#define PSP_CALL 0x50
#define PSP_ARGUMENTS 0x80
#define ARGUMENTS_MAX 126

/* What DOS leaves in the registers, which small programs count on. */
#define FIRST_BP 0x91c
#define FIRST_CX 0xff

static int matches(const struct options *options, const struct image *image)
{
	const char *suffix = strrchr(image->path, '.');

	return !options->load_given && !options->entry && !options->mode_given && suffix &&
	       !strcasecmp(suffix, ".com") && image->size <= SIZE_MAX_COM;
}

static int make_psp(struct machine *machine, uint8_t *psp, char *why, size_t size)
{
	static const uint8_t exit_code[] = {0xcd, 0x20};	/* int 0x20 */
	static const uint8_t call_code[] = {0xcd, 0x21, 0xcb}; /* int 0x21; retf */
	const uint16_t end = EBDA_START >> 4;
	const char *text = load_append(machine);
	size_t len = strlen(text);
	bool blank = len && !isspace((unsigned char)*text);

	if (len + blank > ARGUMENTS_MAX) {
		snprintf(why, size, "a COM program takes arguments of at most %d characters", ARGUMENTS_MAX - 1);
		return -EINVAL;
	}
	memset(psp, 0, CODE);
	memcpy(psp + PSP_EXIT, exit_code, sizeof(exit_code));
	memcpy(psp + PSP_MEMORY_END, &end, sizeof(end));
	memcpy(psp + PSP_CALL, call_code, sizeof(call_code));
	psp[PSP_ARGUMENTS] = (uint8_t)(len + blank);
	psp[PSP_ARGUMENTS + 1] = ' ';
	memcpy(psp + PSP_ARGUMENTS + 1 + blank, text, len);
	psp[PSP_ARGUMENTS + 1 + blank + len] = '\r';
	return 0;
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct kvm_sregs sregs;
	int result;

	if (options_reject_raw(machine->options, false, why, size))
		return -EINVAL;
	if (image->size > SIZE_MAX_COM) {
		snprintf(why, size, "%s is no COM program: it has more than %u bytes", image->path, SIZE_MAX_COM);
		return -EFBIG;
	}
	if (machine->vm.low_size < EBDA_START) {
		snprintf(why, size, "a COM program needs 640K of memory: give it more with --memory");
		return -ENOSPC;
	}
	result = make_psp(machine, vm_host(&machine->vm, SEGMENT << 4, NULL), why, size);
	if (!result)
		result = load_copy(machine, (SEGMENT << 4) + CODE, image->data, image->size, why, size);
	if (!result)
		result = load_real_mode(machine, SEGMENT, CODE, 0, why, size);
	if (result)
		return result;
	sregs = *machine->vcpu.sregs;
	for (enum segment s = SEGMENT_SS; s <= SEGMENT_ES; s++)
		segment_set_real(segment_of(&sregs, s), s, SEGMENT);
	result = vcpu_set_sregs(&machine->vcpu, &sregs);
	if (result) {
		snprintf(why, size, "KVM refuses the segment registers: %s", strerror(-result));
		return result;
	}
	/* The stack has the 0 that a RET takes to the INT 20h at the beginning. */
	machine->vcpu.regs->rcx = FIRST_CX;
	machine->vcpu.regs->rdx = SEGMENT;
	machine->vcpu.regs->rsi = CODE;
	machine->vcpu.regs->rdi = machine->vcpu.regs->rsp = STACK;
	machine->vcpu.regs->rbp = FIRST_BP;
	if (machine->is_pc)
		machine->vcpu.regs->rflags |= RFLAGS_IF;
	return 0;
}

const struct image_type image_com = {
	.name = "com",
	.help = "a COM program, with INT 20h and a little of INT 21h",
	.matches = matches,
	.load = load,
	.takes = TAKES_APPEND,
};
