# guest: c16.elf
# options: --mode=16
#
# 16-bit code in an ELF file: the same as the raw image of c16.gdb.

set trace-commands on
set print address off
set filename-display basename
p $cpu_mode
info registers cs ip sp16
x/2i $pc
break inner
continue
bt
finish
kill
