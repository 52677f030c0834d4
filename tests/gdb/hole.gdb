# guest: hole.bin
# options: --mode=32 --memory=64M
#
# Accesses to where there is no memory are reported.

set trace-commands on
continue
x/2i $pc
continue
p $eax
x/i $pc
continue
