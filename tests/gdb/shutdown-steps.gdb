# guest: shutdown-steps.bin
# requires: fault-registers
#
# Nothing follows an instruction that ends in a reset: no trap of the guest's own TF, no iterations, no watchpoint.

set trace-commands on
set confirm off
tbreak *0x7c33
continue
stepi
info registers eip ecx eflags esp
stepi
tbreak *0x7c78
continue
info registers ecx
watch *(char *) 0x123456
stepi
info registers eip ecx edi
delete
continue
