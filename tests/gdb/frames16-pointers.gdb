# guest: frames.bin
# options: --load=0x7c00 --entry=0000:7c00
# requires: script
#
# The same with procedures that use the stack in every way there is, called by pointers. Then who called
# what never returns.

set width 0
set suppress-cli-notifications on
python
def frames():
    frame = gdb.newest_frame()
    while frame:
        yield frame
        frame = frame.older()

def registers(frame):
    return {name: int(frame.read_register(name)) for name in
            ("pc", "cs", "ip", "cs_base", "sp", "sp16", "ebp", "bp", "si", "di", "bl", "bh", "ds", "eflags")}

def callers():
    return [registers(frame) for frame in frames()][1:]

before, instruction = callers(), None
while instruction != "hlt":
    instruction = gdb.execute("x/i $pc", to_string=True).split("\t", 1)[1].strip()
    print(*("%04x" % frame.pc() for frame in frames()), "|", instruction)
    gdb.execute("stepi")
    if len(callers()) < len(before):
        actual = registers(gdb.newest_frame())
        for name in actual:
            if actual[name] != before[0][name]:
                print("  %s is %#x, and was to be %#x" % (name, actual[name], before[0][name]))
    before = callers()
end
bt
up
up
up
info registers cs ip sp16 ebp eflags
