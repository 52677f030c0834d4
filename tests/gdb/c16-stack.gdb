# guest: c16.bin
# options: --load=0x7c00 --entry=0000:7c00
# symbols: c16.elf 0x7c00
# requires: script
#
# The compiler's tables are of no use where the stack's segment does not begin at 0: callers, arguments and
# local variables are right without them.

set print address off
set filename-display basename
tbreak main
continue
backtrace
# The stack again, from another segment; what main() pushed is copied.
set $word = 0
set $from = (unsigned long)$sp
set $ss = 0x300
set $sp16 = (unsigned long)$from
while $word < 16
	set var *(unsigned short *)($from + 0x3000 + 2 * $word) = *(unsigned short *)($from + 2 * $word)
	set $word = $word + 1
end
backtrace
break *inner
continue
backtrace
finish
nexti
backtrace
up
info locals
