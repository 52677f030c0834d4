# guest: overlay.bin
# ignores: ^the guest has overwritten breakpoints
#
# Breakpoints in code that the guest overwrites, when others have the debug registers. It exits behind that, so that
# none is missed where guest code is emulated, either.

set trace-commands on
hbreak *0x10f0
hbreak *0x10f1
hbreak *0x10f2
hbreak *0x10f3
break *0x1100
break *0x1103
continue
p $ax
x/2i $pc
continue
p $ax
continue
p $ax
x/2i $pc
continue
p $ax
continue
p $ax
