"""$seg(), and the commands for segmented addresses and for the tables of segments and interrupts."""

import re

import gdb

from kvmgdb.cpu import (EFER_LMA, Descriptor, Memory, little, number, real_addresses, register,
                        table_base, table_place)

SEGMENTS = ("cs", "ds", "es", "ss", "fs", "gs")


def needed(name):
    value = register(name)
    if value is None:
        raise gdb.GdbError("There is no $%s here: with kvmgdb's target, 'monitor registers system' brings it." % name)
    return value


def address_of(selector, offset):
    """The linear address of SELECTOR:OFFSET in the CPU's present mode."""
    if needed("cpu_mode") == 64:
        raise gdb.GdbError("In 64-bit mode an address has no segment.")
    real = real_addresses(needed)
    if selector > 0xFFFF or offset > (0xFFFF if real else 0xFFFFFFFF):
        raise gdb.GdbError("%x:%x is no segmented address in this mode." % (selector, offset))
    if real:
        return (selector << 4) + offset
    for name in SEGMENTS:
        # A loaded segment keeps its base whatever becomes of the table.
        if needed(name) == selector:
            return needed(name + "_base") + offset & 0xFFFFFFFF
    base = table_base(selector, register, Memory())
    if base is None:
        table = "ldtr" if selector & 4 else "gdtr"
        raise gdb.GdbError("Selector 0x%x is in no segment register, and no segment in the table that "
                           "$%s_base and $%s_limit tell of." % (selector, table, table))
    return base + offset & 0xFFFFFFFF


def part(text, selector):
    """A half of SEG:OFF: hexadecimal digits, the name of a register, or an expression."""
    if re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,8}", text):
        return int(text, 16)
    name = text.lstrip("$")
    # These are linear in gdb.
    if not selector and name in ("ip", "eip", "pc"):
        return needed("eip") - needed("cs_base") & 0xFFFFFFFF
    if not selector and name in ("sp", "esp"):
        return needed("esp") - needed("ss_base") & 0xFFFFFFFF
    value = gdb.parse_and_eval("$" + name if re.fullmatch(r"[a-z]\w*", text) else text)
    if value.type.code == gdb.TYPE_CODE_VOID:
        raise gdb.GdbError("%s is neither hexadecimal nor a register." % text)
    return number(value)


def parse(text):
    selector, colon, offset = (half.strip() for half in text.partition(":"))
    if not colon or not selector or not offset:
        raise gdb.GdbError("An address is SEG:OFF, both hexadecimal, or registers, such as ds:si.")
    return address_of(part(selector, True), part(offset, False))


def symbol(address):
    """The symbol at an address as gdb shows it, or nothing."""
    if not hasattr(gdb, "format_address"):  # older than gdb 13
        return ""
    return "".join(gdb.format_address(address).partition(" ")[1:])


class Seg(gdb.Function):
    """$seg(SEG, OFF): the linear address of a segmented one.

In real and virtual-8086 mode it is 16 * SEG + OFF. In protected mode SEG is a selector, and its base that
of the segment register that holds it, or else the one in the GDT or LDT."""

    def __init__(self):
        super().__init__("seg")

    def invoke(self, *args):
        try:
            if len(args) != 2:
                raise gdb.GdbError("It is $seg(SEG, OFF).")
            return address_of(*(number(value) for value in args))
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None


class Command(gdb.Command):
    def invoke(self, argument, from_tty):
        try:
            self.run(argument.strip())
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None


class X16(Command):
    """Examine memory at a segmented address: x16 [/FMT] SEG:OFF.

FMT is that of the command x. SEG and OFF are hexadecimal, with or without 0x, or the names of registers,
such as ds:si, cs:ip and ss:sp, or expressions without blanks, such as $ds:$bx+2."""

    def run(self, argument):
        form, text = re.fullmatch(r"(/\S+)?\s*(.*)", argument, re.DOTALL).groups()
        gdb.execute("x%s 0x%x" % (form or "", parse(text)))


class Break(Command):
    def run(self, argument):
        text, rest = (argument.split(None, 1) + ["", ""])[:2]
        gdb.execute("%s *0x%x %s" % (self.command, parse(text), rest))


class BSeg(Break):
    """Set a breakpoint at a segmented address: bseg SEG:OFF [thread N] [if CONDITION].

SEG and OFF are as in x16. It is at the linear address: code that runs there with another segment stops,
too."""

    command = "break"


class TBSeg(Break):
    """Set a temporary breakpoint at a segmented address: tbseg SEG:OFF [thread N] [if CONDITION]."""

    command = "tbreak"


# --- Tables ---

