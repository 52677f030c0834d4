# guest: tf.bin
# options: --load=0x1000
#
# The guest single-steps itself: its handler is called as often when it is stepped as when it runs, also
# with a breakpoint behind the last trap. A step at a trap goes to the handler's first instruction.

set trace-commands on
break *0x1025
continue
p $dx
p $eflags
set $pc = 0x1000
stepi 13
x/i $pc
p $eflags
stepi
x/i $pc
stepi
x/i $pc
stepi 2
x/i $pc
continue
p $dx
set $pc = 0x1000
stepi 37
x/i $pc
p $dx
