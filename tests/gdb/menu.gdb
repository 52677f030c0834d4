# guest: menu.bin
# options: --console=none
#
# A boot sector's menu, worked with `monitor key`: its screen, and its way through the table of entries.

set trace-commands on
break *0x7c18
continue
monitor key <Down>
continue
p *(char *) 0x7c02
monitor screen
monitor key <Up><Up>
continue
continue
p *(char *) 0x7c02
monitor key 1
tbreak *0x7c7a
continue
p/x *(short *) ($bx + 0x7cbb)
stepi
x/i $pc
continue
monitor screen
# Booted again, it begins where the BIOS has put it.
monitor key 2
tbreak *0x7c00
continue
x/i $pc
continue
p *(char *) 0x7c02
delete
monitor key 3
continue
