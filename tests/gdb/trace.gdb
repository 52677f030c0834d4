# guest: services.bin
# options: --console=gdb
#
# `monitor trace': services and port accesses, a line each, as long as it is on.

set trace-commands on
monitor trace
monitor trace bios
tbreak *0x7c15
continue
monitor trace bios off
monitor trace io on
tbreak *0x7ca9
continue
monitor trace everything
monitor trace off
tbreak *0x7cb4
continue
# A wait is one line, and the interrupts in it are none.
monitor trace bios on
tbreak *0x7cb6
continue
monitor trace bios off
kill
