# guest: die.bin
# options: --mode=32
# requires: no-fault-registers
#
# A triple fault on a processor that then resets itself: memory is as it was, the registers are not.

set trace-commands on
continue
info registers eip cs cs_base
x/7xb 0x1000
continue
stepi
info threads
