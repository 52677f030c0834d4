/* A PC's devices: who answers which port, and who does something as time goes by. */
#ifndef DEVICES_H
#define DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/clock.h"

struct machine;

struct port_access {
	uint16_t port;
	uint8_t size; /* 1, 2 or 4 bytes */
	bool write;
	uint8_t *data; /* `size` bytes, in the guest's order */
};

/* Every device has a handler of this kind. */
typedef void port_handler(struct machine *machine, const struct port_access *access);

#define PORT_DMA1 0x00
#define PORT_PIC1 0x20
#define PORT_PIT 0x40
#define PORT_KEYBOARD 0x60
#define PORT_SPEAKER 0x61
#define PORT_KEYBOARD_STATUS 0x64
#define PORT_RTC 0x70
#define PORT_CODE 0x80 /* of the self-test */
#define PORT_DMA_PAGE 0x81
#define PORT_CONTROL 0x92 /* A20 and reset */
#define PORT_PIC2 0xa0
#define PORT_POWER_MANAGEMENT 0xb2
#define PORT_DMA2 0xc0
#define PORT_BIOS 0xe8 /* where the BIOS's stubs call the program */
#define PORT_DEBUG_CONSOLE 0xe9 /* of Bochs, and of QEMU after it */
#define PORT_FLOPPY 0x3f0
#define PORT_DELAY_EB 0xeb /* written for the time that it takes */
#define PORT_DELAY_ED 0xed
#define PORT_FIRMWARE_CONSOLE 0x402 /* of firmware for QEMU */
#define PORT_ELCR 0x4d0
#define PORT_VGA 0x3c0
#define PORT_VGA_MONO 0x3b4 /* the CRT controller and the status register, with a monochrome screen */
#define PORT_VGA_COLOUR 0x3d4
#define PORT_PCI 0xcf8

port_handler pic_access, pit_access, speaker_access, uart_access, bios_access, vga_access;
port_handler ide_access, keyboard_access;
port_handler rtc_access, dma_access, dma_page_access;
port_handler control_access, code_access, pci_access, power_access, shutdown_access, power_management_access;
/* Where a PC may have a device and this one has none: ones are read, and the user is not bothered. */
port_handler absent_access;
/* A port that belongs to nobody: the same, and the user is told of the first few accesses. */
port_handler devices_nobody;
/* The line about an access. */
port_handler devices_report;

/* All devices, as after power-on. */
void devices_reset(struct machine *machine);
/* When a device has something to do next, in the guest's time, or CLOCK_NEVER. */
uint64_t devices_next(const struct machine *machine);
/* What they have to do by now. */
void devices_update(struct machine *machine);
/* Serves the I/O exit that the vCPU has just made, all of its elements. */
void devices_serve(struct machine *machine);

/*
 * The same for an access of `size` bytes to guest-physical memory that is not there, up to the end of a page. False if
 * no device is.
 */
bool devices_serve_memory(struct machine *machine, uint64_t gpa, void *data, uint32_t size, bool write);

/* A byte, for the BIOS. */
uint8_t devices_read(struct machine *machine, uint16_t port);
void devices_write(struct machine *machine, uint16_t port, uint8_t value);

/* Whether somebody may press a key that a guest in a HLT would hear of. */
bool keyboard_may_come(const struct machine *machine);

/* For devices.c. */
void ide_reset(struct machine *machine);
uint64_t ide_next(const struct machine *machine);
void ide_update(struct machine *machine);
uint64_t lapic_next(const struct machine *machine);
void lapic_update(struct machine *machine);
void pit_reset(struct machine *machine);
uint64_t pit_next(const struct machine *machine);
void pit_update(struct machine *machine);
/* As a PC's BIOS leaves it: 18.2 interrupts a second. */
void pit_program(struct machine *machine);
void rtc_reset(struct machine *machine);
uint64_t rtc_next(const struct machine *machine);
void rtc_update(struct machine *machine);
void dma_reset(struct machine *machine);
void system_reset(struct machine *machine);

#endif
