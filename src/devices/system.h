/* What a PC has on its board beside the devices with a file of their own: A20, reset, codes, DMA. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#define DMA_CHANNELS 8

/* The two 8237s, as far as a program can tell that never moves anything. */
struct dma {
	uint16_t address[DMA_CHANNELS], count[DMA_CHANNELS];
	bool high_next[2]; /* of two bytes: the flip-flop of each chip */
	uint8_t mask[2];
	uint8_t page[16]; /* ports 0x80 to 0x8f */
};

#define UNANSWERED_MAX 64

struct system {
	/* What the guest has made of the gate by port 0x92, the 8042 or INT 15h. Memory does not care: it is open. */
	bool a20;
	uint8_t reset_control; /* port 0xcf9 */
	uint8_t power_management[2]; /* ports 0xb2 and 0xb3 */
	uint8_t shutdown;      /* how much of the word that switches Bochs off was written */
	bool has_code;
	uint8_t code;	       /* the last that was written to port 0x80 */
	uint8_t codes_told[32]; /* a bit for each */
	uint8_t codes_count;
	struct dma dma;
	/* Accesses to ports that nobody answers, which are reported only so often. */
	struct unanswered {
		uint16_t port;
		bool write;
		uint8_t count;
	} unanswered[UNANSWERED_MAX];
	unsigned int unanswered_count;
	bool unanswered_full; /* and the user knows */
	unsigned int no_memory_told; /* accesses to where there is no memory */
};

#endif
