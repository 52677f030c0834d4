# guest: sum.bin
# options: --load=0x1000
#
# After the halt: nothing goes on by itself, but the program counter can be moved and the guest run
# again from there, however it is told to.

set trace-commands on
continue
info threads
continue
continue
set $pc = 0x100e
x/3i $pc
continue
set $al = 7
set $pc = 0x1011
stepi
stepi
jump *0x1000
tbreak *0x1004
jump *0x1000
p $ax
continue
set $pc = 0x1004
stepi
