# guest: segments16.bin
# requires: python
#
# Registers of real mode, written and read back, and used by the guest: a selector moves its base.

set trace-commands on
set $eax = 0x11223344
set $ecx = 0x22334455
set $edx = 0x33445566
set $ebx = 0x44556677
set $ebp = 0x55667788
set $esi = 0x66778899
set $edi = 0x778899aa
info registers eax ecx edx ebx ebp esi edi
set $ax = 0xbeef
set $bl = 0x55
set $bh = 0xaa
p/x $eax
p/x $ebx

set var *(unsigned short *)0x20000 = 0xcafe
set $ds = 0x2000
set $es = 0x3000
set $fs = 0x4000
set $gs = 0xffff
p/x $ds_base
p/x $gs_base
stepi
p/x $eax
stepi
x/xh 0x30002
stepi
x/xh 0x40004
stepi
x/xh 0xffff6
set $ss = 0x5000
set $sp16 = 0x100
p/x $sp
stepi
x/xh $sp
p/x $esp
set $sp = 0x5f000
p/x $ss
p/x $sp16
set $sp = 0x61234
p/x $ss
p/x $sp16
p/x $ss_base

try set $ds = 0x12345
p/x $ds
set $ds_base = 0x123000
p/x $ds_base
x/i $pc
p $eflags
stepi
p $eflags
stepi
p $eflags
set $eflags = 0xcd7
p $eflags
set $eflags = 0
p $eflags
p/x $eflags
set $eip = 0x12345
info registers cs ip cs_base eip
set $ip = 0x7ff0
info registers cs ip cs_base eip
set $cs = 0x100
info registers cs ip cs_base eip
set $pc = 0x10ffef
p/x $cs
p/x $ip
p/x $cs_base
try set $pc = 0x10fff0
try set $pc = 0x80000000
p/x $pc
p/x $ip
set $pc = 0x1012
info registers cs ip cs_base eip

set $cr2 = 0x1234
p $cr2
set $cr8 = 5
p $cr8
try set $cr8 = 16
p $cr8
try set $cr0 = 0x80000010
try set $cr0 = 0x20000010
p $cr0
try set $cr4 = 0x80000000
set $cr4 = 0x10
p/x $cr4
set $cr4 = 0
try set $efer = 0x400
p/x $efer
try set $cpu_mode = 64
p $cpu_mode

set $st0 = 1.5
set $st7 = -2
p $st0
p $st7
p/x $fctrl
set $fctrl = 0x27f
p/x $fctrl
set $xmm0.v4_int32 = {1, 2, 3, 4}
p $xmm0.v4_int32
p/x $xmm0.uint128
set $xmm7.uint128 = -1
p/x $xmm7.v2_int64
continue
