# guest: services.bin
# options: --console=gdb
# requires: script
#
# `monitor catch': the guest stops before a BIOS service is done, in the BIOS, with the caller's registers,
# and the service is done once.

set trace-commands on
monitor catch
monitor catch int 0x12
monitor catch int 1ah 0
monitor catch int 300
monitor catch int
monitor catch
continue
x/i $pc
bt
p/x $ax
# It is done by a step off its OUT; and the step does not say it again.
stepi
p $ax
stepi
x/i $pc
# It is done by a continue, to the next one: the ticks are asked for before and after a wait of two seconds.
continue
x/i $pc
p/x $dx
continue
bt 1
# A breakpoint at the same place comes first, and the service is done once still.
break *$pc
finish
# 36 or 37 ticks, by where in one the wait began; the guest's own count is made a fixed one.
p ($dx - *(unsigned short *) $sp) / 2 == 18
set $dx = *(unsigned short *) $sp + 2
delete
# What has been changed meanwhile counts.
monitor catch off
monitor catch int 0x10
continue
set $al = '!'
monitor catch off
tbreak *0x7cdf
continue
# Back at an INT of the user's choice, it is caught again.
monitor catch int 0x15 0x53
continue
set $pc = 0x7cdf
continue
monitor catch int 0x15 off
monitor catch
continue
