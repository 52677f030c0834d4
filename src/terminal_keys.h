/* Keys from what a terminal sends: UTF-8, control characters, and the sequences of xterm, Linux and the VT220. */
#ifndef TERMINAL_KEYS_H
#define TERMINAL_KEYS_H

#include <stddef.h>
#include <stdint.h>

struct machine;

#define TERMINAL_KEYS_MAX 32

struct terminal_keys {
	char held[TERMINAL_KEYS_MAX]; /* the beginning of a sequence */
	size_t count;
	uint64_t since; /* the host's clock: Esc alone is a key, too */
};

/* Types what has come; with nothing, what was held back and is no sequence after all. */
void terminal_keys(struct terminal_keys *keys, struct machine *machine, const char *bytes, size_t len);

#endif
