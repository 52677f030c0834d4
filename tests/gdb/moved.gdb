# guest: moved.bin
# ignores: ^the guest runs slowly: on this host
# options: --mode=32 --load=0x20000 --symbols=GUESTS/moved.elf32 --symbols-offset=0x20000
#
# A program that runs elsewhere than it is linked: all of its sections are where they are, not only .text,
# .data and .bss.

set trace-commands on
info line
info address start
info address add_up
info address weights
info address counts
info address total
x/3dw &weights
x/3dw &counts
tbreak add_up
continue
nexti
p/x (int) $eax
watch *(int *) &total
continue
delete
continue
p (int) total
info symbol $pc
kill
