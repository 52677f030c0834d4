# guest: x87.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
#
# x87 instructions with operands of all kinds, run and stepped: with KVM or without.

set pagination off
continue
x/22xg 0x2000
p/x $fstat
p/x $fctrl
p/x $ftag
monitor reset
set $n = 0
while $n < 100 && *(unsigned char *)$pc != 0xf4
  stepi
  set $n = $n + 1
end
printf "%d steps\n", $n
x/22xg 0x2000
p/x $fstat
p/x $fctrl
p/x $ftag
monitor reset
watch *(short *)0x2010
continue
