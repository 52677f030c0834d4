# guest: c16.bin
# options: --load=0x7c00 --entry=0000:7c00
# symbols: c16-names.elf 0x7c00
# requires: script
#
# A compiler's 32-bit frames in 16-bit code, without what the compiler tells of them.

set print address off
break *inner
continue
backtrace
stepi 3
backtrace
finish
backtrace
continue
backtrace
finish
finish
backtrace
delete
nexti
backtrace
