# guest: modes.bin
# options: --console=none
#
# Conditions on registers of every kind: general ones and their parts, the segments, flags, control
# registers and the mode; and a breakpoint with a count.

set trace-commands on
break *0x7c00 if $ax == 1
break *0x7c01 if $cs == 0 && $ip == 0x7c01
break *0x7c20 if $cr0 & 1 && $cpu_mode == 32 && $cs == 8
break *0x7c8e if $efer & 0x100 && !($efer & 0x400)
break *0x7c8e if $efer & 0x400 && $cr4 & 0x20
break *0x7cbc if $r8 == 2
break *0x7cbf if $eflags & 0x40
break *0x7cc1 if $al == 0x88 && *(char *)0x8001 == 0x77
continue
continue
continue
continue
continue
continue
info breakpoints
