"""Loads kvmgdb.py once there is something to load it for.

"make install" puts this into gdb's data directory, from where gdb imports it whenever it starts. So it
does next to nothing until gdb stops in a target that has kvmgdb's register cpu_mode; connecting is such a
stop. With KVMGDB_NO_GDB_SCRIPT in the environment it does nothing at all.
"""

import os
import sys

import gdb

SCRIPT = "@pkgdatadir@/kvmgdb.py"


def load(_):
    if "kvmgdb.unwind" not in sys.modules:  # by "source"
        if not gdb.selected_inferior().architecture().registers().find("cpu_mode"):
            return
        try:
            with open(SCRIPT, "rb") as file:
                code = compile(file.read(), SCRIPT, "exec")
        except OSError:
            code = ""  # it was removed
        exec(code, {"__file__": SCRIPT})
    gdb.events.stop.disconnect(load)


# The script is for gdb 13 and newer.
if hasattr(gdb, "format_address") and "KVMGDB_NO_GDB_SCRIPT" not in os.environ:
    gdb.events.stop.connect(load)
