/* The pair of 8259A interrupt controllers of a PC: 16 lines, of which the second's come by line 2 of the first. */
#ifndef PIC_H
#define PIC_H

#include <stdbool.h>
#include <stdint.h>

enum { IRQ_TIMER = 0, IRQ_KEYBOARD = 1, IRQ_COM1 = 4, IRQ_FLOPPY = 6, IRQ_RTC = 8, IRQ_MOUSE = 12, IRQ_DISK = 14, IRQ_LINES = 16 };

/* The registers' names are those of Intel's data sheet (order number 231468). */
struct pic_chip {
	uint8_t irr, imr, isr;
	uint8_t lines;	    /* as the devices hold them */
	uint8_t level;	    /* lines that are level-triggered: the EISA register ELCR */
	uint8_t vector;	    /* of line 0 */
	uint8_t lowest;	    /* the line with the lowest priority: 7 unless rotated */
	uint8_t expected;   /* the initialization command word that comes next: 2 to 4, or 0 */
	bool icw4;	    /* is to come */
	bool auto_eoi;
	bool rotate;	    /* in automatic EOI mode */
	bool special_mask;
	bool poll, read_isr;
};

struct pic {
	struct pic_chip chip[2];
};

/* As after power-on: nothing comes through before the guest, or the BIOS, has programmed it. */
void pic_reset(struct pic *pic);
/* As a PC's BIOS leaves it: IRQ 0 to 7 at vector 0x08, 8 to 15 at 0x70, with what `mask` has a bit for masked. */
void pic_program(struct pic *pic, uint16_t mask);
/* A device's line, `irq` below IRQ_LINES. Only a line that rises asks, but for a level-triggered one. */
void pic_set(struct pic *pic, unsigned int irq, bool high);
/* The device no longer wants what it has asked for, if the CPU has not taken it yet. */
void pic_withdraw(struct pic *pic, unsigned int irq);
/* The vector that waits for the CPU, or -1. */
int pic_vector(const struct pic *pic);
/* The CPU takes that one. */
void pic_acknowledge(struct pic *pic);
/* Whether a line that is not masked asks, whatever is in service. */
bool pic_is_asked(const struct pic *pic);
/* Whether an interrupt of that line is in service, or could be. */
bool pic_in_service(const struct pic *pic, unsigned int irq);
bool pic_is_masked(const struct pic *pic, unsigned int irq);
/* The end of the interrupt in service with the highest priority of the chip or chips that serve `irq`. */
void pic_end(struct pic *pic, unsigned int irq);

#endif
