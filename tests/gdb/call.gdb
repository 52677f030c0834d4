# guest: flat32.bin
# options: --mode=32
#
# A function called by gdb: all registers are read before and written back after it.

set trace-commands on
set var *(unsigned *)0x3000 = 0x0424448b
set var *(unsigned *)0x3004 = 0x1234b940
set var *(unsigned *)0x3008 = 0x00c30000
x/4i 0x3000
set $ecx = 77
set $dr1 = 0x4321
set $xmm1.uint128 = 99
set $lstar = 0x123456
p ((int (*)(int))0x3000)(41)
info registers ecx eip esp cs ss dr1
p $xmm1.uint128
p/x $lstar
p ((int (*)(int))0x3000)(99)
