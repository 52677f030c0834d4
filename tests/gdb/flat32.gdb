# guest: flat32.bin
# options: --mode=32
#
# 32-bit code from the start.

set trace-commands on
p $cpu_mode
x/9i $pc
p $cr0
p $sp
info registers cs ss ds es fs gs
break *0x100f
continue
info registers eax ebx
x/i $pc
x/xw $sp
continue
p $eax
delete 1
tbreak *0x1012 if $eax == 0x10000
continue
p/x $eax
p/x $ebx
stepi
p $eflags
set $eax = 0x40000000
jump *0x1005
p/x $ebx
