# guest: shutdown.bin
# requires: fault-registers
#
# The same by a triple fault. Behind one QEMU's emulation of an AMD processor hangs as a whole when the guest goes on.

set trace-commands on
set confirm off
tbreak *0x7cac
continue
stepi
continue
