# guest: modes.bin
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
python print(sorted(n for n in globals() if "kvmgdb" in n or n in ("re", "number", "Code", "register")))
