# guest: sum.bin
# options: --load=0x1000
# requires: python
#
# The control and status register of SSE.

set trace-commands on
p/x $mxcsr
set $mxcsr = 0x1f00
p/x $mxcsr
try set $mxcsr = 0x10000
p/x $mxcsr
set $xmm0.uint128 = 7
p/x $mxcsr
set $st0 = 2.5
p/x $mxcsr
p/x $xmm0.uint128
