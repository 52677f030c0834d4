#define _GNU_SOURCE
#include "bios/bios.h"

#include <stdio.h>
#include <string.h>

#include "bios/rom.h"
#include "bios/video.h"
#include "devices/devices.h"
#include "e820.h"
#include "irq.h"
#include "load/load.h"
#include "machine.h"
#include "memory.h"
#include "segment.h"
#include "trace.h"

#define BDA 0x400u

/* Of the frame that an INT has pushed, from the stack pointer. */
#define FRAME_FLAGS 4
#define FRAME_SIZE 6
#define IRET 0xcf

/* By vector, or enum rom_trap. */
static const struct bios_service *const interrupts[ROM_TRAPS] = {
	[0x00] = divide_services,
	[0x06] = opcode_services,
	[0x08] = int08_services,
	[0x0a] = irq_services,
	[0x0b] = irq_services,
	[0x0c] = irq_services,
	[0x0d] = irq_services,
	[0x0e] = irq_services,
	[0x0f] = irq_services,
	[0x10] = int10_services,
	[0x11] = int11_services,
	[0x12] = int12_services,
	[0x13] = int13_services,
	[0x14] = int14_services,
	[0x15] = int15_services,
	[0x16] = int16_services,
	[0x17] = int17_services,
	[0x18] = int18_services,
	[0x19] = int19_services,
	[0x1a] = int1a_services,
	[0x20] = int20_services,
	[0x21] = int21_services,
	[0x40] = int13_services,
	[0x70] = int70_services,
	[0x71] = irq_services,
	[0x72] = irq_services,
	[0x73] = irq_services,
	[0x74] = irq_services,
	[0x75] = irq_services,
	[0x76] = irq_services,
	[0x77] = irq_services,
	[ROM_SCAN_CODE] = int09_services,
};

/* Those that a program may call although nobody has hooked them, and that do nothing then. */
static bool is_empty(unsigned int vector)
{
	return vector <= 0x05 || vector == 0x1b || vector == 0x1c || vector == 0x4a;
}

uint8_t *bios_byte(const struct machine *machine, unsigned int offset)
{
	return vm_host(&machine->vm, BDA + offset, NULL);
}

uint16_t bios_word(const struct machine *machine, unsigned int offset)
{
	uint16_t value;

	memcpy(&value, bios_byte(machine, offset), sizeof(value));
	return value;
}

void bios_set_word(struct machine *machine, unsigned int offset, uint16_t value)
{
	memcpy(bios_byte(machine, offset), &value, sizeof(value));
}

uint32_t bios_long(const struct machine *machine, unsigned int offset)
{
	uint32_t value;

	memcpy(&value, bios_byte(machine, offset), sizeof(value));
	return value;
}

void bios_set_long(struct machine *machine, unsigned int offset, uint32_t value)
{
	memcpy(bios_byte(machine, offset), &value, sizeof(value));
}

void bios_flag(struct bios_call *call, uint16_t flag, bool set)
{
	call->flags = set ? call->flags | flag : call->flags & (uint16_t)~flag;
}

enum bios_result bios_fail(struct bios_call *call, uint8_t ah)
{
	call->a.h = ah;
	bios_flag(call, FLAG_CARRY, true);
	return BIOS_DONE;
}

enum bios_result bios_succeed(struct bios_call *call)
{
	call->a.h = 0;
	bios_flag(call, FLAG_CARRY, false);
	return BIOS_DONE;
}

static void make_vectors(uint16_t ivt[256][2])
{
	for (unsigned int i = 0; i < 256; i++) {
		ivt[i][0] = rom_stub(i < 0x20 || interrupts[i] || is_empty(i) ? i : ROM_UNUSED);
		ivt[i][1] = ROM_SEGMENT;
	}
	/* These are addresses of tables. */
	ivt[0x1e][0] = ROM_DISKETTE_TABLE;
	ivt[0x1f][0] = ROM_FONT8_UPPER;
	ivt[0x41][0] = ROM_HARD_DISK_TABLES;
	ivt[0x43][0] = ROM_FONT16;
	ivt[0x46][0] = ROM_HARD_DISK_TABLES + ROM_HARD_DISK_TABLE_SIZE;
	/* Programs take those that are free for their own. */
	memset(ivt[0x60], 0, 8 * sizeof(*ivt));
}

