# guest: modes.bin
# target: extended-remote
#
# run, kill and monitor reset begin the image anew, in real mode, whatever mode the guest was in; breakpoints
# are kept, and those at the beginning are hit.

set trace-commands on
set confirm off
break *0x7c20
break *0x7ca0
run
x/i $pc
continue
continue
x/i $pc
set var *(char *) 0x8000 = 99
run
x/i $pc
x/xb 0x8000
kill
info threads
break *0x7c00
run
x/i $pc
info breakpoints
delete 3
continue
continue
monitor reset
maintenance flush register-cache
p $pc
continue
x/i $pc
# Without a word to gdb, which steps off the breakpoint that it is not at any more.
monitor reset
continue
x/i $pc
continue
delete 1
# Points that gdb leaves inserted
set breakpoint always-inserted on
continue
monitor reset
maintenance flush register-cache
continue
monitor reset
maintenance flush register-cache
break *0x7c00
continue
monitor status
kill
run
