# guest: calls.bin
# options: --load=0x7c00 --entry=07c0:0000
# requires: script
#
# Segmented addresses in real mode, and the interrupt vectors.

set trace-commands on
p/x $seg(0x7c0, 5)
p/x $seg(0xffff, 0xffff)
p/x $seg($cs, $ip)
try p $seg(1)
try p $seg(1, 2, 3)
try p $seg(0x12345, 0)
try p $seg(0, 0x10000)
try p $seg(0, -1)
try p $seg("a", 1)
info ivt
tbseg 7c0:22
continue
x16/2i 7c0:22
x16 /i 0x7C0:0x25
x16/i cs:ip
x16/i $cs:$ip+3
x16/i cs:eip
x16/2xh ss:sp
x16/2xh $ss:$sp16+2
x16/xb es:0180
bseg 700:0c25 if $sp16 == 0x1000
info breakpoints
info ivt
set var *(unsigned *)0x20 = 0xf000ff53
set var *(unsigned *)0x24 = 0xf000ff53
info ivt
info ivt 3
info ivt 0x60
try info ivt 256
try info ivt no
try x16
try x16 7c0
try x16 :1
try x16 1:
try x16/4i 10000:0
try x16 zz:0
try x16 $nosuch:0
try x16/q 0:0
try bseg
try bseg 7c00
try bseg 7c0:0 nonsense
try tbseg 7c0
try info idt
continue
help x16
help bseg
help tbseg
help info ivt
help info gdt
help info idt
help function seg
