/* The monitor command `irq`. */
#ifndef IRQ_MONITOR_H
#define IRQ_MONITOR_H

struct gdbstub;

int irq_monitor(struct gdbstub *stub, void *target, const char *args);

#endif
