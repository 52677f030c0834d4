/*
 * What the BIOS does first of all behind a reset: code that cannot leave protected mode in another way (a 286 has none)
 * resets the CPU, and has said in the CMOS memory that it wants to go on (RBIL, CMOS.LST, 0Fh).
 */
#include "bios/bios.h"
#include "devices/pic.h"
#include "load/load.h"
#include "machine.h"
#include "segment.h"

#define SHUTDOWN_JUMP_EOI 0x05 /* the interrupt controllers get an EOI first */
#define SHUTDOWN_JUMP 0x0a
#define RESUME_AT 0x67 /* in the BIOS data area: IP, CS */
#define STACK_SEGMENT 0x30
#define STACK_TOP 0x100
#define TYPE_LDT 2
#define TYPE_TSS 11 /* busy, of 32 bits, as a reset leaves it */
#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u

/* The CPU as a reset leaves it, but for where it goes on. */
static bool reset_cpu(struct vcpu *vcpu, uint16_t cs, uint16_t ip)
{
	struct kvm_sregs sregs;
	int vector, exception; /* gone with the reset */

	if (vcpu_take_back(vcpu, &vector, &exception))
		return false;
	sregs = *vcpu->sregs;
	sregs.cr0 = CR0_ET;
	sregs.cr2 = sregs.cr3 = sregs.cr4 = sregs.cr8 = sregs.efer = 0;
	for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS; s++)
		segment_set_real(segment_of(&sregs, s), s, s == SEGMENT_CS ? cs : s == SEGMENT_SS ? STACK_SEGMENT : 0);
	sregs.ldt = (struct kvm_segment){.limit = 0xffff, .type = TYPE_LDT, .present = 1};
	sregs.tr = (struct kvm_segment){.limit = 0xffff, .type = TYPE_TSS, .present = 1};
	sregs.gdt = (struct kvm_dtable){.limit = 0xffff};
	sregs.idt = (struct kvm_dtable){.limit = 0x3ff};
	if (vcpu_set_sregs(vcpu, &sregs) || vcpu_end_shadow(vcpu) ||
	    vcpu_set_debug_registers(vcpu, &(struct kvm_debugregs){.dr6 = DR6_RESET, .dr7 = DR7_RESET}))
		return false;
	*vcpu->regs = (struct kvm_regs){.rip = ip, .rsp = STACK_TOP, .rflags = 2};
	vcpu->regs_dirty = true;
	return true;
}

bool bios_resume(struct machine *machine)
{
	uint8_t code = machine->rtc.data[RTC_SHUTDOWN];

	if (!machine->is_pc || machine->image->type->is_firmware ||
	    (code != SHUTDOWN_JUMP && code != SHUTDOWN_JUMP_EOI) ||
	    !reset_cpu(&machine->vcpu, bios_word(machine, RESUME_AT + 2), bios_word(machine, RESUME_AT)))
		return false;
	/* For once. */
	rtc_set_memory(machine, RTC_SHUTDOWN, 0);
	if (code == SHUTDOWN_JUMP_EOI)
		pic_end(&machine->pic, IRQ_RTC);
	machine->inject = 0;
	machine->interrupt = -1;
	machine->guest_tf = false;
	machine->came_back = true;
	return true;
}
