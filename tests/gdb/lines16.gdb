# guest: calls.bin
# options: --load=0x7c00 --entry=07c0:0000
# symbols: calls.o 0x7c00
# requires: script
#
# The same by lines, with symbols from nasm: next goes over calls and interrupts, step into them.

set filename-display basename
tbreak outer
continue
backtrace
next
next
next
next
next
next
next
step
backtrace
finish
finish
next
next
next
step
backtrace
finish
tbreak 116
continue
backtrace
backtrace -1
up
info symbol $pc
until
advance text
finish
tbreak halt
continue
backtrace
