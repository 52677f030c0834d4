#include "devices/pic.h"

#include <string.h>

#include "devices/devices.h"
#include "machine.h"

#define CASCADE 2 /* the first chip's line that the second is on */
#define LINES 8

/* The first command word for initialization, and the third operation command word. */
#define ICW1 0x10
#define ICW1_NEEDS_ICW4 0x01
#define ICW1_SINGLE 0x02
#define ICW4_AUTO_EOI 0x02
#define OCW3 0x08
#define OCW3_SET_SPECIAL_MASK 0x40
#define OCW3_SPECIAL_MASK 0x20
#define OCW3_POLL 0x04
#define OCW3_SET_READ 0x02
#define OCW3_READ_ISR 0x01
/* The second, bits 7 to 5: rotate, specific, EOI. */
#define OCW2_ROTATE 0x80
#define OCW2_SPECIFIC 0x40
#define OCW2_EOI 0x20

/* Lines that cannot be level-triggered: 0, 1, 2, 8 and 13. */
static const uint8_t always_edge[2] = {0x07, 0x21};

/* The place of a line in the order of priorities, 0 for the highest. */
static unsigned int rank(const struct pic_chip *chip, unsigned int line)
{
	return (line + LINES - 1 - chip->lowest) % LINES;
}

/* The line of `set` with the highest priority, or -1. */
static int first(const struct pic_chip *chip, uint8_t set)
{
	for (unsigned int i = 0; set && i < LINES; i++) {
		unsigned int line = (chip->lowest + 1u + i) % LINES;

		if (set >> line & 1)
			return (int)line;
	}
	return -1;
}

/* The line that asks the CPU, or -1. */
static int asking(const struct pic_chip *chip)
{
	uint8_t in_service = chip->isr;
	int line = first(chip, chip->irr & (uint8_t)~chip->imr), served;

	if (chip->special_mask)
		in_service &= (uint8_t)~chip->imr;
	served = first(chip, in_service);
	if (line < 0)
		return -1;
	/* A line in service keeps itself and all behind it waiting. */
	return served < 0 || rank(chip, (unsigned int)line) < rank(chip, (unsigned int)served) ? line : -1;
}

static void set_line(struct pic_chip *chip, unsigned int line, bool high)
{
	uint8_t bit = (uint8_t)(1u << line);

	if (high && (chip->level & bit || !(chip->lines & bit)))
		chip->irr |= bit;
	/* One that is level-triggered asks only as long as it is high. */
	if (!high && chip->level & bit)
		chip->irr &= (uint8_t)~bit;
	chip->lines = high ? chip->lines | bit : chip->lines & (uint8_t)~bit;
}

/* The second chip's output is a line of the first. */
static void cascade(struct pic *pic)
{
	bool high = asking(&pic->chip[1]) >= 0;
	struct pic_chip *master = &pic->chip[0];

	if (high)
		master->irr |= 1u << CASCADE;
	else
		master->irr &= (uint8_t)~(1u << CASCADE);
}

void pic_reset(struct pic *pic)
{
	memset(pic, 0, sizeof(*pic));
	for (int i = 0; i < 2; i++) {
		pic->chip[i].imr = 0xff;
		pic->chip[i].lowest = LINES - 1;
	}
}

void pic_program(struct pic *pic, uint16_t mask)
{
	pic_reset(pic);
	pic->chip[0].vector = 0x08;
	pic->chip[1].vector = 0x70;
	pic->chip[0].imr = (uint8_t)mask;
	pic->chip[1].imr = (uint8_t)(mask >> 8);
}

void pic_set(struct pic *pic, unsigned int irq, bool high)
{
	set_line(&pic->chip[irq / LINES], irq % LINES, high);
	cascade(pic);
}

void pic_withdraw(struct pic *pic, unsigned int irq)
{
	pic->chip[irq / LINES].irr &= (uint8_t)~(1u << irq % LINES);
	cascade(pic);
}

int pic_vector(const struct pic *pic)
{
	const struct pic_chip *slave = &pic->chip[1];
	int line = asking(&pic->chip[0]);

	if (line < 0)
		return -1;
	if (line != CASCADE)
		return (pic->chip[0].vector & ~7) | line;
	line = asking(slave);
	/* The line has fallen meanwhile: the spurious interrupt of the chip's line 7. */
	return (slave->vector & ~7) | (line < 0 ? LINES - 1 : line);
}

