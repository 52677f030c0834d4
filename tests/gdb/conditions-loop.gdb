# guest: sum.bin
#
# A condition that the stub decides at each pass of a loop in 16-bit code, is changed and is taken away; a
# range that is stepped over it; what `dprintf` prints meanwhile.

set breakpoint condition-evaluation target
set dprintf-style agent
set trace-commands on
break *0x1004 if ($ebx & 0xffff) == 5
continue
print $ax
print $bx
condition 1 ($ebx & 0xffff) >= 8 && *(unsigned short *)0x1000 == 0xc031
continue
print $bx
continue
print $bx
condition 1 ($ebx & 0xffff) == 18
dprintf *0x1009,"bx is %d\n", $ebx & 0xffff
continue
print $bx
stepi
stepi
condition 1
continue
monitor points
delete
continue
