# guest: paging.bin
# options: --mode=64
#
# Behind a breakpoint that is reached by another address, the next ones are hit, too: those that no debug
# register has are planted again.

set trace-commands on
break *0xffffffff800010ba
continue
hbreak *0x5000
hbreak *0x5010
hbreak *0x5020
hbreak *0x5030
set var *(unsigned int *)0x10b3 = 0x90909090
set var *(unsigned int *)0x10b7 = 0x90909090
set var *(unsigned int *)0x10bb = 0xf4909090
break *0xffffffff800010bc
set $pc = 0x10b3
continue
continue
continue