/* Vectors `first` to `last`. */
static bool are_hooked(const struct machine *machine, unsigned int first, unsigned int last)
{
	uint16_t ivt[256][2];

	make_vectors(ivt);
	return machine->vcpu.sregs->idt.base ||
	       memcmp((const uint8_t *)vm_host(&machine->vm, 0, NULL) + first * sizeof(*ivt), ivt[first],
		      (last - first + 1) * sizeof(*ivt));
}

bool bios_is_hooked(const struct machine *machine)
{
	return are_hooked(machine, 0x00, 0xff);
}

bool bios_hears_clock(const struct machine *machine)
{
	return are_hooked(machine, 0x08, 0x08) || are_hooked(machine, 0x1c, 0x1c);
}

bool bios_hears_keyboard(const struct machine *machine)
{
	return are_hooked(machine, 0x09, 0x09);
}

void bios_power_on(struct machine *machine)
{
	/* While it is empty it is left alone: it takes no memory then. */
	if (machine->bios.has_told)
		memset(machine->told_of_service, 0, sizeof(machine->told_of_service));
	memset(&machine->bios, 0, sizeof(machine->bios));
	rom_write(&machine->vm);
	make_vectors(vm_host(&machine->vm, 0, NULL));
	bios_set_word(machine, 0x0e, EBDA_START >> 4);
	bios_set_word(machine, 0x13, EBDA_START >> 10);
	*(uint8_t *)vm_host(&machine->vm, EBDA_START, NULL) = EBDA_SIZE >> 10;
	equipment_power_on(machine);
	video_power_on(machine);
	keyboard_power_on(machine);
	pic_program(&machine->pic, (uint16_t)~(1u << IRQ_TIMER | 1u << IRQ_KEYBOARD | 1u << 2 | 1u << IRQ_RTC |
						     1u << IRQ_DISK));
	lapic_program(machine);
	pit_program(machine);
	clock_plan(machine);
}

void bios_access(struct machine *machine, const struct port_access *access)
{
	if (access->write)
		machine->bios.trapped = !machine->image->type->is_firmware;
	else
		memset(access->data, 0xff, access->size);
}

static void begin(struct machine *machine, unsigned int trap, struct bios_call *call)
{
	const struct vcpu *vcpu = &machine->vcpu;
	const struct kvm_regs *regs = vcpu->regs;
	uint16_t frame[3] = {0};

	*call = (struct bios_call){.machine = machine, .trap = trap,
				   .a.r = regs->rax, .b.r = regs->rbx, .c.r = regs->rcx, .d.r = regs->rdx,
				   .si.r = regs->rsi, .di.r = regs->rdi, .bp.r = regs->rbp,
				   .ds = vcpu->sregs->ds.selector, .es = vcpu->sregs->es.selector,
				   .ds_base = vcpu->sregs->ds.base, .es_base = vcpu->sregs->es.base,
				   .ss_base = vcpu->sregs->ss.base};
	memory_read(vcpu, vcpu_sp(vcpu), frame, sizeof(frame));
	call->ip = frame[0];
	call->cs = frame[1];
	call->flags = frame[2];
}

static void finish(struct bios_call *call, enum bios_result result, uint16_t es_before)
{
	struct vcpu *vcpu = &call->machine->vcpu;
	struct kvm_regs *regs = vcpu->regs;
	unsigned int stub = rom_stub(call->trap);

	if (result == BIOS_STAY || result == BIOS_STOP)
		return;
	regs->rax = call->a.r;
	regs->rbx = call->b.r;
	regs->rcx = call->c.r;
	regs->rdx = call->d.r;
	regs->rsi = call->si.r;
	regs->rdi = call->di.r;
	regs->rbp = call->bp.r;
	vcpu->regs_dirty = true;
	if (call->es != es_before) {
		struct kvm_sregs sregs = *vcpu->sregs;

		segment_set_real(&sregs.es, SEGMENT_ES, call->es);
		vcpu_set_sregs(vcpu, &sregs);
	}
	if (result == BIOS_WAIT)
		regs->rip = stub + ROM_STUB_WAIT;
	else if (call->trap != ROM_SCAN_CODE)
		memory_write(vcpu, vcpu_sp(vcpu) + FRAME_FLAGS, &call->flags, sizeof(call->flags));
}

