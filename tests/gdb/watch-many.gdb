# guest: watch.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
#
# More watchpoints than there are debug registers, of odd places and lengths, with breakpoints among them;
# and steps, which see them too.

set trace-commands on
watch *(char (*)[3])0x1051
watch *(char (*)[1000])0x1ffd
watch *(char *)0x2ffe
watch *(char *)0x2fff
watch *(char *)0x1055
watch *(short *)0x1057
break *0x1023
break *0x1044
continue
continue
continue
continue
continue
continue
stepi
stepi
continue
stepi
stepi
continue
