# guest: modes.bin
# options: --console=none
#
# The conditions that the stub decides, in 16-, 32- and 64-bit code: on registers and on memory, one that only
# gdb can decide in the end, two at one place; and what `dprintf` prints in 32- and 64-bit code.

set breakpoint condition-evaluation target
set dprintf-style agent
set trace-commands on
break *0x7c01 if ($eax & 0xffff) == 1
break *0x7c01 if *(unsigned char *)0x7c01 == 0xb0
continue
delete
break *0x7c20 if $ecx / ($eax - $eax) == 3
continue
x/i $pc
delete
dprintf *0x7c33,"%x at %08x, %5d%%: %c%s\n", $eax & 0xff, $eip, -7, 0x7c, (char *)0x7dfe
set var *(int *)0x7dfe = 0x6b6f
break *0x7ca0
continue
hbreak *0x7cbc if $r8 == 2
break *0x7cbc if $r8 == 1
dprintf *0x7cc1,"rax is %lx, r8 %lld\n", $rax, $r8
continue
continue
info breakpoints
continue
