# guest: modes.bin
# options: --machine=bare
# requires: script
#
# With kvmgdb.py loaded gdb's own frames are used in 32-bit and 64-bit code.

tbreak *0x7c20
continue
python
def frames():
    return gdb.execute("bt", to_string=True) + gdb.execute("info frame", to_string=True)

def same():
    with_script = frames()
    unwinder = next(u for u in gdb.frame_unwinders if u.name.startswith("kvmgdb"))
    unwinder.enabled = gdb.frame_filters[unwinder.name].enabled = False
    gdb.invalidate_cached_frames()
    print(gdb.newest_frame().architecture().name(), with_script == frames())
    unwinder.enabled = gdb.frame_filters[unwinder.name].enabled = True

same()
end
tbreak *0x7cbc
continue
python same()
try x16 8:0
try bseg 8:0
try p $seg(8, 0)
info ivt
set $gdtr_base = 0x7cc8
set $gdtr_limit = 0x1f
info gdt
# A TSS and an LDT, which have 16 bytes in long mode, and gates for vectors 0, 3 and 33.
set var *(unsigned long *)0x9000 = 0
set var *(unsigned long *)0x9008 = 0x12008b345600ffff
set var *(unsigned long *)0x9010 = 0xffffffff
set var *(unsigned long *)0x9018 = 0x0000820100000fff
set var *(unsigned long *)0x9020 = 0
set var *(unsigned long *)0x9028 = 0x00af9a000000ffff
set $gdtr_base = 0x9000
set $gdtr_limit = 0x2f
info gdt
info gdt 8
info gdt 0x18
set var *(unsigned long *)0x9100 = 0x81118e000008f222
set var *(unsigned long *)0x9108 = 0xffffffff
set var *(unsigned long *)0x9130 = 0x8111ef0000081234
set var *(unsigned long *)0x9138 = 0xffffffff
set var *(unsigned long *)0x9310 = 0x00008e0000087cbc
set $idtr_base = 0x9100
set $idtr_limit = 0x21f
info idt
info idt 33
try info idt 34
set $idtr_base = 0x7fffffff
try info idt
python print(sorted(n for n in globals() if "kvmgdb" in n or n in ("re", "number", "Code", "register")))
