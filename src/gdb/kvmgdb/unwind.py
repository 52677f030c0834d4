"""The frames of 16-bit code.

16-bit code has no unwind tables and often no frame pointer, but it finds its return address itself. So
the code is followed from the program counter on, and of each instruction what it does to SP and BP, until
a way comes to a RET, RETF or IRET. What that would take from the stack is the return address, if there is
a call in front of it; with an IRET, which may go back to any place, if the flags can be flags. For code
that never returns it is the other way round: a word of the stack with a call in front of it is the return
address if the callee's code, followed from its beginning, comes to the program counter with SP as it is.

A frame's id is the address behind its return address, from the callee's first instruction to its last:
gdb's nexti, next and finish compare it.
"""

import re

import gdb
import gdb.FrameDecorator
import gdb.unwinder

from kvmgdb.cpu import Memory, little, number, real_addresses, signed, table_base

GENERAL = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di")  # in the order of their numbers
SP, BP = 4, 5


class Instruction:
    """The size of its operands, its opcode (two bytes with 0x0f00), and what follows that."""

    PREFIXES = b"\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3"

    def __init__(self, code):
        self.length, self.size, at = len(code), 2, 0
        while at < len(code) - 1 and code[at] in self.PREFIXES:
            self.size = 4 if code[at] == 0x66 else self.size
            at += 1
        self.opcode, self.rest = code[at], code[at + 1:]
        if self.opcode == 0x0F and self.rest:
            self.opcode, self.rest = 0x0F00 | self.rest[0], self.rest[1:]
        # If there is a ModR/M byte: its reg field, and its r/m field if that is a register.
        modrm = self.rest[0] if self.rest else 0
        self.reg, self.rm = modrm >> 3 & 7, modrm & 7 if modrm >= 0xC0 else None

    def called(self):
        """How its callee returns, if it is a call."""
        if self.opcode == 0xE8 or (self.opcode == 0xFF and self.reg == 2):
            return "near"
        if self.opcode == 0x9A or (self.opcode == 0xFF and self.reg == 3):
            return "far"
        return "interrupt" if self.opcode in (0xCC, 0xCD, 0xCE, 0xF1) else None


class Path:
    """The CPU's state at a place that the code may come to. None is a value that is not known."""

    def __init__(self, ip, base, sp, registers):
        self.ip, self.base, self.sp, self.registers = ip, base, sp, registers
        self.pushed = {}  # by the byte
        self.bp_slot = None  # where BP was pushed first, and in which size
        self.before = None  # the opcode of the instruction before, as far as PUSH CS and PUSHF

    def fork(self, ip):
        path = Path(ip, self.base, self.sp, list(self.registers))
        path.pushed, path.bp_slot = dict(self.pushed), self.bp_slot
        return path


class Return:
    """A RET, RETF or IRET at the end of a path, or what a call left on the stack for one."""

    WORDS = {"near": 1, "far": 2, "interrupt": 3}  # IP, CS, FLAGS

    def __init__(self, kind, size, slot, words, taken=0):
        self.kind, self.size, self.slot, self.words, self.taken = kind, size, slot, words, taken
        self.cs = self.base = None


