# guest: watch.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
#
# watch: each write that changes the value, with the old and the new one, behind the instruction; not a
# write by the debugger, not one of the same value, and not a neighbour.

set trace-commands on
watch *(unsigned short *)0x1052
break *0x1031
continue
set var *(unsigned short *)0x1052 = 0x7777
set var *(unsigned short *)0x1052 = 0x1234
continue
continue
delete
continue
