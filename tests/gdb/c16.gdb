# guest: c16.bin
# options: --load=0x7c00 --entry=0000:7c00
# symbols: c16.elf 0x7c00
# requires: script
#
# C in 16-bit code: the compiler's own tables are used where there are some.

set print address off
set filename-display basename
break inner
continue
backtrace
info locals
next
p product
finish
up
info locals
down
next
continue
backtrace
finish
finish
next
continue
backtrace
delete
finish
continue
backtrace
up
p result