static void serve(struct pic_chip *chip, unsigned int line)
{
	uint8_t bit = (uint8_t)(1u << line);

	if (!(chip->level & bit))
		chip->irr &= (uint8_t)~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate)
		chip->lowest = (uint8_t)line;
}

void pic_acknowledge(struct pic *pic)
{
	int line = asking(&pic->chip[0]), second;

	if (line < 0)
		return;
	if (line == CASCADE) {
		second = asking(&pic->chip[1]);
		if (second >= 0)
			serve(&pic->chip[1], (unsigned int)second);
	}
	serve(&pic->chip[0], (unsigned int)line);
	cascade(pic);
}

bool pic_is_asked(const struct pic *pic)
{
	return pic->chip[0].irr & (uint8_t)~pic->chip[0].imr;
}

bool pic_in_service(const struct pic *pic, unsigned int irq)
{
	return pic->chip[irq / LINES].isr >> irq % LINES & 1;
}

bool pic_is_masked(const struct pic *pic, unsigned int irq)
{
	if (irq >= LINES && pic->chip[0].imr >> CASCADE & 1)
		return true;
	return pic->chip[irq / LINES].imr >> irq % LINES & 1;
}

static void end(struct pic_chip *chip, int line, bool rotate)
{
	if (line < 0)
		return;
	chip->isr &= (uint8_t)~(1u << line);
	if (rotate)
		chip->lowest = (uint8_t)line;
}

void pic_end(struct pic *pic, unsigned int irq)
{
	for (unsigned int i = 0; i <= irq / LINES; i++)
		end(&pic->chip[i], first(&pic->chip[i], pic->chip[i].isr), false);
	cascade(pic);
}

static void operate(struct pic_chip *chip, uint8_t value)
{
	bool rotate = value & OCW2_ROTATE, specific = value & OCW2_SPECIFIC;
	int line = specific ? value & 7 : first(chip, chip->isr);

	if (value & OCW2_EOI)
		end(chip, line, rotate);
	else if (rotate && specific)
		chip->lowest = (uint8_t)line;
	else if (!specific)
		chip->rotate = rotate;
}

static void write_command(struct pic_chip *chip, uint8_t value)
{
	if (value & ICW1) {
		*chip = (struct pic_chip){.lines = chip->lines, .level = chip->level, .lowest = LINES - 1,
					  .vector = chip->vector, .expected = 2,
					  .icw4 = value & ICW1_NEEDS_ICW4};
	} else if (value & OCW3) {
		chip->poll = value & OCW3_POLL;
		if (value & OCW3_SET_READ)
			chip->read_isr = value & OCW3_READ_ISR;
		if (value & OCW3_SET_SPECIAL_MASK)
			chip->special_mask = value & OCW3_SPECIAL_MASK;
	} else {
		operate(chip, value);
	}
}

static void write_data(struct pic_chip *chip, uint8_t value)
{
	switch (chip->expected) {
	case 2:
		chip->vector = value & (uint8_t)~7;
		chip->expected = 3;
		return;
	case 3: /* how the two are connected, which is known */
		chip->expected = chip->icw4 ? 4 : 0;
		return;
	case 4:
		chip->auto_eoi = value & ICW4_AUTO_EOI;
		chip->expected = 0;
		return;
	default:
		chip->imr = value;
	}
}

static uint8_t read_command(struct pic_chip *chip)
{
	int line;

	if (!chip->poll)
		return chip->read_isr ? chip->isr : chip->irr;
	chip->poll = false;
	line = asking(chip);
	if (line < 0)
		return 0;
	serve(chip, (unsigned int)line);
	return (uint8_t)(0x80 | line);
}

void pic_access(struct machine *machine, const struct port_access *access)
{
	struct pic *pic = &machine->pic;
	bool level = access->port >= PORT_ELCR;
	unsigned int n = level ? access->port - PORT_ELCR : access->port >= PORT_PIC2;
	struct pic_chip *chip = &pic->chip[n];
	bool data = access->port & 1;

	if (!access->write) {
		memset(access->data, 0xff, access->size);
		access->data[0] = level ? chip->level : data ? chip->imr : read_command(chip);
	} else if (level) {
		chip->level = access->data[0] & (uint8_t)~always_edge[n];
	} else if (data) {
		write_data(chip, access->data[0]);
	} else {
		/* Edges that have come while they were masked are forgotten with it. */
		if (access->data[0] & ICW1)
			devices_update(machine);
		write_command(chip, access->data[0]);
	}
	cascade(pic);
	clock_plan(machine);
}
