# guest: multiboot1.elf
# options: --console=none --append=quiet
# ignores: ^sections:\|^Temporary breakpoint [0-9]* at
#
# A C kernel that is given what Multiboot says, with its source lines.

set trace-commands on
set print address off
set print frame-arguments none
x/i $pc
p/x $eax
tbreak main
continue
p/x magic
p info == $ebx
p info[0] & 7
p (char *) info[4]
tbreak print_range
continue
p/x *entry@5
up
continue
monitor screen
