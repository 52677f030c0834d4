# guest: sysret.bin
# options: --mode=64
# requires: sysret
#
# Steps over SYSRET, which sets TF or not, and then traps at once, as processors do; Bochs's, left alone, traps an
# instruction later.

set trace-commands on
hbreak *0x10a5
continue
display/i $pc
stepi
stepi
stepi
stepi
stepi 6
stepi
stepi
p $eflags & 0x100
stepi
stepi
stepi
stepi
stepi
p $edx
continue
p $edx
