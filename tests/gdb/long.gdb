# guest: long.bin
# options: --console=none
#
# From real mode to 64-bit mode in one leap: a breakpoint that was set before it.

set trace-commands on
break *0x7c70
x/i $pc
continue
x/i $pc
p $cr0
p/x $efer
stepi
x/i $pc
delete
continue
p/x $ax
monitor screen
