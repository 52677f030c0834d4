/*
 * INT 11h and 12h, which devices there are and how much memory; INT 14h and 17h, the serial port and the
 * printers; and what the BIOS data area and the CMOS memory say of all that.
 */
#include "bios/bios.h"
#include "devices/devices.h"
#include "e820.h"
#include "machine.h"

/* The BIOS data area. */
#define SERIAL_PORTS 0x00 /* of four words */
#define EQUIPMENT 0x10
#define BASE_MEMORY 0x13 /* KiB */
#define TICKS 0x6c
#define PRINTER_TIMEOUTS 0x78
#define SERIAL_TIMEOUTS 0x7c

/* The equipment word (RBIL, INT 11h). */
#define EQUIPMENT_FPU 0x0002
#define EQUIPMENT_VIDEO_COLOUR_80 0x0020
#define EQUIPMENT_SERIAL_ONE 0x0200

#define LINE_STATUS 5 /* from the port's first register */
#define LINE_RECEIVED 0x01
#define LINE_MAY_SEND 0x20
#define MODEM_STATUS 6
#define SERIAL_TIMEOUT 0x80 /* in AH, with the line's status */
#define PRINTER_TIMEOUT 0x01

#define TICKS_PER_DAY 0x1800b0ull
#define DAY_SECONDS 86400u

uint32_t extended_memory(const struct machine *machine)
{
	return (uint32_t)((machine->vm.low_size - HIGH_MEMORY_START) >> 10);
}

static uint16_t at_most(uint64_t value, uint16_t most)
{
	return value < most ? (uint16_t)value : most;
}

static void set_word(struct machine *machine, unsigned int index, uint16_t value)
{
	rtc_set_memory(machine, index, (uint8_t)value);
	rtc_set_memory(machine, index + 1, (uint8_t)(value >> 8));
}

void equipment_tell_memory(struct machine *machine)
{
	uint32_t extended = extended_memory(machine);
	uint64_t high = (machine->vm.size - machine->vm.low_size) >> 16;

	set_word(machine, RTC_BASE_MEMORY, LOW_MEMORY_END >> 10);
	set_word(machine, RTC_EXTENDED_MEMORY, at_most(extended, 0xffff));
	set_word(machine, RTC_EXTENDED_FOUND, at_most(extended, 0xffff));
	set_word(machine, RTC_MEMORY_16M, extended > 15 << 10 ? at_most((extended - (15 << 10)) >> 6, 0xffff) : 0);
	for (unsigned int i = 0; i < 3; i++)
		rtc_set_memory(machine, RTC_MEMORY_4G + i, (uint8_t)(high >> 8 * i));
}

void equipment_power_on(struct machine *machine)
{
	struct rtc_time time;

	bios_set_word(machine, SERIAL_PORTS, UART_COM1);
	bios_set_word(machine, EQUIPMENT, EQUIPMENT_FPU | EQUIPMENT_VIDEO_COLOUR_80 | EQUIPMENT_SERIAL_ONE);
	bios_tell_drives(machine);
	for (unsigned int i = 0; i < 4; i++) {
		*bios_byte(machine, PRINTER_TIMEOUTS + i) = 20;
		*bios_byte(machine, SERIAL_TIMEOUTS + i) = 1;
	}
	rtc_time(machine, &time);
	bios_set_long(machine, TICKS, (uint32_t)((time.hour * 3600 + time.minute * 60 + time.second) *
						 TICKS_PER_DAY / DAY_SECONDS));
	rtc_set_memory(machine, RTC_EQUIPMENT, (uint8_t)bios_word(machine, EQUIPMENT));
}

static enum bios_result get_equipment(struct bios_call *call)
{
	call->a.x = bios_word(call->machine, EQUIPMENT);
	return BIOS_DONE;
}

static enum bios_result get_memory(struct bios_call *call)
{
	call->a.x = bios_word(call->machine, BASE_MEMORY);
	return BIOS_DONE;
}

static uint8_t line_status(const struct bios_call *call)
{
	return devices_read(call->machine, UART_COM1 + LINE_STATUS);
}

static enum bios_result serial_status(struct bios_call *call)
{
	call->a.h = line_status(call);
	call->a.l = devices_read(call->machine, UART_COM1 + MODEM_STATUS);
	return BIOS_DONE;
}

/* Bits 7 to 5 are the rate, from 110 to 9600; the others are the line control register's. */
static enum bios_result serial_set_up(struct bios_call *call)
{
	static const uint16_t divisors[] = {1047, 768, 384, 192, 96, 48, 24, 12};
	uint16_t divisor = divisors[call->a.l >> 5];

	devices_write(call->machine, UART_COM1 + 3, 0x80);
	devices_write(call->machine, UART_COM1, (uint8_t)divisor);
	devices_write(call->machine, UART_COM1 + 1, (uint8_t)(divisor >> 8));
	devices_write(call->machine, UART_COM1 + 3, call->a.l & 0x1f);
	devices_write(call->machine, UART_COM1 + 1, 0);
	return serial_status(call);
}

static enum bios_result serial_send(struct bios_call *call)
{
	uint8_t status = line_status(call);

	if (status & LINE_MAY_SEND)
		devices_write(call->machine, UART_COM1, call->a.l);
	else
		status |= SERIAL_TIMEOUT;
	call->a.h = status;
	return BIOS_DONE;
}

/* Without waiting: most callers do so themselves. */
static enum bios_result serial_receive(struct bios_call *call)
{
	uint8_t status = line_status(call);

	clock_advance(call->machine, CLOCK_BIOS_POLL);
	if (status & LINE_RECEIVED)
		call->a.l = devices_read(call->machine, UART_COM1);
	else
		status |= SERIAL_TIMEOUT;
	call->a.h = status;
	return BIOS_DONE;
}

static enum bios_result serial(struct bios_call *call)
{
	static enum bios_result (*const services[])(struct bios_call *) = {serial_set_up, serial_send,
									   serial_receive, serial_status};

	if (call->a.h >= sizeof(services) / sizeof(*services))
		return BIOS_UNKNOWN;
	if (call->d.x) {
		call->a.h = SERIAL_TIMEOUT; /* there is COM1 alone */
		return BIOS_DONE;
	}
	return services[call->a.h](call);
}

static enum bios_result no_printer(struct bios_call *call)
{
	call->a.h = PRINTER_TIMEOUT;
	return BIOS_DONE;
}

const struct bios_service int11_services[] = {{BIOS_ANY, "equipment", get_equipment}, {0}};
const struct bios_service int12_services[] = {{BIOS_ANY, "size of conventional memory", get_memory}, {0}};
const struct bios_service int14_services[] = {
	{0x00, "set up serial port", serial},
	{0x01, "send to serial port", serial},
	{0x02, "receive from serial port", serial},
	{0x03, "status of serial port", serial},
	{0},
};
const struct bios_service int17_services[] = {
	{0x00, "print character", no_printer},
	{0x01, "set up printer", no_printer},
	{0x02, "status of printer", no_printer},
	{0},
};
