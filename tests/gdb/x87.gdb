# guest: can-x87.bin
# options: --load=0x1000
# requires: x87
#
# Floating point registers that the guest has set.

set trace-commands on
tbreak *0x1004
continue
p $st0
p/x $fstat
p/x $ftag
set $st0 = 2.5
p $st0
continue
