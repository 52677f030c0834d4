# guest: screen-modes.bin
# options: --machine=pc --console=none
#
# The text on the guest's screen, of pages, other numbers of columns and rows, and without a cursor.

set trace-commands on
monitor screen
break *0x1010
break *0x1020
break *0x1030
break *0x1040
break *0x1050
continue
monitor screen
continue
monitor screen
continue
monitor screen
continue
monitor screen
continue
monitor screen
# What gdb writes is shown, too.
set var *(unsigned char[5] *)0xb8000 = "g\037d\037"
monitor screen
