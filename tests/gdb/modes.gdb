# guest: modes.bin
#
# A guest that goes from real mode through protected mode to 64-bit mode under gdb's eyes: breakpoints
# set before the switches are hit, and registers and instructions are those of the mode.

set trace-commands on
break *0x7c20
break *0x7c8e
break *0x7ca0
break *0x7cbc
p $cpu_mode
x/i $pc
stepi
x/i $pc
continue
continue
p $cpu_mode
x/2i $pc
info registers cs eip
stepi
stepi
x/i $pc
continue
continue
p $cpu_mode
x/i $pc
p $cr0
p/x $efer
p/x $esp
stepi
p $cpu_mode
continue
x/i $pc
continue
p/x $rax
x/xg 0x8000
p $r8
info breakpoints
