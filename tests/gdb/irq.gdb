# guest: apic.bin
#
# The interrupt controllers: as the BIOS leaves them, with two messages that the task priority holds back, and with a
# level-triggered line that its handler has not ended.

set trace-commands on
monitor irq
tbreak *0x7f58
continue
monitor irq
tbreak *0x81bd
continue
monitor irq
