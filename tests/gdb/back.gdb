# guest: back.bin
# options: --mode=64
# ignores: ^the guest runs slowly: on this host
#
# From 64-bit mode back to real mode: by watchpoint, by breakpoint, and by step.

set trace-commands on
watch *(unsigned char *)0x3000
continue
x/i $pc
continue
x/i $pc
continue
x/i $pc
continue
x/i $pc
continue
x/i $pc
p $cpu_mode
delete
continue
kill
