/* The two 8237 DMA controllers and their page registers: what is written can be read, and nothing is moved. */
#include "devices/devices.h"
#include "machine.h"

/* The registers behind the addresses and counts (Intel 8237A data sheet, figure 6). */
enum {
	COMMAND = 8, /* read: status */
	REQUEST,
	MASK_ONE,
	MODE,
	CLEAR_FLIP_FLOP,
	MASTER_CLEAR,
	CLEAR_MASK,
	MASK_ALL,
};

#define MASK_ONE_SET 0x04
#define PORT_DMA2 0xc0 /* whose registers are at even ports only */

static uint8_t read_register(struct dma *dma, unsigned int chip, unsigned int number)
{
	uint16_t value;
	bool high;

	if (number == MASK_ALL)
		return (uint8_t)(0xf0 | dma->mask[chip]);
	if (number >= COMMAND)
		return 0; /* no channel has come to its end, or asks */
	value = (number & 1 ? dma->count : dma->address)[4 * chip + number / 2];
	high = dma->high_next[chip];
	dma->high_next[chip] = !high;
	return high ? value >> 8 : value & 0xff;
}

static void write_register(struct dma *dma, unsigned int chip, unsigned int number, uint8_t value)
{
	uint16_t *two;

	switch (number) {
	case MASK_ONE:
		if (value & MASK_ONE_SET)
			dma->mask[chip] |= (uint8_t)(1u << (value & 3));
		else
			dma->mask[chip] &= (uint8_t)~(1u << (value & 3));
		return;
	case CLEAR_FLIP_FLOP:
		dma->high_next[chip] = false;
		return;
	case MASTER_CLEAR:
		dma->high_next[chip] = false;
		dma->mask[chip] = 0xf;
		return;
	case CLEAR_MASK:
		dma->mask[chip] = 0;
		return;
	case MASK_ALL:
		dma->mask[chip] = value & 0xf;
		return;
	}
	if (number >= COMMAND)
		return;
	two = &(number & 1 ? dma->count : dma->address)[4 * chip + number / 2];
	*two = dma->high_next[chip] ? (uint16_t)(value << 8 | (*two & 0xff)) : (uint16_t)((*two & 0xff00) | value);
	dma->high_next[chip] = !dma->high_next[chip];
}

void dma_reset(struct machine *machine)
{
	machine->system.dma = (struct dma){.mask = {0xf, 0xf}};
}

void dma_access(struct machine *machine, const struct port_access *access)
{
	struct dma *dma = &machine->system.dma;
	unsigned int chip = access->port >= PORT_DMA2;
	unsigned int number = chip ? (access->port - PORT_DMA2) / 2u : access->port;

	if (!access->write)
		*access->data = chip && access->port & 1 ? 0xff : read_register(dma, chip, number);
	else if (!chip || !(access->port & 1))
		write_register(dma, chip, number, *access->data);
}

void dma_page_access(struct machine *machine, const struct port_access *access)
{
	uint8_t *page = &machine->system.dma.page[access->port & 0xf];

	if (access->write)
		*page = *access->data;
	else
		*access->data = *page;
}
