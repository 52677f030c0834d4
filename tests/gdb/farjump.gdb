# guest: farjump.bin
#
# Code in a segment that does not begin at 0: $pc and $sp are linear addresses all the same, so that
# gdb knows its breakpoints again and shows the right instructions; the raw registers stand beside
# them.

set trace-commands on
x/i $pc
break *0x7c05
break *0x7c0c
info registers cs ip cs_base eip
continue
info registers cs ip cs_base eip
x/i $pc
continue
x/i $pc
p $cx
info registers cs ip cs_base eip ss sp16 ss_base esp
continue
p $cx
continue
p $cx
continue
p $cx
stepi
x/i $pc
x/2xh $sp
stepi
x/i $pc
p/x $sp
x/2xh $sp
p $ss_base + $sp16 == $sp
stepi
p $bx
p/x $sp
delete
tbreak *0x7c0f
continue
until *0x7c12
p $bx
continue
