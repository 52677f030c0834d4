# guest: sti.bin
# options: --load=0x1000
#
# IF cleared by the debugger in the shadow of STI: VMX would refuse to enter the guest.

set trace-commands on
stepi 2
set $eflags = 2
continue
