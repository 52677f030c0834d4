/* What the guest does, a line each: the BIOS services that it calls, and the ports that it uses. */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>

#include "bios/bios.h"
#include "devices/devices.h"

enum trace { TRACE_BIOS = 1, TRACE_IO = 2 };

/* "bios", "io" or both with a comma between: bits of enum trace. False if it is something else. */
bool trace_parse(const char *text, unsigned int *what);
/* A service is done, or has ended otherwise: `before` is the call as it came, `after` as it is now. */
void trace_service(const struct bios_call *before, const struct bios_call *after, bool is_done);
void trace_port(struct machine *machine, const struct port_access *access);

/* monitor trace [bios|io [on|off]] */
int trace_monitor(struct gdbstub *stub, void *target, const char *args);

#endif
