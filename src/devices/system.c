/* The board's own ports: the A20 gate, reset, power, POST codes, and those where a PC has nothing any more. */
#include "devices/system.h"

#include <string.h>

#include "devices/devices.h"
#include "machine.h"

/* Port 0x92. */
#define CONTROL_RESET 0x01
#define CONTROL_A20 0x02
/* Port 0xcf9: the processor is reset when this bit rises. */
#define RESET_NOW 0x04
/* ACPI's PM1 control register: SLP_EN, with the SLP_TYP that means "off" in QEMU and Bochs. */
#define POWER_OFF 0x2000

#define CODES_MAX 16

void system_reset(struct machine *machine)
{
	machine->system = (struct system){.a20 = true};
	dma_reset(machine);
}

void control_access(struct machine *machine, const struct port_access *access)
{
	if (!access->write) {
		*access->data = machine->system.a20 ? CONTROL_A20 : 0;
		return;
	}
	machine->system.a20 = *access->data & CONTROL_A20;
	if (*access->data & CONTROL_RESET)
		machine->request = MACHINE_RESET;
}

/* Each code is reported once: the port is written for the sake of the delay, too, by some without end. */
void code_access(struct machine *machine, const struct port_access *access)
{
	struct system *system = &machine->system;
	uint8_t code = *access->data, bit = (uint8_t)(1u << code % 8);

	if (!access->write) {
		memset(access->data, 0xff, access->size);
		*access->data = system->code;
		return;
	}
	if (access->size > 1) {
		devices_nobody(machine, access); /* no code, but a number that somebody wants to see */
		return;
	}
	system->code = code;
	system->has_code = true;
	if (system->codes_told[code / 8] & bit || system->codes_count > CODES_MAX)
		return;
	system->codes_told[code / 8] |= bit;
	if (system->codes_count++ < CODES_MAX)
		devices_report(machine, access);
	else
		machine_say(machine, "port 0x0080: more codes are not shown (monitor trace io on)");
}

/* Port 0xcf9 is one of the four of PCI's address register, which are not there for accesses of one byte. */
void pci_access(struct machine *machine, const struct port_access *access)
{
	struct system *system = &machine->system;
	bool is_reset = access->port == PORT_PCI + 1 && access->size == 1;

	if (!access->write) {
		memset(access->data, 0xff, access->size);
		if (is_reset)
			*access->data = system->reset_control;
	} else if (is_reset) {
		if (*access->data & RESET_NOW && !(system->reset_control & RESET_NOW))
			machine->request = MACHINE_RESET;
		system->reset_control = *access->data & (uint8_t)~RESET_NOW;
	}
}

/* Where emulators have their power switch, and kernels that are run in them expect it. */
void power_access(struct machine *machine, const struct port_access *access)
{
	uint16_t value;

	if (access->write && access->size == sizeof(value)) {
		memcpy(&value, access->data, sizeof(value));
		if (value == POWER_OFF) {
			machine->request = MACHINE_OFF;
			return;
		}
	}
	devices_nobody(machine, access);
}

/* Bochs's: it wants to be told in a word. */
void shutdown_access(struct machine *machine, const struct port_access *access)
{
	static const char word[] = "Shutdown";
	uint8_t *at = &machine->system.shutdown;

	if (!access->write) {
		devices_nobody(machine, access);
		return;
	}
	*at = *access->data == (uint8_t)word[*at] ? (uint8_t)(*at + 1) : *access->data == (uint8_t)word[0];
	if (!*at)
		devices_nobody(machine, access);
	if (word[*at])
		return;
	*at = 0;
	machine->request = MACHINE_OFF;
}

/* What is written there can be read: no firmware listens. */
void power_management_access(struct machine *machine, const struct port_access *access)
{
	uint8_t *at = &machine->system.power_management[access->port & 1];

	if (access->write)
		*at = *access->data;
	else
		*access->data = *at;
}

void absent_access(struct machine *machine, const struct port_access *access)
{
	(void)machine;
	if (!access->write)
		memset(access->data, 0xff, access->size);
}
