/* The 8254 timer: channel 0 makes IRQ 0, channel 2 the speaker's tone behind the gate of port 0x61. */
#ifndef PIT_H
#define PIT_H

#include <stdbool.h>
#include <stdint.h>

#define PIT_HZ 1193182u
#define PIT_CHANNELS 3

struct pit_channel {
	uint8_t mode;	 /* 0 to 5 */
	uint8_t access;	 /* 1: low byte, 2: high byte, 3: both */
	bool bcd;
	bool high_next;	 /* of two bytes to be read */
	bool high_write; /* of two bytes to be written, the first of which is `low` */
	uint8_t low;
	bool gate;
	bool triggered;	 /* modes 1 and 5: the gate has risen since the mode was set */
	uint32_t next;	 /* these: the count from the next rise on, or 0 */
	uint64_t held;	 /* with the gate low: how far it has counted, in ticks */
	bool loaded;	 /* a count was written, and counting began at `start` */
	uint32_t count;	 /* 1 to 0x10000, or 10000 in BCD */
	uint64_t start;	 /* ticks of the input clock since power-on */
	uint64_t fired;	 /* channel 0: how many rises of the output since `start` were reported */
	bool count_latched, status_latched;
	uint16_t latch;
	uint8_t status;
};

struct pit {
	struct pit_channel channel[PIT_CHANNELS];
	bool speaker;	    /* port 0x61, bit 1 */
	uint64_t polled_at; /* when that port was read last, in nanoseconds */
};

#endif
