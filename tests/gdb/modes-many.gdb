# guest: modes.bin
#
# More breakpoints than there are debug registers, set in real mode for all three modes.

set trace-commands on
break *0x7c01
break *0x7c05
break *0x7c0d
break *0x7c2f
break *0x7c33
break *0x7c60
break *0x7c82
break *0x7c8a
break *0x7ca4
break *0x7cae
break *0x7cbf
tbreak *0x7cc1
continue
continue
continue
x/i $pc
continue
x/i $pc
continue
continue
continue
continue
continue
x/i $pc
x/8xb 0x7ca4
continue
continue
continue
p $r8
continue
continue
delete
continue
