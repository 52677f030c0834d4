# guest: modes.bin
# options: --console=none
#
# What `dprintf` has the stub print, once each time that the guest comes there: by a step, after which it is left, and
# freely.

set dprintf-style agent
tbreak *0x7c31
continue
dprintf *0x7c33,"at %08x\n", $eip
set trace-commands on
stepi
stepi
dprintf *0x7ca0,"long mode, %d\n", 64
continue
