# guest: undelivered.bin
# options: --mode=32 --memory=64M
# ignores: ^KVM internal error .* data
# requires: delivery-error
#
# An exception that KVM cannot deliver ends the guest.

set trace-commands on
continue
x/2i $pc
continue
x/i $pc
info registers eip esp eflags
continue
info threads
