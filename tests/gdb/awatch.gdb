# guest: watch.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
#
# awatch: reads and writes, also of the same value, across the end of a page, and the stack's.

set trace-commands on
awatch *(unsigned char *)0x1053
awatch *(unsigned char *)0x2000
awatch *(unsigned short *)0x2ffe
continue
continue
continue
continue
continue
continue
delete 1
continue
continue
continue
continue
