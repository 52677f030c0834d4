"""What gdb lacks for 16-bit x86 code: who called whom, segmented addresses, descriptor tables.

    (gdb) source kvmgdb.py

After that backtrace, up, finish, nexti and next work in 16-bit code, with and without symbols, and there
are $seg(SEG, OFF), x16, bseg, tbseg, info ivt, info gdt and info idt; each has a help text. 32-bit and
64-bit code is left to gdb. The code is in the folder kvmgdb beside this file.
"""


def kvmgdb_load(folder):
    import importlib
    import sys

    # Sourced again, it is what the files are now.
    for name in [name for name in sys.modules if name.split(".")[0] == "kvmgdb"]:
        del sys.modules[name]
    write_nothing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, folder)
    try:
        importlib.invalidate_caches()
        for part in "unwind", "commands":
            importlib.import_module("kvmgdb." + part).register_all()
    finally:
        sys.path.remove(folder)
        sys.dont_write_bytecode = write_nothing


# gdb runs this in the user's namespace, where nothing is to be left.
kvmgdb_load(__import__("os").path.dirname(__import__("os").path.abspath(__file__)))
del kvmgdb_load
