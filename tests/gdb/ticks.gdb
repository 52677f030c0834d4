# guest: ticks.bin
# options: --console=none
#
# IRQ 0 by a handler of the guest's own: a breakpoint in it, its vector, and what a halt is woken by.

set trace-commands on
tbreak *0x7c28
continue
x/2xh 8 * 4
break *0x7c50
continue
x/xh $ss_base + $sp16
p *(unsigned char *) 0x7c4e
continue
p *(unsigned char *) 0x7c4e
ignore 2 197
continue
p *(unsigned char *) 0x7c4e
monitor screen
delete
continue
monitor screen
