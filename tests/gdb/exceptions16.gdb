# guest: exceptions16.bin
#
# What the guest has left to the BIOS stops at the instruction that raised it.

continue
x/i $pc
set $bx = 1
set $ax = 5
continue
x/i $pc
set $pc = $pc + 2
continue
# Stepped, it is reported in the same way; the interrupts' handlers are gone into.
monitor reset
maintenance flush register-cache
tbreak *0x7c04
continue
stepi
x/i $pc
set var $pc = $pc + 2
stepi
x/i $pc
