# guest: taskswitch.bin
# options: --mode=32
# requires: task-switches
#
# Steps into tasks that the processor switches to, and back.

set trace-commands on
display/i $pc
stepi 4
set $eflags = 0x102
stepi
p $eflags
x/xw 0x11d4
stepi
stepi
p $eflags
set $eflags = 2
stepi
stepi
stepi
stepi
stepi
p/x $edx
stepi
stepi
stepi
stepi
stepi
stepi
stepi
stepi
stepi
continue
p/x $ebx
