# guest: e820.bin
# options: --console=gdb
#
# The map of memory, entry by entry, in the registers and in memory.

set trace-commands on
break *0x7c26
continue
p/x $ebx
p/x $eax
p $ecx
x/2xg 0x8000
x/xw 0x8010
ignore 1 2
continue
p/x $ebx
x/2xg 0x8000
x/xw 0x8010
continue
