# guest: disk.bin
# options: --console=none
# requires: script
#
# A service of the BIOS: caught by its vector and AH, entered by a step, gone over by a step in three ways, and told of.

set trace-commands on
monitor catch int 0x13 2
continue
bt
p/x $ah
monitor catch off
tbreak *0x7c37
continue
x/i $pc
stepi
x/i $pc
bt
finish
x/i $pc
# The next character: with the script, without it, and the stub as a place to stop at.
tbreak *0x7c37
continue
nexti
x/i $pc
monitor trace bios on
tbreak *0x7c37
continue
monitor next
stepi
x/i $pc
monitor trace bios off
break *0xfe080
tbreak *0x7c37
continue
nexti
bt 1
