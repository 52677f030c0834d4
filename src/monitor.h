/* The `monitor` commands; those of a subject with a file of its own are there: points.c, trace.c. */
#ifndef MONITOR_H
#define MONITOR_H

#include "gdbstub.h"

/* A row without a name ends them. */
extern const struct gdbstub_monitor monitor_commands[];

#endif
