# guest: upper.bin
# options: --mode=32 --symbols=GUESTS/modes.elf64
# ignores: ^the guest runs slowly: on this host
#
# Breakpoints in the upper half, more than there are debug registers, in a guest that is known to be one of 64 bits: they
# are found by stepping until it has come there.

set trace-commands on
break *0xffffffff80001040
break *0xffffffff80001050
break *0xffffffff80001060
break *0xffffffff80001100
continue
x/i $pc
