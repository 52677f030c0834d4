# guest: segments32.bin
# options: --mode=32
# requires: python
#
# Registers of protected mode: a selector is loaded from the descriptor table, with the CPU's checks.

set trace-commands on
stepi
set var *(int *)0 = 0x12345678
set var *(int *)0x100000 = 0x55aa55aa
set $ds = 0x18
p/x $ds
p/x $ds_base
stepi
p/x $eax
set $fs = 0x20
p/x $fs
p/x $fs_base
stepi
p/x $ebx
set $gs = 0
p $gs
try set $ds = 0x28
try set $ds = 0x38
try set $ds = 0x48
try set $ds = 0x4
set $ds = 0x43
p/x $ds
try set $ss = 0x43
try set $ss = 0x20
try set $ss = 0x8
try set $ss = 0
try set $cs = 0x10
try set $cs = 0
try set $cs = 0xb
p/x $ss
p/x $cs
set $ss = 0x18
p/x $esp
set $esp = 0x102000
stepi
x/xw 0x101ffc
set $cs = 0x30
info registers cs cs_base eip
set $cs = 0x8
info registers cs cs_base eip
try set $cr0 = 0x80000010
try set $efer = 0x500
try set $cr4 = 0x40000000
try set $cr8 = 16
set $eip = 0x1014
continue
