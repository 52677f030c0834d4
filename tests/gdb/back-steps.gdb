# guest: back.bin
# options: --mode=64
#
# From 64-bit mode back to real mode: by breakpoint and by step, with a display.

set trace-commands on
break *0x101e
break *0x1054
display/i $pc
break *0x106d
continue
p $rax
stepi
monitor phys on
continue
monitor phys
monitor phys off
p $ax
stepi
continue
p $cs
kill
