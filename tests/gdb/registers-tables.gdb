# guest: segments32.bin
# options: --mode=32
# requires: python
#
# LDTR and TR are loaded from the GDT, and a selector then from the LDT.

set trace-commands on
try set $tr = 0x38
stepi
set $tr = 0x38
info registers tr tr_base tr_limit
try set $tr = 0
try set $tr = 0x10
try set $tr = 0x28
try set $tr = 0x48
p/x $tr
try set $ldtr = 0x38
set var *(unsigned long long *)0x1068 = 0x000082002000000f
set var *(unsigned long long *)0x2008 = 0x00cf93300000ffff
try set $ds = 0xf
set $ldtr = 0x28
info registers ldtr ldtr_base ldtr_limit
try set $tr = 0x28
try set $ldtr = 0x2c
set $ds = 0xc
info registers ds ds_base
set var *(int *)0x300000 = 0x13572468
stepi
p/x $eax
set $ldtr = 0
try set $es = 0xc
p $ldtr
set var *(unsigned long long *)0x1068 = 0x0000810030000067
set $tr = 0x28
info registers tr tr_base tr_limit
