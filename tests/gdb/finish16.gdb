# guest: calls.bin
# options: --load=0x7c00 --entry=07c0:0000
# requires: script
#
# finish, up, down, until and return in procedures and in an interrupt handler of 16-bit code.

set trace-commands on
display/i $pc
tbreak *0x7c85
continue
backtrace
up 3
info registers ax bx cx bp si
p $bl
p $bh
down 3
finish
p/x $sp16
finish
p/x $sp16
finish
p/x $sp16
try finish
stepi
stepi
finish
p/x $sp16
stepi
p/x $sp16
backtrace
up
p/x $sp16
p $eflags
down
finish
p/x $sp16
tbreak *0x7c85
continue
backtrace
up 2
info registers cs ip sp16 ss
down
finish
p/x $sp16
tbreak *0x7cb3
continue
backtrace
finish
finish
p/x $sp16
tbreak *0x7cc6
continue
backtrace
up
info registers bp bx
p $bl
p $bh
down
try return
backtrace 1
p/x $sp16
finish
p/x $sp16
