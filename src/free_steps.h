/* Steps while the guest runs freely, for what a KVM that emulates guest code does not do by itself. */
#ifndef FREE_STEPS_H
#define FREE_STEPS_H

#include <stdbool.h>

struct machine;

#define STEPS_TO_ARM 1024 /* between two looks at whether stepping is still needed */

/*
 * A KVM that emulates guest code does many instructions between two looks at the interrupt flag. One that is on for a
 * moment only, as in a scheduler's loop, it would not see for ever: some steps do.
 */
void free_steps_await_window(struct machine *machine);
/*
 * What KVM cannot emulate at privilege level 3 it gives to the guest as an invalid opcode, and nobody else hears of
 * it: INT before all, by which user code calls its kernel. Steps see to that, where something was carried out already:
 * as a rule an IRET has led there. True if they begin here.
 */
bool free_steps_of_user_code(struct machine *machine);

#endif
