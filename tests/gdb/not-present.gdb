# guest: undeliverable.bin
# options: --mode=64
# requires: not-present
#
# A step comes to the handler of what the delivery of an exception raises, where its own gate is not present.

set trace-commands on
break *0x1061
continue
x/2i $pc
stepi
x/i $pc
x/xg $sp + 8
stepi 4
x/i $pc
