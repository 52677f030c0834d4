# guest: watch.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
#
# rwatch: each read, the one of a read-modify-write too, and no write.

set trace-commands on
rwatch *(unsigned char *)0x1053
continue
continue
continue
continue
p $cx
continue
