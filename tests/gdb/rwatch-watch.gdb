# guest: watch.bin
# options: --load=0x1000
# ignores: ^the guest runs slowly: on this host
#
# A page of which one byte is watched for writes and another for reads: the stack's, with POP and RET.

set trace-commands on
watch *(unsigned char *)0x2100
rwatch *(unsigned short *)0x2ffe
continue
x/i $pc
continue
x/i $pc
continue