void bios_pop_frame(struct bios_call *call, bool before_int)
{
	struct vcpu *vcpu = &call->machine->vcpu;
	struct kvm_sregs sregs = *vcpu->sregs;

	segment_set_real(&sregs.cs, SEGMENT_CS, call->cs);
	vcpu_set_sregs(vcpu, &sregs);
	vcpu->regs->rip = (uint16_t)(call->ip - (before_int ? 2 : 0));
	vcpu->regs->rsp = (vcpu->regs->rsp & ~0xffffull) | (uint16_t)(vcpu->regs->rsp + FRAME_SIZE);
	vcpu->regs->rflags = call->flags | 2;
	vcpu->regs_dirty = true;
}

/* The vector of the INT whose frame it is, or -1. */
static int int_vector(const struct bios_call *call)
{
	uint8_t code[2];

	if (memory_read(&call->machine->vcpu, ((uint32_t)call->cs << 4) + (uint16_t)(call->ip - 2), code,
			sizeof(code)) != sizeof(code) ||
	    code[0] != 0xcd)
		return -1;
	return code[1];
}

bool bios_called_by_int(const struct bios_call *call)
{
	return int_vector(call) == (int)call->trap;
}

static unsigned int called_vector(const struct bios_call *call)
{
	int vector = int_vector(call);

	return call->trap < 256 ? call->trap : vector < 0 ? 0 : (unsigned int)vector;
}

void bios_rewind(struct machine *machine)
{
	struct bios_call call;
	uint64_t pc = vcpu_pc(&machine->vcpu);
	unsigned int trap = (unsigned int)(pc - ROM_BASE - rom_stub(0)) / ROM_STUB_SIZE;

	if (!machine->bios.waits || pc < ROM_BASE + rom_stub(0) || trap >= 256)
		return;
	begin(machine, trap, &call);
	if (!bios_called_by_int(&call))
		return;
	bios_pop_frame(&call, true);
	machine->bios.waits = false;
	machine->bios.wait_until = 0;
	machine->bios.idle = false;
}

static const struct bios_service *find(unsigned int trap, int ah)
{
	const struct bios_service *service = interrupts[trap];

	while (service && service->name && service->ah != BIOS_ANY && service->ah != ah)
		service++;
	return service && service->name ? service : NULL;
}

const char *bios_service_name(unsigned int vector, int ah)
{
	const struct bios_service *service = find(vector, ah);

	/* The last row of a table of many stands for what has no name. */
	return service && (ah == BIOS_ANY) <= (service == interrupts[vector]) ? service->name : NULL;
}

void bios_describe(const struct bios_call *call, char *text, size_t size)
{
	const struct bios_service *service = find(call->trap, call->a.h);
	bool has_ah = service ? service->ah != BIOS_ANY || service != interrupts[call->trap]
			      : !is_empty(call->trap);
	char ah[16] = "";

	if (has_ah)
		snprintf(ah, sizeof(ah), " AH=%02x", call->a.h);
	snprintf(text, size, "INT %02xh%s%s%s%s", called_vector(call), ah, service ? " (" : "",
		 service ? service->name : "", service ? ")" : "");
}

/* Hooks that chain by a CALL, and interrupts, have no INT where they come from. */
uint16_t bios_caller(const struct bios_call *call)
{
	return (uint16_t)(call->ip - (int_vector(call) == (int)called_vector(call) ? 2 : 0));
}

/* Whether it is the interrupt of a device or the ROM's own doing, which no program has called. */
static bool is_own(const struct bios_call *call)
{
	return call->cs == ROM_SEGMENT || (call->trap >= 0x08 && call->trap <= 0x0f) || (call->trap >= 0x70 && call->trap <= 0x77) ||
	       call->trap == ROM_SCAN_CODE;
}

