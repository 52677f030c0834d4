# guest: interrupts64.bin
# options: --mode=64
#
# A step into the handler of an interrupt, and of a system call, with nothing of the stepping left there.

set trace-commands on
break *0x1064
continue
delete
monitor step-irq on
monitor interrupt 0x20
stepi
x/i $pc
x/5xg $sp
stepi
p $rbx
stepi
x/i $pc
p/x (int) $eflags & 0x300
stepi 2
stepi
x/i $pc
p/x $r11
p/x (int) $eflags & 0x300
# And without steps.
set $pc = 0x1064
set $eflags = 0x202
monitor interrupt 0x20
continue
p $rbx
p/x $r11
kill
