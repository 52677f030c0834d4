"""Registers, memory, segments."""

import gdb

CR0_PE = 1
EFLAGS_VM = 1 << 17
EFER_LMA = 1 << 10


def number(value):
    """The bits of a gdb.Value, as a number that is not negative."""
    size = value.type.sizeof
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_FLAGS:
        value = value.cast(gdb.selected_inferior().architecture().integer_type(8 * size, False))
    return int(value) & ((1 << 8 * size) - 1)


def register(name):
    """A register of the selected frame, or else the user's variable of that name; None without either."""
    value = gdb.parse_and_eval("$" + name)
    return None if value.type.code == gdb.TYPE_CODE_VOID else number(value)


def little(data):
    return int.from_bytes(data, "little")


def signed(data):
    return int.from_bytes(data, "little", signed=True)


class Memory:
    """The guest's memory, read in pieces that are kept: for use while the guest is stopped."""

    PIECE = 256

    def __init__(self):
        self.inferior = gdb.selected_inferior()
        self.pieces = {}

    def read(self, address, size):
        data = b""
        while len(data) < size:
            at = address + len(data)
            piece = at & -self.PIECE
            if piece not in self.pieces:
                try:
                    self.pieces[piece] = bytes(self.inferior.read_memory(piece, self.PIECE))
                except gdb.MemoryError:  # not all of it is there
                    return bytes(self.inferior.read_memory(address, size))
            data += self.pieces[piece][at - piece:at - piece + size - len(data)]
        return data


class Descriptor:
    """A segment descriptor or a gate, of 8 or 16 bytes (SDM volume 3, 3.4.5, 5.8.3.1 and 6.11)."""

    def __init__(self, data):
        self.type, self.system = data[5] & 0xF, not data[5] & 0x10
        self.dpl, self.present = data[5] >> 5 & 3, bool(data[5] & 0x80)
        self.big, self.wide = bool(data[6] & 0x40), bool(data[6] & 0x20)
        self.base = little(data[2:5] + data[7:8] + data[8:12])
        self.limit = little(data[0:2]) | (data[6] & 0xF) << 16
        if data[6] & 0x80:
            self.limit = self.limit << 12 | 0xFFF
        # Of a gate.
        self.selector = little(data[2:4])
        self.offset = little(data[0:2] + data[6:8] + data[8:12])


def table_place(table, read):
    """Base and limit of the "gdt", "ldt" or "idt"; None if READ knows them by neither of their names."""
    for name in table + "r", table:
        base, limit = read(name + "_base"), read(name + "_limit")
        if base is not None and limit is not None:
            return base, limit
    return None


def table_base(selector, read, memory):
    """The base that the GDT or the LDT has for a selector; None if it has none."""
    place = table_place("ldt" if selector & 4 else "gdt", read)
    if selector < 4 or not place or selector | 7 > place[1]:
        return None
    base = place[0]
    descriptor = Descriptor(memory.read(base + (selector & ~7), 8))
    return None if descriptor.system else descriptor.base


def real_addresses(read):
    """Whether segments are at 16 times their number: in real and in virtual-8086 mode."""
    return not read("cr0") & CR0_PE or bool(read("eflags") & EFLAGS_VM)
