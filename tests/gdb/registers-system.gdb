# guest: system.bin
# options: --mode=64
# requires: python
#
# What is written to system registers is what the guest reads. Some hosts' KVM lets no one set the clock, and
# AMD processors keep half of SYSENTER_ESP: then that is an error, and nothing is changed.

set trace-commands on
set $gdt_base = 0x3000
set $gdt_limit = 0x17
set var *(unsigned long long *)0x3010 = 0x800089123456ffff
set var *(unsigned long long *)0x3018 = 0x00000000ffff8000
try set $tr = 0x10
set $gdt_limit = 0x1f
set $tr = 0x10
info registers tr tr_base tr_limit
set $gdt_base = 0xffffffff80123000
set $gdt_limit = 0x17f
set $idt_base = 0x123456000
set $idt_limit = 0xfff
p/x $gdt_base
p/x $gdt_limit
p/x $idt_base
p/x $idt_limit
set var *(unsigned long long *)0x3010 = 0x000081000000ffff
set $gdt_base = 0x3000
try set $tr = 0x13
set $gdt_base = 0xffffffff80123000
set $ldtr_base = 0x5000
set $ldtr_limit = 0x1fffff
set $tr_base = 0xffff800000006000
set $tr_limit = 0x100fff
info registers ldtr ldtr_base ldtr_limit tr tr_base tr_limit
set $cr2 = 0x1234
set $cr8 = 7
set $dr0 = 0x1000
set $dr1 = 0x8000000000000000
set $dr2 = 2
set $dr3 = -1
info registers dr0 dr1 dr2 dr3 dr6 dr7
set $dr7 = 0xd0002
p $dr7
set $dr7 = 0x400
set $dr6 = 0x4001
p $dr6
set $lstar = 0xffffffff81000000
set $pat = 0x0606060606060606
set $sysenter_esp = 0x88801000
set $kernel_gs_base = 0x7fff12345678
set $gs_base = 0x1111
p/x $lstar
p/x $pat
p/x $sysenter_esp
p/x $kernel_gs_base
p $cr4
set $cr4 = $cr4 | 0x200
p $cr4
set $efer = $efer | 1
p $efer
set $xcr0 = 3
p $xcr0
p $xcr0 & 1
continue
x/5xh 0x2000
x/5xh 0x2010
p/x $r8
p/x $r9
p/x $r10
p/x $r11
p/x $r12
p/x $r13
p/x $r14
p/x $rbx
p/x $rbp
x/3xg 0x2020
p/x $gs_base
p/x $kernel_gs_base
set trace-commands off
python
def holds(register, value, moves):
    before = int(gdb.parse_and_eval("$" + register)) % 2**64
    try:
        gdb.execute("set $%s = 0x%x" % (register, value))
        expected = value
    except gdb.error:
        expected = before
    now = int(gdb.parse_and_eval("$" + register)) % 2**64
    return expected <= now < expected + moves
print(holds("tsc", 1 << 60, 1 << 50), holds("sysenter_esp", 0xffff888000001000, 1))
end
