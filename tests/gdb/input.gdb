# guest: input.bin
# ignores: ^the guest has overwritten breakpoints
#
# A string instruction that reads a port into memory where breakpoints are planted, since others have the
# debug registers.

set trace-commands on
hbreak *0x1003
hbreak *0x1006
hbreak *0x1009
tbreak *0x100f
break *0x1104
break *0x1108
continue
continue
continue
continue
x/16xb 0x1100
p $cx
p $di
set var {long long[2]} 0x1100 = {0x9090909090909090, 0x9090909090909090}
continue
continue
continue
