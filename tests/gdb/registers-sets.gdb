# guest: modes.bin
# ignores: ^k[0-7] 
#
# Fewer registers: gdb learns it at the next stop, or when it is told to read the description again.

set trace-commands on
p $cr0
p $lstar
monitor registers core
p $cr0
stepi
p $cr0
info registers
p $xmm0.uint128
monitor registers system
unset tdesc filename
p $cr0
p $lstar
p $idt_limit
monitor registers all
break *0x7c20
continue
p $cr0
p $lstar
p $pc
monitor registers fewer
