# guest: paging.bin
# options: --mode=64
# requires: python
#
# Memory through page tables: pages that are elsewhere, that are not there, that cannot be written by
# the guest, and accesses that cross from one into the other.

set trace-commands on
try x/xb 0xffffffff80001000
try x/xb 0x8000000
x/xb 0x3ffffff
break *0xffffffff800010ba
continue
x/2i $pc - 7
p/x $edx
x/xw 0x400ffe
x/xh 0x201ffe
x/xh 0x200000
set var *(unsigned int *)0x400ffe = 0x55667788
x/xh 0x201ffe
x/xh 0x200000
x/xb 0x401fff
try x/2xb 0x401fff
try x/xb 0x402000
try p *(int *)0x401ffe
try set var *(int *)0x401ffe = -1
x/xh 0x401ffe
x/xw 0x403000
set var *(int *)0x403000 = 0x600df00d
x/xw 0x403000
x/xw 0x202000
try x/xw 0x404000
try set var *(int *)0x404000 = 1
try x/xw 0x200000000000
try x/xw 0x800000000000
try x/xw 0xffff7fffffffffff
try x/xw 0xffffffff7fffffff
try x/xb 0xffffffffffffffff
# Physical addresses, above the memory and above what has one page table entry, too.
monitor phys maybe
monitor phys on
x/xh 0x401ffe
x/xh 0x201ffe
x/xb 0x3ffffff
try x/xb 0x4000000
set var *(unsigned char *)0x200001 = 0x77
try set var *(unsigned short *)0x3ffffff = 1
try x/xb 0xffffffff80001000
monitor phys off
x/xh 0x401000
set var *(unsigned char *)0xffffffff80001000 = 0x90
x/xb 0x1000
set $pc = 0x10b3
stepi
p/x $edx
continue
