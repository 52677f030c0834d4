# guest: gates32.bin
# options: --mode=32
#
# INT, INT3, INTO and IRET through gates of all kinds, stepped and then free: with KVM or without, each is one step.
# AF is left out: SHL leaves it undefined.

set pagination off
set $n = 0
while $n < 260 && *(unsigned char *)$pc != 0xf4
  stepi
  if $cs != 8 || *(unsigned char *)$pc == 0xcf || *(unsigned char *)$pc == 0x9c || *(unsigned char *)$pc == 0xcd
    printf "%x:%x sp %x:%x flags %x\n", $cs, $eip, $ss, $esp, $eflags & 0x3fc5
  end
  set $n = $n + 1
end
x/44xw 0x6000
info registers eax ebx ecx edx esp eflags cs ss ds es
monitor reset
continue
x/44xw 0x6000
info registers eax ebx ecx edx esp eflags cs ss ds es

# A #UD gate makes no difference.
monitor reset
maintenance flush register-cache
tbreak *0x105b
continue
set var *(unsigned long long *)($idt_base + 6 * 8) = 0x8e00000810f0
stepi 3
x/i $pc
stepi
p/x $cs
x/i $pc
