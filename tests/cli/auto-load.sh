#!/bin/sh
# gdb loads the installed script by itself in a session with kvmgdb, and in no other.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_gdb
need_guest calls.bin
[ -f Makefile ] || skip_all "no build tree to install from"
[ "$("$GDB" -nx -q -batch -ex 'python print(hasattr(gdb, "format_address"))' 2>/dev/null)" = True ] ||
	skip_all "$GDB is older than 13, or has no Python"

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# gdb's data directory, and what make install puts there.
real=$("$GDB" -nx -batch -ex 'show data-directory' | sed 's/.*"\(.*\)".*/\1/')
mkdir -p "$work/gdb/python/gdb/command"
for folder in "" python python/gdb python/gdb/command; do
	for file in "$real/$folder"/*; do
		[ -e "$work/gdb/$folder/${file##*/}" ] || ln -s "$file" "$work/gdb/$folder"
	done
done
rm -f "$work/gdb/python/gdb/command/kvmgdb.py"
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s install-data prefix="$work/root" gdbdatadir="$work/gdb" \
	>"$work/make" 2>&1
result $? "make install"
comment <"$work/make"
if ! [ -e "$work/gdb/python/gdb/command/kvmgdb.py" ]; then
	skip "gdb loads it" "configured without --with-gdb-datadir"
	finish
	exit
fi
unset KVMGDB_NO_GDB_SCRIPT

# session NAME EXPECTED [ARG...]: a guest in a call, with more arguments for gdb
session() {
	name=$1
	printf "%b" "$2" >"$work/expected"
	shift 2
	kvmgdb --load=0x7c00 --entry=07c0:0000 "$GUESTS/calls.bin" -- "$GDB" --data-directory="$work/gdb" \
		-nx -q -batch "$@" -ex 'break *0x7c9d' -ex continue -ex backtrace -ex 'bseg 07c0:0000' \
		>"$work/out" 2>&1
	sed -n '/^#/p; /^Undefined/p; /^Breakpoint 2/p; /Error/p; /Traceback/p' "$work/out" >"$work/seen"
	same "$name" "$work/expected" "$work/seen"
}

loaded='#0  0x00007c9d in 07c0:009d ()\n#1  0x00007c95 in 0700:0c95 ()\n#2  0x00007c2a in 07c0:002a ()\nBreakpoint 2 at 0x7c00\n'
alone='#0  0x00007c9d in ?? ()\n#1  0x00000000 in ?? ()\nUndefined command: "bseg".  Try "help".\n'
session "gdb loads it when it connects" "$loaded"
session "the user's own copy is kept" "$loaded" -iex "source $srcdir/src/gdb/kvmgdb.py" \
	-ex 'python print("Error: another") if "root" in __import__("kvmgdb").__file__ else None'
KVMGDB_NO_GDB_SCRIPT=1
export KVMGDB_NO_GDB_SCRIPT
session "not if KVMGDB_NO_GDB_SCRIPT is set" "$alone"
unset KVMGDB_NO_GDB_SCRIPT

# Another program
"$GDB" --data-directory="$work/gdb" -nx -q -batch -ex 'info unwinder' -ex 'break _exit' -ex run -ex 'info unwinder' \
	-ex 'bseg 0:0' "$(command -v sleep)" >"$work/other" 2>&1
grep -q '^Undefined command: "bseg"' "$work/other" && ! grep -q 'kvmgdb\|Traceback' "$work/other"
result $? "gdb with another program has nothing of it"
comment <"$work/other"

# Nothing is said where it was removed.
mv "$work/root" "$work/away"
session "it was removed" "$alone"

mv "$work/away" "$work/root"
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -k -s uninstall prefix="$work/root" gdbdatadir="$work/gdb" \
	>"$work/make" 2>&1
[ ! -e "$work/gdb/python/gdb/command/kvmgdb.py" ]
result $? "make uninstall"
comment <"$work/make"
finish
