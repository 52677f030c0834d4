# guest: calls.bin
# options: --load=0x7c00 --entry=07c0:0000
#
# Steps over calls, INT and string instructions without the help of gdb's frames: `monitor next'.

set trace-commands on
break *0x7c22
continue
delete
x/i $pc
p/x $sp
monitor next
stepi
x/2i $pc
p/x $sp
monitor next
stepi
x/i $pc
monitor next
stepi
x/i $pc
# It was for one step; this one goes into the call, over an instruction that calls nothing.
stepi
monitor next
stepi
x/i $pc
# A call that comes to the place behind it in a deeper call of itself, too.
break *0x7cc0
continue
delete
set *(short *) $sp = 3
p/x $sp
monitor next
stepi
p/x $sp
# A breakpoint in what is called is a stop of its own, and the end of it.
set $pc = 0x7c45
break *0x7cc6
monitor next
stepi
stepi
# One behind the call is hit as such.
delete
set $pc = 0x7c2a
set $sp = 0x21000
break *0x7c2c
monitor next
stepi
x/i $pc
# One there whose condition says no does not keep the step from its end.
delete
set $pc = 0x7c2a
set $sp = 0x21000
break *0x7c2c if $cs == 1
monitor next
stepi
x/i $pc
kill
