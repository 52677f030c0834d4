# guest: priority.bin
# options: --mode=64
#
# A lower task priority, of which processors' KVM tells instead of the end of a step.

set trace-commands on
stepi
stepi
p $cr8
stepi
stepi
p $cr8
stepi
x/i $pc
continue
