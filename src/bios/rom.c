#include "bios/rom.h"

#include <string.h>

#include "bios/bios.h"
#include "devices/devices.h"
#include "devices/ioapic.h"
#include "devices/lapic.h"
#include "font.h"

#define STUBS 0xe000 /* the offset of the first */
#define CODE 0xf000  /* of the code below */

/* The places that programs know by heart. */
#define AT_IRET 0xff53
#define AT_RESET 0xfff0
#define AT_DATE 0xfff5
#define AT_MODEL 0xfffe
#define MODEL_AT 0xfc

/* A stub: the program is called, and decides which of the two ways it goes on. */
static const uint8_t stub[ROM_STUB_SIZE] = {
	0xe6, PORT_BIOS, /*	out PORT_BIOS, al */
	0xcf,		 /*	iret */
	0xfb,		 /*	sti */
	0xf4,		 /*	hlt */
	0xeb, 0xf9,	 /*	jmp to the OUT */
	0x90,
};

/* Stubs whose code goes on elsewhere: behind the OUT, or in its place. */
#define JUMP_BEHIND 2
#define JUMP_AT_ONCE 0

/* INT 08h: the count is done; the user's part, then the end of the interrupt. */
static const uint8_t timer_code[] = {
	0x1e,	    /* push ds */
	0x50,	    /* push ax */
	0x52,	    /* push dx */
	0xcd, 0x1c, /* int 0x1c */
	0xfa,	    /* cli */
	0xb0, 0x20, /* mov al, 0x20 */
	0xe6, 0x20, /* out 0x20, al */
	0x5a,	    /* pop dx */
	0x58,	    /* pop ax */
	0x1f,	    /* pop ds */
	0xcf,	    /* iret */
};

/* INT 09h: the user's part may take the scan code, or change it; what is left goes to the program. */
static const uint8_t keyboard_code[] = {
	0x50,				  /*	push ax */
	0xe4, 0x60,			  /*	in al, 0x60 */
	0xb4, 0x4f,			  /*	mov ah, 0x4f */
	0xf9,				  /*	stc */
	0xcd, 0x15,			  /*	int 0x15 */
	0x72, 0x04,			  /*	jc program */
	0xb0, 0x00,			  /*	mov al, 0 */
	0xeb, 0x03,			  /*	jmp end */
	0xe8, 0x00, 0x00,		  /* program: call the stub of ROM_SCAN_CODE */
	0xfa,				  /* end: cli */
	0x88, 0xc4,			  /*	mov ah, al: what it wants to be called */
	0xb0, 0x20,			  /*	mov al, 0x20 */
	0xe6, 0x20,			  /*	out 0x20, al */
	0x80, 0xfc, 0x1b,		  /*	cmp ah, 0x1b */
	0x75, 0x02,			  /*	jne print */
	0xcd, 0x1b,			  /*	int 0x1b */
	0x80, 0xfc, 0x05,		  /* print: cmp ah, 0x05 */
	0x75, 0x02,			  /*	jne out */
	0xcd, 0x05,			  /*	int 0x05 */
	0x58,				  /* out: pop ax */
	0xcf,				  /*	iret */
};
#define KEYBOARD_CALL 14

/* What the processor, and programs that want to boot anew, begin with: the keyboard controller resets the machine. */
static const uint8_t boot_code[] = {
	0xb0, 0xfe, /*	mov al, 0xfe */
	0xe6, 0x64, /*	out 0x64, al */
	0xf4,	    /*	hlt */
};

static const uint8_t reset_code[] = {0xea, 0x00, 0x00, ROM_SEGMENT & 0xff, ROM_SEGMENT >> 8};
/* Of a 1.44M drive. Of all this, programs that hook INT 1Eh change the number of sectors (the fifth byte). */
static const uint8_t diskette_table[] = {0xdf, 0x02, 0x25, 2, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08};
/* RBIL, INT 15h AH=C0h: a length, the model as at the end of the ROM, and features. */
static const uint8_t configuration[] = {
	8, 0, MODEL_AT, 0x01, 0x00,
	0x74, /* a second interrupt controller, a clock, INT 15h AH=4Fh, an extended BIOS data area */
	0x40, /* INT 16h AH=09h */
	0, 0, 0,
};

