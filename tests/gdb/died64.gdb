# guest: die.bin
# options: --mode=64
# requires: fault-registers
#
# A triple fault in 64-bit mode, met by a step and with breakpoints set.

set trace-commands on
break *0x1005
break *0x1007
continue
stepi
p $rax
x/2i $pc
set {int}0x2000 = 0x12345678
x/xw 0x2000
continue
info threads
