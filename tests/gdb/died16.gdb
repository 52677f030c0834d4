# guest: die16.bin
# options: --load=0x1000
# requires: fault-registers
#
# A triple fault in real mode: what was there can be looked at and even changed, but not run.

set trace-commands on
continue
p $ax
x/i $pc
set $ax = 6
p $ax
set $pc = 0x100b
x/i $pc
stepi
continue
info threads
