# guest: frames-protected.bin
# requires: script
#
# Who called whom in 16-bit protected mode, where a selector's base is in a table that each frame has.

set width 0
set trace-commands on
break *0x1033
continue
bt
up
info gdt 8
info registers gdt_base
finish
bt
finish
x/i $pc
