# guest: remap.bin
# options: --mode=64
#
# Breakpoints where the guest maps other pages while it runs, when others have the debug registers.
# It exits behind each change, so that none is missed.

set trace-commands on
hbreak *0x1030
continue
delete
hbreak *0x10f0
hbreak *0x10f1
hbreak *0x10f2
hbreak *0x10f3
break *0x200000
break *0x200003
continue
p/x $rax
x/2i $pc
continue
p/x $rax
continue
p/x $rax
x/2i $pc
continue
p/x $rax
continue
p/x $rax
x/2i $pc
continue
p/x $rax
continue
p/x $rax
