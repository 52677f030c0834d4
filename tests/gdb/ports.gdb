# guest: ports.bin
# options: --load=0x1000
#
# Port I/O of all sizes, and both consoles, under gdb: text goes to standard output at once.

set trace-commands on
tbreak *0x1019
continue
p/x $eax
stepi
tbreak *0x1031
continue
x/2xb 0x2000
tbreak *0x103a
continue
p/c $bl
continue
