# guest: flat64.bin
# options: --mode=64 --memory=64M
# requires: python
#
# 64-bit code from the start, through identity page tables over all of memory.

set trace-commands on
p $cpu_mode
x/4i $pc
p $cr0
p/x $efer
p $sp
info registers cs ss
break *0x100a
break *0x103a
continue
p/x $rax
stepi
x/xg 8
continue
p/x $rbx
p/x $rdx
x/xg 0xfffff8
p/x $r8
continue
p/x $r8
p $r15
set $r8 = 0xffffffff80000000
set $r15d = 1
delete
x/2i $pc
stepi
p/x $r8
continue
p/x $r15
x/2xb 0x3fffffe
set var *(unsigned short *)0x3fffffe = 0x1234
x/2xb 0x3fffffe
try x/xw 0x4000000
