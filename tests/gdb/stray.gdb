# guest: stray.bin
# options: --mode=32 --memory=64M
#
# Code that is not there cannot be run, but the guest can be helped back.

set trace-commands on
continue
p $eax
stepi
continue
set $pc = 0x100a
x/i $pc
continue
