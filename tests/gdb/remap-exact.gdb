# guest: remap.bin
# options: --mode=64
#
# Breakpoints and a watchpoint where the guest maps other pages without an exit behind that: nobody is told of
# the change, so that it takes steps to miss nothing.

set trace-commands on
set var *(unsigned char *)0x105c = 0xc3
break *0x200000
break *0x200003
watch *(int *)0x13000
hbreak *0x10f0
hbreak *0x10f1
hbreak *0x10f2
hbreak *0x10f3
monitor exact maybe
monitor exact on
continue
continue
p/x $rax
continue
p/x $rax
continue
p/x $rax
continue
p/x $rax
continue
p/x $rax
continue
p/x $rax
continue
p/x $rax
delete
continue
p/x $rax
