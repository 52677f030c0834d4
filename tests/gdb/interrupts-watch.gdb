# guest: interrupts16.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
#
# An interrupt comes while watchpoints have the guest stepped, or its stack guarded: once, with both accesses
# of its frame, and to a HLT behind STI, too.

set trace-commands on
break *0x1013
continue
delete
rwatch *(unsigned short *)0x7ffa
watch *(unsigned short *)0x7ffc
monitor interrupt 0x20
continue
x/i $pc
x/3xh $sp
continue
p $bx
monitor status
# A HLT behind STI is ended by one, and others are not there.
set var *(unsigned char *)0x1016 = 0xf4
set $pc = 0x1014
set $eflags = 2
monitor interrupt 0x20
continue
p $bx
x/i $pc
delete
watch *(unsigned short *)0x9000
continue
p $bx
monitor interrupt 0x20
continue
p $bx
kill
