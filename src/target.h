/* The machine as libgdbstub sees it. */
#ifndef TARGET_H
#define TARGET_H

#include "gdbstub.h"

/* The operations for a struct machine. */
extern const struct gdbstub_ops target_ops;

#endif
