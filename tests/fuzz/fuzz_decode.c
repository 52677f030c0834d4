/*
 * The instruction decoder: any bytes, in any mode, with any registers, and the end of memory behind any of them.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "decode.h"
#include "input.h"
#include "segment.h"
#include "state.h"

#define MEMORY 0x10000u
#define LENGTH_MAX 15u /* SDM volume 2, 2.3.11 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	return 0;
}

static void set_mode(struct kvm_sregs *sregs, uint8_t how)
{
	for (enum segment segment = SEGMENT_CS; segment <= SEGMENT_GS; segment++)
		segment_set_real(segment_of(sregs, segment), segment, 0);
	if (how & 1)
		sregs->cr0 |= CR0_PE;
	sregs->cs.db = how >> 1 & 1;
	sregs->ss.db = how >> 2 & 1;
	if (how & 8) {
		sregs->cr0 |= CR0_PE;
		sregs->efer |= EFER_LME | EFER_LMA;
		sregs->cs.l = !sregs->cs.db;
	}
	/* Otherwise linear addresses are physical ones. */
	if (how & 16)
		sregs->cr0 |= CR0_PG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kvm_run run;
	static uint8_t *memory;
	struct input input = {data, size};
	struct vm vm = {.size = MEMORY, .low_size = MEMORY};
	struct vcpu vcpu = {.vm = &vm, .fd = -1, .run = &run, .regs = &vcpu.own_regs, .sregs = &vcpu.own_sregs};
	struct instruction instruction, again;
	uint8_t how = take_byte(&input), bytes[2 * LENGTH_MAX] = {0};
	struct kvm_regs *regs = vcpu.regs;
	__u64 *const general[] = {&regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp, &regs->rbp,
				     &regs->rsi, &regs->rdi, &regs->r8, &regs->r15};
	size_t len, at;
	const uint8_t *code = take_bytes(&input, LENGTH_MAX, &len);

	if (!memory) {
		memory = mmap(NULL, 3ul * MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED || mprotect(memory + MEMORY, MEMORY, PROT_READ | PROT_WRITE))
			abort();
		memory += MEMORY;
	}
	vm.memory = memory;
	memcpy(bytes, code, len);
	set_mode(&vcpu.own_sregs, how);
	for (size_t i = 0; i < sizeof(general) / sizeof(*general); i++)
		*general[i] = take(&input, how & 32 ? 8 : 2);
	regs->rflags = take(&input, 4) | 2;
	/* All of them, or only those of the input, before the end of memory. */
	at = MEMORY - (how & 64 ? len : sizeof(bytes));
	memcpy(memory + at, bytes, MEMORY - at);
	regs->rip = at;
	decode_next(&vcpu, &instruction);
	if (instruction.length > LENGTH_MAX || instruction.accesses < 0 || instruction.accesses > DATA_ACCESSES_MAX ||
	    (instruction.class == CLASS_UNKNOWN) != (instruction.length == 0) ||
	    (how & 64 && instruction.length > len))
		abort();
	for (int i = 0; i < instruction.accesses; i++) {
		if (!instruction.access[i].len)
			abort();
		decode_access(&instruction, i, vcpu.regs, vcpu.regs);
	}
	/* What is behind it does not matter. */
	memset(bytes + instruction.length, 0xcc, sizeof(bytes) - instruction.length);
	if (!instruction.length || how & 64 || vcpu.sregs->cr0 & CR0_PG)
		return 0;
	memcpy(memory + at, bytes, sizeof(bytes));
	decode_next(&vcpu, &again);
	if (again.length != instruction.length || again.class != instruction.class)
		abort();
	return 0;
}
