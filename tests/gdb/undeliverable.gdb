# guest: undeliverable.bin
# options: --mode=64
#
# A step comes to the handler of a double fault.

set trace-commands on
break *0x1061
continue
set $pc = 0x106d
set $rdi = 0x7fff00000000
x/i $pc
stepi
x/i $pc
x/2xg $sp
stepi
continue
