# guest: screen-graphics.bin
# options: --machine=pc --console=none
#
# Where there is no text, monitor screen says so.

set trace-commands on
continue
monitor screen
