# guest: bcd.bin
# options: --load=0x1000
#
# Decimal arithmetic, and instructions that do nothing: with KVM or without.

set trace-commands on
tbreak *0x10d0
continue
x/4xw 0x2000
stepi
stepi
stepi
continue
monitor reset
stepi 30
info registers eax ebx eflags
