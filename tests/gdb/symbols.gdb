# guest: modes.bin
# options: --symbols=GUESTS/modes.elf64
#
# `target remote` alone brings symbols: source lines and labels from real mode to 64-bit mode, and the
# 16-bit code is 16-bit code.

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