class Code:
    """The code that a frame is in, and what can be found out by following it."""

    BUDGET = 2000  # instructions
    STACK = 512  # bytes of it in which the caller of code that never returns is looked for

    def __init__(self, frame):
        self.frame, self.architecture, self.memory = frame, frame.architecture(), Memory()
        self.instructions, self.taken, self.budget = {}, {}, self.BUDGET
        self.lost = 0  # paths whose way on is not known
        self.pc, self.cs = self.read("eip"), self.read("cs")
        self.base, self.ss_base = self.read("cs_base"), self.read("ss_base")
        self.real = real_addresses(self.read)
        self.registers = [self.read("e" + name) for name in GENERAL]
        self.sp = self.registers[SP] - self.ss_base & 0xFFFFFFFF
        # No register says whether the stack's pointer is SP or ESP.
        self.mask = 0xFFFF if self.sp <= 0xFFFF else 0xFFFFFFFF

    def read(self, name):
        try:
            return number(self.frame.read_register(name))
        except ValueError:  # there is no such register
            value = gdb.convenience_variable(name)
            return None if value is None else number(value)

    def segment(self, selector):
        if self.real:
            return selector << 4
        if selector == self.cs:
            return self.base
        # A return to another privilege level takes the stack from the stack, too.
        return None if (selector ^ self.cs) & 3 else table_base(selector, self.read, self.memory)

    # The stack, as a path sees it

    def byte(self, path, at):
        return path.pushed[at] if at in path.pushed else self.memory.read(self.ss_base + at, 1)[0]

    def pop(self, path, size):
        if path.sp is None:
            return None
        data = [self.byte(path, path.sp + i & self.mask) for i in range(size)]
        path.sp = path.sp + size & self.mask
        return None if None in data else little(data)

    def push(self, path, size, value):
        if path.sp is None:
            return
        path.sp = path.sp - size & self.mask
        for i in range(size):
            path.pushed[path.sp + i & self.mask] = None if value is None else value >> 8 * i & 0xFF

    def pop_register(self, path, n, size):
        value = self.pop(path, size)
        if n == SP:
            path.sp = value
        elif size == 2 and value is not None:
            path.registers[n] = (path.registers[n] or 0) & ~0xFFFF | value
        else:
            path.registers[n] = value

    def move_sp(self, path, value, add=0):
        path.sp = None if value is None else value + add & self.mask

    # Following the code

    def instruction(self, address):
        if address not in self.instructions:
            length = self.architecture.disassemble(address)[0]["length"]
            self.instructions[address] = Instruction(self.memory.read(address, length))
        return self.instructions[address]

    def follow(self, path, goal=None):
        """
        Yields each Return that the code may come to, with the path behind it. With GOAL, a linear
        address, each path that comes there instead.
        """
        paths, seen = [path], set()
        while paths and self.budget:
            path = paths.pop()
            address = path.base + path.ip & 0xFFFFFFFF
            if address == goal:
                yield None, path
            if address in seen:
                continue
            seen.add(address)
            self.budget -= 1
            try:
                instruction = self.instruction(address)
                path.ip = path.ip + instruction.length & (0xFFFF if path.ip <= 0xFFFF else 0xFFFFFFFF)
                end = self.returned(path, instruction)
                if not end:
                    onward = self.flow(path, instruction)
                    path.before = instruction.opcode
                    self.lost += onward is None
                    paths += onward or []
                elif goal is None:
                    yield end, path
                if end and self.is_jump(end):
                    path.ip, path.base = end.words[0], end.base
                    paths.append(path)
            except gdb.MemoryError:
                self.lost += 1

    def returned(self, path, i):
        kind = {0xC2: "near", 0xC3: "near", 0xCA: "far", 0xCB: "far", 0xCF: "interrupt"}.get(i.opcode)
        if not kind:
            return None
        slot = path.sp
        end = Return(kind, i.size, slot, [self.pop(path, i.size) for _ in range(Return.WORDS[kind])],
                     little(i.rest))
        self.move_sp(path, path.sp, end.taken)
        self.place(path, end)
        return end

    def place(self, path, end):
        """Finds the code segment of a Return: base stays None where it is not known."""
        if end.kind == "near":
            end.cs, end.base = self.cs if path.base == self.base else path.base >> 4, path.base
        elif end.words[1] is not None:
            end.cs = end.words[1] & 0xFFFF
            end.base = self.segment(end.cs)

    def is_jump(self, end):
        """It goes to where no call is, with an address that was pushed for that."""
        return (end.slot is not None and end.base is not None and None not in end.words and
                not self.is_called(end))

    def flow(self, path, i):
        """The paths behind an instruction, the likeliest last; None where they are not known."""
        wrap = 0xFFFF if i.size == 2 else 0xFFFFFFFF
        if 0x70 <= i.opcode <= 0x7F or 0xE0 <= i.opcode <= 0xE3 or 0x0F80 <= i.opcode <= 0x0F8F:
            return [path.fork(path.ip + signed(i.rest) & wrap), path]
        if i.opcode in (0xE9, 0xEB):
            path.ip = path.ip + signed(i.rest) & wrap
        elif i.opcode == 0xEA:
            path.ip, path.base = little(i.rest[:-2]), self.segment(little(i.rest[-2:]))
            return None if path.base is None else [path]
        elif i.opcode == 0xFF and i.reg in (4, 5):
            return None
        elif i.opcode == 0xE8 and not any(i.rest):
            self.push(path, i.size, path.ip)  # of use for the address that it pushes
        elif i.opcode in (0xE8, 0x9A):
            taken = self.taken_by(self.target(i, path.ip, path.base), path.base, i.called())
            if taken is None and path.base + path.ip != self.pc:
                return []
            self.move_sp(path, path.sp, taken or 0)
        elif i.opcode == 0xFF and (i.reg, path.before) in ((2, 0x0E), (3, 0x9C)):
            self.move_sp(path, path.sp, i.size)  # it was pushed for the callee's RETF or IRET
        elif (i.opcode == 0 and i.rest == b"\0") or not self.move(path, i):
            return None  # not code, or another stack
        return [path]

    def taken_by(self, target, base, called):
        """The bytes that a callee takes beyond what the call pushed; None if it never returns."""
        if target is None:
            return 0
        if target not in self.taken:
            self.taken[target] = 0  # while it is looked for: it may call itself
            lost, base = self.lost, base if 0 <= target - base <= 0xFFFF else target & ~0xFFFF
            for end, _ in self.follow(Path(target - base, base, None, [None] * 8)):
                # Its RETF may be for PUSH CS and a near call, its IRET for PUSHF and a far call.
                self.taken[target] = end.taken + (len(end.words) - Return.WORDS[called]) * end.size
                break
            else:
                if lost == self.lost and self.budget:
                    self.taken[target] = None
        return self.taken[target]

    def move(self, path, i):
        """What an instruction does to SP and BP. False: it goes to another stack."""
        size, opcode, low = i.size, i.opcode, i.opcode & 7
        if 0x50 <= opcode <= 0x57:
            if low == BP and path.bp_slot is None and path.sp is not None:
                path.bp_slot = path.sp - size & self.mask, size
            self.push(path, size, path.sp if low == SP else path.registers[low])
        elif 0x58 <= opcode <= 0x5F:
            self.pop_register(path, low, size)
        elif opcode == 0x60:
            for n, value in enumerate(path.registers):
                self.push(path, size, None if n == SP else value)
        elif opcode == 0x61:
            for n in (7, 6, BP, 3, 2, 1, 0):
                if n == 3:
                    self.pop(path, size)
                self.pop_register(path, n, size)
        elif opcode in (0x68, 0x6A):
            self.push(path, size, signed(i.rest))
        elif opcode == 0x0E:
            self.push(path, size, path.base >> 4 if self.real else self.cs)
        elif opcode in (0x06, 0x16, 0x1E, 0x9C, 0x0FA0, 0x0FA8) or (opcode == 0xFF and i.reg == 6):
            self.push(path, size, None)
        elif opcode in (0x07, 0x1F, 0x9D, 0x0FA1, 0x0FA9, 0x8F):
            self.pop(path, size)
        elif opcode == 0xC8:
            self.push(path, size, path.registers[BP])
            path.registers[BP] = path.sp
            self.move_sp(path, None if i.rest[2] & 31 else path.sp, -little(i.rest[:2]))
        elif opcode == 0xC9:
            self.move_sp(path, path.registers[BP])
            self.pop_register(path, BP, size)
        elif opcode in (0x44, 0x4C):
            self.move_sp(path, path.sp, 1 if opcode == 0x44 else -1)
        elif opcode in (0x81, 0x83) and i.rm == SP and i.reg in (0, 5):
            self.move_sp(path, path.sp, signed(i.rest[1:]) * (1 if i.reg == 0 else -1))
        elif opcode in (0x81, 0x83) and i.rm == SP and i.reg == 4:
            self.move_sp(path, None if path.sp is None else path.sp & signed(i.rest[1:]))
        elif opcode == 0x8D and i.reg == SP:
            # Of LEA SP, MEMORY only BP and a displacement: r/m is 6 with 16-bit addresses, else 5.
            framed = i.rest[0] & 0xC7 in (0x46, 0x86, 0x45, 0x85)
            self.move_sp(path, path.registers[BP] if framed else None, signed(i.rest[1:]))
        elif opcode == 0x8B or (opcode == 0x89 and i.rm is not None):
            to, source = (i.reg, i.rm) if opcode == 0x8B else (i.rm, i.reg)
            if to == SP:
                self.move_sp(path, path.registers[BP] if source == BP else None)
            elif to == BP:
                path.registers[BP] = path.sp if source == SP else None
        elif opcode == 0xBC:
            self.move_sp(path, little(i.rest))
        return not (opcode in (0x17, 0x0FB2) or (opcode == 0x8E and i.reg == 2))

    # The caller

    def call_before(self, ip, base, kind, size):
        """The call that ends at a place and suits a return of that kind."""
        for length in range(1, min(9, ip + 1)):
            address = base + ip - length & 0xFFFFFFFF
            try:
                code = self.memory.read(address - 1 & 0xFFFFFFFF, length + 1)
                called = Instruction(code[1:]).called()  # disassembling takes longer
                if not called or self.instruction(address).length != length:
                    continue
            except gdb.MemoryError:
                continue
            instruction = self.instruction(address)
            # PUSH CS and a near call make a far one.
            if called == "near" and kind == "far" and code[0] == 0x0E:
                called = "far"
            if called == kind and (instruction.size == size or kind == "interrupt"):
                return instruction
        return None

    def is_called(self, end):
        """There is a call in front of a return address, or the fixed bits of FLAGS are behind it."""
        if end.base is None or None in end.words:
            return False
        if end.kind == "interrupt":
            return end.words[2] & 0x802A == 2
        return self.call_before(end.words[0], end.base, end.kind, end.size) is not None

    def target(self, instruction, ip, base):
        """Where a call that ends at BASE:IP goes to; None if that is in a register or in memory."""
        i = instruction
        if i.opcode == 0xE8:
            return base + (ip + signed(i.rest) & (0xFFFF if i.size == 2 else 0xFFFFFFFF))
        if i.opcode == 0x9A:
            segment = self.segment(little(i.rest[-2:]))
            return None if segment is None else segment + little(i.rest[:-2])
        if i.opcode == 0xCD and self.real:
            ip, cs = (little(self.memory.read(4 * i.rest[0] + at, 2)) for at in (0, 2))
            return (cs << 4) + ip
        return None

    def caller(self):
        """The Return of the procedure and the Path behind it; None where no caller can be seen."""
        start = Path(self.pc - self.base & 0xFFFFFFFF, self.base, self.sp, list(self.registers))
        start.before = self.memory.read(self.pc - 1, 1)[0] if self.pc else None
        for end, path in self.follow(start):
            if end.slot is not None and self.is_called(end):
                return end, path
        for slot in range(self.sp, min(self.sp + self.STACK, self.mask), 2):
            try:
                if self.memory.read(self.ss_base + slot, 2) != b"\0\0":
                    for kind, size in ("near", 2), ("near", 4), ("far", 2), ("far", 4), ("interrupt", 2):
                        found = self.called_at(slot, kind, size)
                        if found:
                            return found
            except gdb.MemoryError:
                return None
        return None

    def called_at(self, slot, kind, size):
        """The caller, if the return address is at a place in the stack and the callee leads to here."""
        path = Path(None, self.base, slot, list(self.registers))
        end = Return(kind, size, slot, [self.pop(path, size) for _ in range(Return.WORDS[kind])])
        self.place(path, end)
        if end.base is None or end.words[0] > 0xFFFF:
            return None
        call = self.call_before(end.words[0], end.base, kind, size)
        target = call and self.target(call, end.words[0], end.base)
        if target is None:
            return None
        self.budget = self.BUDGET
        base = self.base if 0 <= target - self.base <= 0xFFFF else end.base
        for _, here in self.follow(Path(target - base, base, slot, [None] * 8), self.pc):
            if here.sp == self.sp:
                if here.bp_slot and here.bp_slot[0] >= self.sp:  # not popped again
                    self.pop_register(Path(None, None, here.bp_slot[0], path.registers), BP, here.bp_slot[1])
                return end, path
        return None


