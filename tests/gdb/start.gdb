# guest: moved.bin
# options: --mode=32 --load=0x20000 --symbols=GUESTS/moved.elf32 --symbols-offset=0x20000
# target: extended-remote
# ignores: ^`target:.*has disappeared; keeping its symbols
#
# start and run, with symbols that gdb reads and moves again.

set trace-commands on
set confirm off
break add_up
start
continue
continue
run
continue
continue
continue
p (int) total
monitor reset
maintenance flush register-cache
info symbol $pc
p (int) total
start some arguments
kill
info breakpoints
