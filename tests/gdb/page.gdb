# guest: paging.bin
# options: --mode=64
#
# Where addresses lead, with paging and without, and where they do not.

set trace-commands on
tbreak *0x1088
continue
monitor page 0x1088
monitor page 0xffffffff800010b3
monitor page 0x7fffffff0000
monitor page 0x800000000000
monitor page
monitor page x
monitor page 0x10000000000000000
