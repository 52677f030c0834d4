# guest: keys.bin
#
# A step on INT 16h goes into its stub, a breakpoint there is hit once for each call, and "monitor next" waits for
# the key.

set trace-commands on
monitor key a\q
monitor key <F13x
break *0x7c0b
continue
stepi
x/3i $pc
monitor key aB
continue
p/x $ax
monitor next
stepi
p/x $ax
p $eip == 0x7c0d
monitor key <Up>
continue
stepi
break *0xfe0b2
continue
p/x $ax
delete
monitor key \e
continue
monitor reset
monitor key c\e
continue
