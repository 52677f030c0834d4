# guest: paging.bin
# options: --mode=64
#
# A breakpoint on code that is reached by another address of the same memory: it stops there, and the guest
# goes on from it.

set trace-commands on
break *0xffffffff800010ba
continue
set $pc = 0x10b3
continue
continue
# Likewise where everything is stepped.
monitor reset
maintenance flush register-cache
monitor exact on
continue
set $pc = 0x10b3
continue
continue
