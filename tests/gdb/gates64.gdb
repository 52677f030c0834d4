# guest: gates64.bin
# options: --mode=64
#
# INT and INT3 in 64-bit mode, stepped and then free: with KVM or without, each is one step.
# SS is not looked at: not all processors clear it where the stack comes from the table.

set pagination off
set $n = 0
while $n < 200 && *(unsigned char *)$pc != 0xf4
  stepi
  if *(unsigned char *)$pc == 0x9c || *(unsigned char *)$pc == 0xcd || *(unsigned char *)$pc == 0x48
    printf "%x:%x sp %x flags %x\n", $cs, $rip, $rsp, $eflags & 0x3fd5
  end
  set $n = $n + 1
end
x/28xg 0x6000
info registers rax rdi rsp eflags cs
monitor reset
continue
x/28xg 0x6000
info registers rax rdi rsp eflags cs
