# guest: paging.bin
# options: --mode=64
#
# Breakpoints where there are no pages yet, more than there are debug registers: they are hit when the
# guest has made the pages and gone there, and a word tells why that takes its time.

set trace-commands on
break *0xffffffff80000100
break *0xffffffff80000200
break *0xffffffff80000300
break *0xffffffff80000400
break *0xffffffff800010b3
break *0xffffffff800010ba
break *0x1088
continue
continue
x/i $pc
continue
x/i $pc
p/x $edx
delete
continue