/* Puts the guest back before the stub's OUT, so that it calls again when it goes on; then it is not caught. */
static bool is_caught(struct bios_call *call)
{
	struct machine *machine = call->machine;
	struct bios *bios = &machine->bios;
	uint64_t sp = vcpu_sp(&machine->vcpu);
	char what[100];

	if (call->trap == ROM_SCAN_CODE || (bios->caught && bios->caught_sp == sp) ||
	    !catches_want(&machine->catches, called_vector(call), call->a.h))
		return false;
	bios->caught = true;
	bios->caught_sp = sp;
	machine->vcpu.regs->rip = rom_stub(call->trap);
	machine->vcpu.regs_dirty = true;
	bios_describe(call, what, sizeof(what));
	machine_say(machine, "%s, called at %04x:%04x", what, call->cs, bios_caller(call));
	*call->stop = (struct gdbstub_stop){
		.reason = GDBSTUB_STOPPED, .signal = GDBSTUB_SIGNAL_TRAP, .thread = 1};
	return true;
}

static void tell(struct bios_call *call, uint8_t ah)
{
	unsigned int vector = called_vector(call);
	uint8_t *told = &call->machine->told_of_service[vector * 32 + ah / 8];

	if (*told >> ah % 8 & 1)
		return;
	*told |= (uint8_t)(1u << ah % 8);
	call->machine->bios.has_told = true;
	machine_say(call->machine, "INT %02xh AH=%02x AL=%02x: this BIOS has no such service; called at %04x:%04x",
		    vector, ah, call->a.l, call->cs, (uint16_t)(call->ip - 2));
}

/*
 * A guest that calls the BIOS without end has interrupts on between two calls only, and a KVM that emulates guest code
 * may not see that in time: with one that waits the IRET is done here, behind which it comes at once. Nobody who steps,
 * or has a breakpoint there, is to miss it.
 */
static void return_early(struct bios_call *call)
{
	struct machine *machine = call->machine;
	struct vcpu *vcpu = &machine->vcpu;
	uint8_t code;

	/* In virtual-8086 mode the frame does not say all that an IRET does. */
	if (vcpu->sregs->cr0 & CR0_PE || (call->flags & (RFLAGS_IF | RFLAGS_TF)) != RFLAGS_IF)
		return;
	if (vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP || irq_vector(machine) < 0 ||
	    points_at(&machine->points, vcpu_pc(vcpu)) != GDBSTUB_STOPPED)
		return;
	if (memory_read(vcpu, vcpu_pc(vcpu), &code, 1) == 1 && code == IRET)
		bios_pop_frame(call, false);
}

enum outcome bios_serve(struct machine *machine, struct gdbstub_stop *stop)
{
	int trap = rom_trap_at(vcpu_pc(&machine->vcpu));
	const struct bios_service *service;
	enum bios_result result = BIOS_UNKNOWN;
	struct bios_call call, before;

	machine->bios.trapped = false;
	if (trap < 0 || !vcpu_is_real(&machine->vcpu))
		return GOES_ON;
	begin(machine, (unsigned int)trap, &call);
	call.stop = stop;
	if (machine->catches.count && is_caught(&call))
		return STOPPED;
	before = call;
	service = find(call.trap, call.a.h);
	clock_advance(machine, CLOCK_BIOS_SERVICE);
	/* The tick of the timer is not the guest's doing. */
	machine->uses_pc |= trap != 0x08 && trap != 0x1c;
	if (service)
		result = service->serve(&call);
	else if (is_empty((unsigned int)trap))
		result = BIOS_DONE;
	if (result == BIOS_UNKNOWN) {
		tell(&call, before.a.h);
		bios_flag(&call, FLAG_CARRY, true);
	}
	machine->bios.waits = result == BIOS_WAIT;
	machine->bios.caught &= result == BIOS_WAIT;
	if (machine->trace & TRACE_BIOS && result != BIOS_WAIT && !is_own(&call))
		trace_service(&before, &call, result == BIOS_DONE || result == BIOS_UNKNOWN);
	finish(&call, result, machine->vcpu.sregs->es.selector);
	if (result == BIOS_DONE || result == BIOS_UNKNOWN)
		return_early(&call);
	return result == BIOS_STOP ? STOPPED : GOES_ON;
}
