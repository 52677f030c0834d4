#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bios/bios.h"
#include "desc.h"
#include "devices/devices.h"
#include "disks/drives.h"
#include "load/load.h"
#include "message.h"
#include "options.h"
#include "state.h"

#define PC_MEMORY_MIN (1u << 20) /* the ROM is at its end */

static int power_on(struct machine *machine, char *why, size_t size)
{
	int result = vm_create(&machine->vm, machine->options->memory, why, size);

	if (result)
		return result;
	machine->is_pc = image_is_pc(machine->image, machine->options);
	drives_reset(machine->drives, machine->reset_due);
	devices_reset(machine);
	if (machine->is_pc && machine->vm.low_size < PC_MEMORY_MIN) {
		snprintf(why, size, "a PC has at least 1M of memory: give it more with --memory, or none of a PC's "
				    "devices with --machine=bare");
		result = -EINVAL;
	}
	if (!result)
		result = vcpu_create(&machine->vcpu, &machine->vm, 0, machine->is_pc, why, size);
	if (!result) {
		/* Of stdin each packet is signalled, also while the client is waited for. */
		if (machine->stub && strcmp(gdbstub_endpoint(machine->stub), "stdio"))
			vcpu_take_signal(&machine->vcpu, SIGIO, gdbstub_on_signal);
		if (machine->is_pc)
			equipment_tell_memory(machine);
		if (machine->is_pc && !machine->image->type->is_firmware)
			bios_power_on(machine);
		registers_choose(state_has, &machine->vcpu);
		result = load_image(machine, machine->image, why, size);
	}
	if (result)
		machine_destroy(machine);
	machine->life = MACHINE_ALIVE;
	machine->request = MACHINE_GO_ON;
	machine->reset_due = machine->begins_anew = machine->uses_pc = false;
	machine->idle = (struct idle){0};
	machine->inject = 0;
	machine->interrupt = -1;
	machine->pc_moved = machine->hit_here = machine->came_back = machine->halt_stepped = machine->carried_out = false;
	machine->guest_tf = machine->points.is_armed = machine->probe_failed = false;
	return result;
}

int machine_create(struct machine *machine, char *why, size_t size)
{
	machine->vcpu.fd = -1;
	return power_on(machine, why, size);
}

void machine_destroy(struct machine *machine)
{
	vcpu_destroy(&machine->vcpu);
	vm_destroy(&machine->vm);
}

int machine_restart(struct machine *machine, char *why, size_t size)
{
	/* A new one: there is no other way to be sure that nothing of the old one is left. */
	machine_destroy(machine);
	return power_on(machine, why, size);
}

void machine_say(struct machine *machine, const char *format, ...)
{
	char text[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(text) - 1)
		len = sizeof(text) - 2;
	if (machine->stub && gdbstub_connected(machine->stub)) {
		console_end_line(&machine->console);
		memcpy(text + len, "\n", 2);
		gdbstub_write(machine->stub, text, (size_t)len + 1);
	} else if (machine->console.fd >= 0) {
		memcpy(text + len, "\n", 2);
		console_line(&machine->console, text);
	} else {
		message("%s", text);
	}
}
