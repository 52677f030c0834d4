# guest: flat64.bin
# options: --mode=64
# requires: python
#
# Registers of 64-bit mode.

set trace-commands on
set $rax = 0x1122334455667788
set $rcx = 0xfedcba9876543210
set $rdx = 3
set $rbx = 4
set $rsi = 5
set $rdi = 6
set $rbp = 7
set $r8 = 8
set $r9 = 9
set $r10 = 10
set $r11 = 11
set $r12 = 12
set $r13 = 13
set $r14 = 14
set $r15 = 15
info registers rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15
set $eax = 1
p/x $rax
set $al = 0xff
p/x $rax
set $rsp = 0xffffffff80001000
p $rsp
set $fs_base = 0xffffffff80000000
set $gs_base = 0x7fffffffffff
p/x $fs_base
p/x $gs_base
try set $cr0 = 0x11
try set $cr4 = 0
try set $efer = 0
try set $efer = 0x400
try set $cr3 = 0x10000000000000
p $cr0
p/x $cr4
p/x $efer
set $xmm15.uint128 = 1
p/x $xmm15.v2_int64
set $pc = 0x103a
set $r15 = 2
stepi
stepi
p $r15
p $rip
try set $cs = 0x18
set $pc = 0x1043
continue
