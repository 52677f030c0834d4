# guest: shutdown.bin
#
# A reset that the guest comes back from, by the keyboard controller and by port 92h; stepped, too.

set trace-commands on
set confirm off
tbreak *0x7c2d
continue
stepi
info registers eip cs cr0 esp ss
tbreak *0x7c6c
continue
stepi
tbreak *0x7cac
continue
