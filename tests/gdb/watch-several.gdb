# guest: watch-several.bin
# ignores: ^the guest runs slowly: on this host
#
# An instruction that hits more than one watchpoint: the stop is for one that has changed, which gdb would miss else.

set trace-commands on
watch *(char *)0x5000
watch *(char *)0x5001
rwatch *(char *)0x7000
continue
x/i $pc
continue
delete
rwatch *(char *)0x5000
watch *(char *)0x6000
continue
x/i $pc
continue
