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