static const char date[] = "01/01/26";

/* All modes from 0 to 13h but 8 to 0Ch; all numbers of lines; two fonts of eight; everything else is there, too. */
static const uint8_t video_abilities[16] = {0xff, 0xe0, 0x0f, 0, 0, 0, 0, 0x07, 8, 2, 0xff, 0x0e, 0, 0, 0x3f, 0};

/*
 * MultiProcessor Specification, version 1.4, chapter 4: one processor, one I/O APIC, and the lines of an ISA bus on it.
 * Kernels that use the APICs at all, and do not know ACPI's tables, need them.
 */
#define MP_TABLE (ROM_MP_POINTER + 16)
#define MP_HEADER_SIZE 44
#define MP_PROCESSOR_SIZE 20
#define MP_ENTRY_SIZE 8
#define MP_PROCESSOR 0
#define MP_BUS 1
#define MP_IOAPIC 2
#define MP_IO_INTERRUPT 3
#define MP_LOCAL_INTERRUPT 4
#define MP_ENABLED 1
#define MP_BOOT 2
#define MP_INT 0
#define MP_NMI 1
#define MP_EXTINT 3
#define MP_REVISION 4
#define MP_CASCADE 2 /* the line that is none */

static void put_32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++, value >>= 8)
		at[i] = (uint8_t)value;
}

/* The byte that makes the sum of all 0. */
static void seal(uint8_t *table, unsigned int len, unsigned int at)
{
	uint8_t sum = 0;

	table[at] = 0;
	for (unsigned int i = 0; i < len; i++)
		sum += table[i];
	table[at] = (uint8_t)-sum;
}

/* An interrupt's source and where it goes to; polarity and trigger mode are the bus's. */
static uint8_t *put_interrupt(uint8_t *entry, uint8_t kind, uint8_t type, uint8_t irq, uint8_t apic, uint8_t pin)
{
	const uint8_t bytes[MP_ENTRY_SIZE] = {kind, type, 0, 0, 0, irq, apic, pin};

	memcpy(entry, bytes, sizeof(bytes));
	return entry + sizeof(bytes);
}

static void put_mp_tables(uint8_t *rom)
{
	static const uint8_t processor[MP_PROCESSOR_SIZE] = {MP_PROCESSOR, LAPIC_ID, LAPIC_VERSION, MP_ENABLED | MP_BOOT,
							     0, 6, 0, 0, 0x01, 0x02};
	static const uint8_t bus[MP_ENTRY_SIZE] = {MP_BUS, 0, 'I', 'S', 'A', ' ', ' ', ' '};
	uint8_t *table = rom + MP_TABLE, *entry = table + MP_HEADER_SIZE, *pointer = rom + ROM_MP_POINTER;
	unsigned int count = 3;

	memcpy(entry, processor, sizeof(processor));
	entry += sizeof(processor);
	memcpy(entry, bus, sizeof(bus));
	entry += sizeof(bus);
	memcpy(entry, (const uint8_t[]){MP_IOAPIC, IOAPIC_ID, IOAPIC_VERSION, MP_ENABLED}, 4);
	put_32(entry + 4, IOAPIC_BASE);
	entry += MP_ENTRY_SIZE;
	for (unsigned int irq = 0; irq < IRQ_LINES; irq++) {
		if (irq == MP_CASCADE)
			continue;
		entry = put_interrupt(entry, MP_IO_INTERRUPT, MP_INT, (uint8_t)irq, IOAPIC_ID,
				      (uint8_t)(irq ? irq : IOAPIC_TIMER));
		count++;
	}
	entry = put_interrupt(entry, MP_LOCAL_INTERRUPT, MP_EXTINT, 0, 0xff, 0);
	entry = put_interrupt(entry, MP_LOCAL_INTERRUPT, MP_NMI, 0, 0xff, 1);
	count += 2;
	memset(table, 0, MP_HEADER_SIZE);
	memcpy(table, "PCMP", 4);
	table[4] = (uint8_t)(entry - table);
	table[5] = (uint8_t)((entry - table) >> 8);
	table[6] = MP_REVISION;
	memcpy(table + 8, "KVMGDB  BOOT DEBUG  ", 20);
	table[34] = (uint8_t)count;
	put_32(table + 36, LAPIC_BASE);
	seal(table, (unsigned int)(entry - table), 7);
	memset(pointer, 0, 16);
	memcpy(pointer, "_MP_", 4);
	put_32(pointer + 4, ROM_BASE + MP_TABLE);
	pointer[8] = 1; /* its length, in paragraphs */
	pointer[9] = MP_REVISION;
	seal(pointer, 16, 10);
}

