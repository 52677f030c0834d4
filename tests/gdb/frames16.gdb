# guest: calls.bin
# options: --load=0x7c00 --entry=07c0:0000
# requires: script
#
# Who called whom at every instruction of 16-bit code without symbols, each frame by its address; and
# that a caller's registers, as its callee's frame tells them, are those that it goes on with.

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
x/i $pc
p/x $ss_base + $sp16 - (long)$sp
up
p $st0
try up
down 2
up
info ivt 0x60
monitor registers core
stepi
bt
try info ivt
