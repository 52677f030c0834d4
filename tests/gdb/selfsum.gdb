# guest: selfsum.bin
#
# Up to four breakpoints leave the guest's memory as it is, as the guest sees it, too.

set trace-commands on
break *0x1003
break *0x100e
hbreak *0x1013
tbreak *0x1006
continue
continue
continue
p $bl
continue
p $al
continue
