# guest: sum.bin
#
# A bare machine has no screen.

set trace-commands on
monitor screen
