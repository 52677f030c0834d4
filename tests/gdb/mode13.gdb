# guest: mode13.bin
# options: --console=none
#
# A picture in mode 13h: breakpoints while it is painted, its memory, and that it is one.

set trace-commands on
tbreak *0x7c0e
continue
p/x *(char *) 0x449
monitor screen
x/2xb 0xa0000
continue
x/4xb 0xa0000
x/xb 0xa0000 + 100 * 320 + 160
monitor screen
