# guest: watch.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
# requires: watch-in-rep
#
# Watchpoints in string instructions: behind the iteration, with the rest of them still to come.

set trace-commands on
break *0x1031
continue
delete
watch *(unsigned short *)0x1052
continue
p $cx
continue
p $cx
awatch *(unsigned char *)0x1053
continue
p $cx
continue