uint16_t rom_stub(unsigned int trap)
{
	return (uint16_t)(STUBS + trap * ROM_STUB_SIZE);
}

int rom_trap_at(uint64_t linear)
{
	uint64_t offset = linear - ROM_STUB_DONE - ROM_BASE - STUBS;

	if (linear < ROM_BASE + STUBS || offset >= ROM_TRAPS * ROM_STUB_SIZE || offset % ROM_STUB_SIZE)
		return -1;
	return (int)(offset / ROM_STUB_SIZE);
}

/* Makes the stub go to `target` from its offset `at` on. */
static void jump(uint8_t *rom, unsigned int trap, unsigned int at, unsigned int target)
{
	unsigned int from = rom_stub(trap) + at;
	unsigned int distance = target - (from + 3);

	rom[from] = 0xe9;
	rom[from + 1] = (uint8_t)distance;
	rom[from + 2] = (uint8_t)(distance >> 8);
}

static unsigned int put(uint8_t *rom, unsigned int at, const uint8_t *code, unsigned int len)
{
	memcpy(rom + at, code, len);
	return at + len;
}

void rom_write(struct vm *vm)
{
	uint8_t *rom = vm_host(vm, ROM_BASE, NULL);
	unsigned int at = CODE, distance;

	memset(rom, 0xff, ROM_SIZE);
	memcpy(rom + ROM_DISKETTE_TABLE, diskette_table, sizeof(diskette_table));
	memset(rom + ROM_HARD_DISK_TABLES, 0, 2 * ROM_HARD_DISK_TABLE_SIZE);
	for (unsigned int i = 0; i < ROM_TRAPS; i++)
		memcpy(rom + rom_stub(i), stub, sizeof(stub));
	jump(rom, 0x08, JUMP_BEHIND, at);
	at = put(rom, at, timer_code, sizeof(timer_code));
	jump(rom, 0x09, JUMP_AT_ONCE, at);
	distance = rom_stub(ROM_SCAN_CODE) - (at + KEYBOARD_CALL + 3);
	at = put(rom, at, keyboard_code, sizeof(keyboard_code));
	rom[at - sizeof(keyboard_code) + KEYBOARD_CALL + 1] = (uint8_t)distance;
	rom[at - sizeof(keyboard_code) + KEYBOARD_CALL + 2] = (uint8_t)(distance >> 8);
	rom[rom_stub(ROM_SCAN_CODE) + ROM_STUB_DONE] = 0xc3; /* ret */
	font_draw(rom + ROM_FONT8, rom + ROM_FONT14, rom + ROM_FONT16);
	put(rom, ROM_FONT8_LOWER, rom + ROM_FONT8, FONT_GLYPHS / 2 * 8);
	memcpy(rom + ROM_VIDEO_ABILITIES, video_abilities, sizeof(video_abilities));
	put_mp_tables(rom);
	rom[AT_IRET] = 0xcf;
	memcpy(rom + ROM_CONFIGURATION, configuration, sizeof(configuration));
	memcpy(rom + AT_RESET, reset_code, sizeof(reset_code));
	rom[AT_RESET + 1] = (uint8_t)at;
	rom[AT_RESET + 2] = (uint8_t)(at >> 8);
	put(rom, at, boot_code, sizeof(boot_code));
	memcpy(rom + AT_DATE, date, sizeof(date) - 1);
	rom[AT_MODEL] = MODEL_AT;
}
