# guest: mover.bin
# ignores: ^the guest runs slowly: on this host
#
# Breakpoints that are set before there is any code.

set trace-commands on
break *0x617
break *0x61b
tbreak *0x621
break *0x625
x/i 0x617
continue
x/i $pc
continue
continue
continue
p $ax
x/2i $pc
x/2xw 0x7c00
continue
p $ax
delete
continue
