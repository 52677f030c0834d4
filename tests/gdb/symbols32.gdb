# guest: modes.bin
# options: --symbols=GUESTS/modes.elf32
#
# The same with a 32-bit file: it is no reason to take 16- and 64-bit code for 32-bit code.

set trace-commands on
info symbol $pc
x/5i $pc
display/i $pc
break protected
break wide
break next if $r8 == 2
stepi
next
continue
next
continue
next
continue
info line
p/x &gdt
info breakpoints
kill
