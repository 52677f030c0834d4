# guest: modes.bin
#
# monitor arch: what is served is pinned, and follows the CPU's mode again.

set trace-commands on
break *0x7c20
break *0x7ca0
monitor arch
# In real mode
monitor arch x86-64
x/i $pc
stepi
x/i $pc
info registers rip
p $cpu_mode
continue
x/i $pc
continue
p $cpu_mode
monitor arch i8086
unset tdesc filename
x/2i $pc
p/x $eip
stepi
p $cpu_mode
monitor arch i386
stepi
x/i $pc
monitor arch auto
stepi
stepi
monitor arch i386
unset tdesc filename
p/x $eax
monitor arch auto
unset tdesc filename
p/x $rax
x/i $pc
info registers rip
monitor arch arm
# A new virtual machine is served as the old one was.
monitor arch i386
monitor reset
stepi
stepi
x/i $pc
info breakpoints