VECTORS = ("#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP", "#SS", "#GP",
           "#PF", "", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP")
SYSTEM = ("reserved", "16-bit TSS, available", "LDT", "16-bit TSS, busy", "16-bit call gate", "task gate",
          "16-bit interrupt gate", "16-bit trap gate", "reserved", "%d-bit TSS, available", "reserved",
          "%d-bit TSS, busy", "%d-bit call gate", "reserved", "%d-bit interrupt gate", "%d-bit trap gate")
GATES = (4, 5, 6, 7, 12, 14, 15)
WIDE = (2, 9, 11, 12, 14, 15)  # of 16 bytes in long mode


class Table(Command):
    """A command that prints a table, or the entry of it that is given."""

    def run(self, argument):
        wanted = None
        if argument:
            wanted = number(gdb.parse_and_eval(argument))
        self.show(wanted)

    def entries(self, name, size, wanted, most=0x10000):
        """Yields the number and the bytes of each entry of a table, or of the wanted one."""
        place = table_place(name, register)
        if not place:
            raise gdb.GdbError("The target does not tell where the table is: set $%sr_base and $%sr_limit."
                               % (name, name))
        base, limit = place
        count = min((min(limit, 0xFFFF) + 1) // size, most)
        if wanted is not None and wanted >= count:
            raise gdb.GdbError("The table has %d entries." % count)
        memory = Memory()
        for n in range(count) if wanted is None else [wanted]:
            yield n, memory.read(base + n * size, size)

    @staticmethod
    def describe(entry, data, long_mode):
        """What a descriptor is, without its privilege level."""
        if entry.system:
            kind = SYSTEM[entry.type]
            kind = kind % (64 if long_mode else 32) if "%" in kind else kind
        elif entry.type & 8:
            # Before long mode the bit means nothing yet, but that is when such tables are made.
            kind = "%d-bit code%s%s%s" % (64 if entry.wide else 32 if entry.big else 16,
                                          " in long mode" if entry.wide and not long_mode else "",
                                          ", conforming" if entry.type & 4 else "",
                                          ", readable" if entry.type & 2 else "")
        else:
            kind = "%d-bit data%s%s" % (32 if entry.big else 16, ", expand-down" if entry.type & 4 else "",
                                        ", writable" if entry.type & 2 else "")
        return kind + ("" if entry.present else ", not present")


class InfoIVT(Table):
    """The interrupt vectors of real mode: info ivt [N].

Those that are 0000:0000 are left out, and equal ones in a row joined. The table is at 0 unless the CPU is
in real mode and $idtr_base or $idt_base is another place."""

    def show(self, wanted):
        place = table_place("idt", register) if real_addresses(needed) else None
        if wanted is not None and wanted > 255:
            raise gdb.GdbError("There are 256 vectors.")
        data = Memory().read(place[0] if place else 0, 1024)
        vectors = [(little(data[at:at + 2]), little(data[at + 2:at + 4])) for at in range(0, 1024, 4)]
        shown = [n for n in range(256) if n == wanted or (wanted is None and any(vectors[n]))]
        if not shown:
            print("All vectors are 0000:0000.")
        while shown:
            first = last = shown.pop(0)
            while shown and shown[0] == last + 1 and vectors[shown[0]] == vectors[first]:
                last = shown.pop(0)
            offset, segment = vectors[first]
            run = "%02x" % first + ("-%02x" % last if last > first else "")
            name = VECTORS[first] if first == last and first < 8 else ""
            print("%-6s%-4s%04x:%04x  0x%05x%s" % (run, name, segment, offset, (segment << 4) + offset,
                                                   symbol((segment << 4) + offset)))


class InfoGDT(Table):
    """The global descriptor table: info gdt [SELECTOR].

Where it is tell $gdtr_base and $gdtr_limit, or $gdt_base and $gdt_limit: the target's registers, or
variables that you set."""

    def show(self, wanted):
        long_mode = bool(needed("efer") & EFER_LMA)
        upper = False  # of a descriptor of 16 bytes, which has been shown
        rows = list(self.entries("gdt", 8, None))
        if wanted is not None and wanted >> 3 >= len(rows):
            raise gdb.GdbError("The table has %d entries." % len(rows))
        print("sel   base      limit     DPL  what")
        for n, data in rows:
            if upper or not n or not any(data):
                upper = False
                continue
            entry = Descriptor(data)
            if long_mode and entry.system and entry.type in WIDE and n + 1 < len(rows):
                entry, upper = Descriptor(data + rows[n + 1][1]), True
            if wanted is not None and wanted >> 3 != n:
                continue
            place = "%08x  %08x" % (entry.base, entry.limit)
            if entry.system and entry.type in GATES:
                place = "%04x:%08x     " % (entry.selector, entry.offset)
            print("%04x  %s  %d    %s" % (8 * n, place, entry.dpl, self.describe(entry, data, long_mode)))


class InfoIDT(Table):
    """The interrupt descriptor table of protected and long mode: info idt [N].

Where it is tell $idtr_base and $idtr_limit, or $idt_base and $idt_limit: the target's registers, or
variables that you set. Vectors without a descriptor are left out."""

    def show(self, wanted):
        if not needed("cr0") & 1:
            raise gdb.GdbError("In real mode the table is the IVT: info ivt.")
        long_mode = bool(needed("efer") & EFER_LMA)
        rows = list(self.entries("idt", 16 if long_mode else 8, wanted, 256))
        print("vec       handler%s  DPL  what" % (" " * 14 if long_mode else " " * 6))
        for n, data in rows:
            if not any(data):
                continue
            gate = Descriptor(data)
            offset = gate.offset if gate.type > 7 else gate.offset & 0xFFFF
            print("%02x  %-4s  %04x:%0*x  %d    %s%s" % (
                n, VECTORS[n] if n < len(VECTORS) else "", gate.selector, 16 if long_mode else 8, offset,
                gate.dpl, self.describe(gate, data, long_mode), symbol(offset)))


def register_all():
    Seg()
    X16("x16", gdb.COMMAND_DATA)
    BSeg("bseg", gdb.COMMAND_BREAKPOINTS)
    TBSeg("tbseg", gdb.COMMAND_BREAKPOINTS)
    InfoIVT("info ivt", gdb.COMMAND_STATUS)
    InfoGDT("info gdt", gdb.COMMAND_STATUS)
    InfoIDT("info idt", gdb.COMMAND_STATUS)
