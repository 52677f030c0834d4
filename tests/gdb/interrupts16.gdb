# guest: interrupts16.bin
# options: --load=0x1000
#
# An interrupt that gdb asks for waits while the guest is stepped, unless a step is to take it, and for STI.

set trace-commands on
monitor interrupt
monitor interrupt 256
monitor step-irq maybe
break *0x1013
continue
monitor interrupt 0x20
monitor status
stepi
stepi
stepi
stepi
p $bx
# It comes by itself, and the breakpoint in its handler is hit.
break *0x1020
continue
x/i $pc
x/3xh $sp
delete
stepi 2
x/i $pc
p $bx
# A step takes it, behind the shadow of STI.
set $pc = 0x1014
set $eflags = 2
monitor step-irq on
monitor interrupt 0x20
stepi
stepi
stepi
stepi
x/3xh $sp
p $eflags
stepi 2
p $bx
# The first HLT is ended by one, the second, with IF clear, is not.
continue
p $bx
monitor interrupt 0x20
continue
p $bx
monitor interrupt 0x20
continue
kill