class FrameId:
    OUTERMOST = 0xFFFFFFFF  # higher than any stack

    def __init__(self, sp):
        self.sp = gdb.Value(sp)


class Unwinder(gdb.unwinder.Unwinder):
    # What gdb has at hand at a stop. Of the others the caller's are not shown: each would be asked for.
    KEPT = re.compile(r"e[abcd]x|e[sd]i|e[bs]p|eip|eflags|[c-gs]s(_base)?|ip|sp16|cr\d|efer|cpu_mode|"
                      r"[gi]dtr?_(base|limit)|(ldtr|tr)(_(base|limit))?|xcr0|dr\d|"
                      r"st\d|f(ctrl|stat|tag|iseg|ioff|oseg|ooff|op)|xmm\d|mxcsr|mm\d")
    PARTS = ("ax", "cx", "dx", "bx", "bp", "si", "di", "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh")

    def __init__(self):
        super().__init__("kvmgdb-16-bit")

    def __call__(self, frame):
        if frame.architecture().name() != "i8086":
            return None
        try:
            return self.unwind(frame)
        except Exception:  # pylint: disable=broad-except
            return None  # gdb has other unwinders; a trace at every stop would help nobody

    def unwind(self, frame):
        code = Code(frame)
        if self.has_tables(code):
            return None
        found = code.caller()
        changed = self.changed(code, *found) if found else {}
        info = frame.create_unwind_info(
            FrameId(code.ss_base + found[0].slot + len(found[0].words) * found[0].size
                    if found else FrameId.OUTERMOST))
        # The outermost frame is its own caller, where gdb ends.
        names = [descriptor.name for descriptor in frame.architecture().registers()]
        for name in [name for name in names if self.KEPT.fullmatch(name)] + list(self.PARTS):
            value = frame.read_register(name)
            if name in changed:
                size = value.type.sizeof
                data = (changed[name] & (1 << 8 * size) - 1).to_bytes(size, "little")
                value = gdb.Value(data, value.type)
            info.add_saved_register(name, value)
        return info

    @staticmethod
    def has_tables(code):
        """Whether gdb does it better: a compiler describes its frames, but as if the stack began at 0."""
        block = gdb.block_for_pc(code.pc)
        while block and not block.function:
            block = block.superblock
        producer = block and block.function.symtab.producer or ""
        return code.ss_base == 0 and bool(producer) and not producer.startswith(("NASM", "GNU AS", "yasm"))

    @staticmethod
    def changed(code, end, path):
        values = {"eip": end.base + end.words[0], "ip": end.words[0], "cs": end.cs, "cs_base": end.base,
                  "sp16": path.sp}
        if end.kind == "interrupt":
            values["eflags"] = end.words[2] if end.size == 4 else code.read("eflags") & ~0xFFFF | end.words[2]
        for n, name in enumerate(GENERAL):
            value = code.ss_base + path.sp if n == SP else path.registers[n]
            if value is not None:
                values["e" + name] = value
                if n != SP:
                    values[name] = value
                if n < 4:
                    values[name[0] + "l"], values[name[0] + "h"] = value, value >> 8
        return values


class Decorator(gdb.FrameDecorator.FrameDecorator):
    """Instead of ?? the segment and the offset."""

    def function(self):
        frame = self.inferior_frame()
        if frame.architecture().name() != "i8086":
            return super().function()
        try:
            return frame.name() or "%04x:%04x" % tuple(number(frame.read_register(r)) for r in ("cs", "ip"))
        except ValueError:  # there is no $ip: 'monitor registers core'
            return "??"


class Filter:
    """
    For Decorator, and because with a frame filter gdb does not say "Backtrace stopped: previous frame
    identical to this frame" where the frames end.
    """

    name, priority = "kvmgdb-16-bit", 0

    def __init__(self):
        self.wanted = True

    @property
    def enabled(self):
        try:
            return self.wanted and gdb.newest_frame().architecture().name() == "i8086"
        except gdb.error:
            return False

    @enabled.setter
    def enabled(self, value):
        self.wanted = value

    @staticmethod
    def filter(frames):
        return map(Decorator, frames)


def register_all():
    gdb.unwinder.register_unwinder(None, Unwinder(), replace=True)
    gdb.frame_filters[Filter.name] = Filter()
