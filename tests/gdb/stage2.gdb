# guest: stage2.bin
# options: --console=gdb
#
# A second stage that is loaded by number: a breakpoint in it that was set while its place was empty, and the BIOS's
# service run in one go by `monitor next`.

set trace-commands on
break *0x20000
tbreak *0x7c1f
continue
x/2i $pc
x/8xb $ds_base + $si
x/xw 0x20000
monitor next
stepi
x/i $pc
p $ah
x/2i 0x20000
continue
x/i $pc
p/x $cs
continue
