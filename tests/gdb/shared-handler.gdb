# guest: shared-handler.bin
# options: --mode=32
# ignores: ^the guest runs slowly: on this host
#
# Faults with and without an error code, all with one handler, and INT with TF set: free, with a breakpoint at the
# instruction, with a watchpoint, and stepped, without a trace on the stack.

set trace-commands on
continue
info registers eax ebx ecx eip
monitor reset
break *0x1051
break *0x1060
continue
continue
continue
info registers eax ebx ecx eip
delete
monitor reset
watch *(int *)0x9000
continue
info registers eax ebx ecx eip
delete
monitor reset
set trace-commands off
stepi
set $n = 0
while $n < 300 && *(unsigned char *)$pc != 0xf4
  stepi
  set $n = $n + 1
end
info registers eax ebx ecx eip
