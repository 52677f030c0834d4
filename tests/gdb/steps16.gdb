# guest: calls.bin
# options: --load=0x7c00 --entry=07c0:0000
# requires: script
#
# nexti goes over near and far calls, direct and by a pointer, over interrupts, and over calls whose
# arguments the callee takes away; stepi goes into them; finish comes back from them; return leaves them.

set trace-commands on
display/i $pc
tbreak *0x7c22
continue
nexti
p/x $sp16
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
nexti
p/x $sp16
