/* --screen: the guest's screen on the user's terminal, or, where there is none, printed at the end. */
#ifndef SCREEN_LIVE_H
#define SCREEN_LIVE_H

#include <stdbool.h>

struct machine;

/* Before the guest is run: from now on it is drawn, if standard output is a terminal that is the guest's. */
void screen_begin(struct machine *machine);
/*
 * Draws what has changed, if it is time to, or `at_once`. To be called often; it costs nothing if there is no
 * terminal, and little otherwise.
 */
void screen_update(struct machine *machine, bool at_once);
/* The terminal is as before, and the text on the screen goes to standard output. */
void screen_end(struct machine *machine);

#endif
