# guest: sum.bin
# options: --load=0x1000 --memory=1M
# requires: python
#
# The edges of memory in real mode.

set trace-commands on
x/xb 0xfffff
set var *(unsigned char *)0xfffff = 0x5a
x/2xb 0xffffe
try x/xb 0x100000
try x/4xb 0xffffe
try x/xh 0xfffff
try p *(unsigned short *)0xfffff
try set var *(unsigned short *)0xfffff = 0x1234
x/xb 0xfffff
try set var *(unsigned char *)0x100000 = 1
try x/xb 0xffffffff
try set var *(unsigned char *)0xffffffff = 1
try x/xb 0x80000000
find /b 0xffff0, 0xfffff, (char)0x5a
set var *(unsigned long long *)0xffff8 = 0x1122334455667788
x/xg 0xffff8
x/2i $pc
continue
