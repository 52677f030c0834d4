# guest: sum.bin
# options: --load=0x1000
#
# The example of ./bootstrap demo: stop in the loop, see AX grow, go on to the port write and the halt.

set trace-commands on
x/9i $pc
break *0x1004
display/d $ax
display/i $pc
continue
continue
continue
stepi
delete breakpoints
continue
