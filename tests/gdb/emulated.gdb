# guest: can-mmx.bin
# options: --load=0x1000
# requires: no-mmx
#
# An instruction that the host cannot emulate stops the guest, which can be helped over it.

set trace-commands on
continue
x/i $pc
continue
set $pc = 0x100d
continue
