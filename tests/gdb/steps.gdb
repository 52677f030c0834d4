# guest: steps.bin
# options: --load=0x1000
#
# Single steps over port I/O, string instructions, calls and far jumps, and into the halt. Hosts differ
# in how many steps REP takes, and whether they stop behind MOV to SS, so these are not shown one by one.

set trace-commands on
stepi
stepi
stepi
stepi
stepi
p/x $al
set $al = 'y'
stepi
stepi 3
p $cx
tbreak *0x1013
stepi 10
p $cx
x/4xb 0x2000
stepi
stepi
p/x $bx & 0x100
stepi
x/i $pc
stepi
stepi
x/i $pc
info registers cs ip
tbreak *0x1029
stepi 10
stepi
x/xh $sp
stepi
p $eflags
x/i $pc
stepi
info registers cs ip
