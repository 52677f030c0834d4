# guest: overwrite.bin
#
# Breakpoints in code that the guest overwrites while it runs, on every host, by steps.

set trace-commands on
monitor exact on
break *0x10f0
break *0x10f1
break *0x10f2
break *0x10f3
break *0x1101
break *0x1104
x/7xb 0x1100
continue
p $ax
x/7xb 0x1100
continue
p $ax
continue
p $ax
delete 6
continue
p $ax
delete
continue
p $ax
