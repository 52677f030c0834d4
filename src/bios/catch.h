/* Stops before a BIOS service is done: `monitor catch`. */
#ifndef CATCH_H
#define CATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CATCHES_MAX 32

struct catches {
	struct catch {
		uint8_t vector;
		int ah; /* or BIOS_ANY */
	} list[CATCHES_MAX];
	size_t count;
	bool paused; /* while the user steps, who sees each service anyway */
};

struct bios_call;
struct gdbstub;

bool catches_want(const struct catches *catches, unsigned int vector, uint8_t ah);

/* monitor catch [int VECTOR [AH] [off]|off] */
int catch_monitor(struct gdbstub *stub, void *target, const char *args);

#endif
