# guest: die.bin
# options: --mode=32
# requires: fault-registers
#
# A triple fault ends the guest; what can be done with it then is to look, and to begin anew.

set trace-commands on
continue
continue
stepi
info threads
x/i 0x1005
