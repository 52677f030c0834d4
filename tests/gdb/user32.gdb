# guest: user32.bin
# options: --mode=32
#
# Breakpoints in a program at privilege level 3, which a KVM that emulates guest code has to step: at its first
# instruction, behind an IRET; at an INT; behind it; and in the kernel that it calls.

set trace-commands on
break *0x103f
continue
break *0x1049 if ($eax & 0xff) == 'f'
continue
print/c $al
stepi
x/i $pc
print $cs & 3
tbreak *0x104b
continue
print/c $al
print $cs & 3
break *0x1064 if ($eax & 0xff) == 'y'
continue
print $cs & 3
delete
continue
