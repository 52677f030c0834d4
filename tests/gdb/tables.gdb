# guest: tables.bin
# requires: script
#
# Descriptor tables, addresses and callers where segments have descriptors: 16-bit and 32-bit protected mode.

tbreak *0x1013
continue
x/i $pc
p $cr0
set trace-commands on
set $gdtr_base = 0x1090
set $gdtr_limit = 0x77
set $idt_base = 0x1120
set $idt_limit = 0x2f
info gdt
info gdt 0x3b
try info gdt 0x78
try info idt
stepi
info idt
info idt 1
try info idt 6
p/x $seg(0x28, 2)
p/x $seg(0x38, 0x10)
p/x $seg(0x38, 0xfffffff0)
try p/x $seg(0x50, 0)
try p/x $seg(0x78, 0)
p/x $seg(0, 0)
try p/x $seg(3, 0)
set $gdtr_limit = 0x3e
try p/x $seg(0x38, 0)
set $gdtr_limit = 0x77
tbseg 28:3c
continue
set $ldtr_base = 0x1110
set $ldtr_limit = 15
p/x $seg(0x0c, 1)
x16/2i 28:3c
x16/2xh ss:sp
backtrace
tbseg 30:3
continue
backtrace
finish
nexti
finish
backtrace
nexti
tbreak *0x1086
continue
p/x $seg($cs, 5)
p/x $seg(0x30, 5)
x16/i 8:1086
x16/i cs:eip
