# guest: upper.bin
# options: --mode=32
#
# Breakpoints in the upper half of the address space, set in 32-bit code, which knows 32 bits of their addresses: found in
# 64-bit code, with conditions, and gone when they are removed.

set trace-commands on
break *0xffffffff80001100
continue
x/i $pc
p $rax
info breakpoints
continue
p $rax
delete
continue
monitor reset
maintenance flush register-cache
stepi
break *0xffffffff80001100 if $eax == 2
continue
p $rax
delete
monitor reset
maintenance flush register-cache
break *0xffffffff80001100 if $rax == 2
hbreak *0xffffffff80001101
continue
p $rax
continue
p $rax
continue
delete
continue
# More than the debug registers can wait for in both of their places: it is said, and stepping finds them.
monitor reset
maintenance flush register-cache
stepi
break *0xffffffff80001040
break *0xffffffff80001050
break *0xffffffff80001060
break *0xffffffff80001100
continue
monitor reset
monitor exact on
continue
x/i $pc
