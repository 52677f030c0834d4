# guest: plain32.bin
# options: --mode=32
# ignores: ^the guest runs slowly: on this host
#
# Instructions that look at descriptors, count bits and so on: stepped, and with a watchpoint on what they read.

set trace-commands on
tbreak *0x137e
stepi 30
continue
x/i $pc
rwatch *(short *)0x154e
continue
delete
tbreak *0x14e0
continue
