# guest: overlap.bin
#
# Two breakpoints in one instruction, which is run as another one, too; with debug registers, and when others
# have these.

set trace-commands on
break *0x100e
break *0x100f
continue
continue
x/3xb 0x100e
p/x $ax
set $pc = 0x1003
set $ax = 0
set $sp = 0x3000
hbreak *0x100a
hbreak *0x100b
hbreak *0x100c
hbreak *0x100d
continue
continue
x/3xb 0x100e
p/x $ax
continue
