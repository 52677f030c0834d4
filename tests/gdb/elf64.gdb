# guest: kernel64.elf
# ignores: ^the guest runs slowly: on this host
#
# The same in 64-bit mode.

set trace-commands on
set print address off
p/x $pc
p $cpu_mode
info symbol $pc
break main
break sum if count == 2
watch filled
continue
list fill
next
info locals
next
next
next
next
delete 3
continue
bt
finish
up
delete
watch total
continue
delete
continue
p squares
x/i $pc
kill
