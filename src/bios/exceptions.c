/* Vectors that the guest has left to the BIOS: exceptions, which end here, and interrupts of unused devices. */
#include <stdio.h>

#include "bios/bios.h"
#include "bios/rom.h"
#include "machine.h"
#include "memory.h"

/* On a PC the guest would hang, or do the instruction again for ever. */
static enum bios_result stop(struct bios_call *call, const char *what, enum gdbstub_signal signal)
{
	machine_say(call->machine, "%s at %04x:%04x, and the guest has no handler for it", what, call->cs, call->ip);
	bios_pop_frame(call, false);
	*call->stop = (struct gdbstub_stop){.reason = GDBSTUB_STOPPED, .signal = signal, .thread = 1};
	return BIOS_STOP;
}

static enum bios_result divide_error(struct bios_call *call)
{
	if (bios_called_by_int(call))
		return BIOS_UNKNOWN;
	return stop(call, "division error", GDBSTUB_SIGNAL_FPE);
}

static enum bios_result invalid_opcode(struct bios_call *call)
{
	if (bios_called_by_int(call))
		return BIOS_UNKNOWN;
	return stop(call, "invalid opcode", GDBSTUB_SIGNAL_ILL);
}

/* Vectors 8 to 15 are exceptions as well as IRQ 0 to 7. */
static enum bios_result irq(struct bios_call *call)
{
	struct pic *pic = &call->machine->pic;
	unsigned int line = call->trap < 0x70 ? call->trap - 0x08 : call->trap - 0x70 + 8;

	if (pic_in_service(pic, line)) {
		pic_end(pic, line);
		return BIOS_DONE;
	}
	if (bios_called_by_int(call))
		return BIOS_UNKNOWN;
	if (call->trap == 0x0d)
		return stop(call, "general protection fault", GDBSTUB_SIGNAL_SEGV);
	if (call->trap == 0x0c)
		return stop(call, "stack fault", GDBSTUB_SIGNAL_SEGV);
	return BIOS_DONE;
}

bool bios_ends_exception(const struct machine *machine)
{
	static const uint8_t traps[] = {0x00, 0x06, 0x0c, 0x0d};
	const struct kvm_segment *cs = &machine->vcpu.sregs->cs;

	for (size_t i = 0; i < sizeof(traps) && machine->is_pc && cs->base == ROM_BASE; i++) {
		if (machine->vcpu.regs->rip == rom_stub(traps[i]))
			return true;
	}
	return false;
}

const struct bios_service divide_services[] = {{BIOS_ANY, "division error", divide_error}, {0}};
const struct bios_service opcode_services[] = {{BIOS_ANY, "invalid opcode", invalid_opcode}, {0}};
const struct bios_service irq_services[] = {{BIOS_ANY, "unused interrupt", irq}, {0}};
