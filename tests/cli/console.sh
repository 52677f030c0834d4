#!/bin/sh
# --console: where the guest's output goes, and that gdb gets it where it should, and only there.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_gdb
need_guest ports.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

cat >"$work/text" <<'END'
port 0x0060 -> 0xff
port 0x0060 -> 0xffff
port 0x0060 -> 0xffffffff
port 0x1234 <- 0xef (239)
port 0x1234 <- 0xcdef (52719)
port 0x1234 <- 0x89abcdef (2309737967)
port 0x1234 -> 0xff
port 0x1234 <- 0xff (255)
port 0x1234 -> 0xff
port 0x1234 -> 0xff
port 0x1234 <- 0x43 (67)
port 0x1234 <- 0x4f (79)
port 0x1234 <- 0x4d (77)
port 0x1234 <- 0x4f43 (20291)
COM1
E9
.
port 0x0080 <- 0x2e (46)
END
: >"$work/nothing"
halted='halted at 0000:1066'

# goes WHERE STDOUT GDB: kvmgdb's standard output and gdb's console are these two files.
goes() {
	# shellcheck disable=SC2016 # for the inner shell
	kvmgdb --console="$1" "$GUESTS/ports.bin" -- sh -c '
		exec "$0" -nx -q -batch -ex "target remote $KVMGDB_ENDPOINT" -ex continue >"$1" 2>&1
	' "$GDB" "$work/log" >"$work/stdout" 2>"$work/stderr"
	result $? "$1: exit status 0"
	same "$1: standard output" "$2" "$work/stdout"
	sed "1,/^0x/d; /^$halted\$/,\$d" "$work/log" >"$work/gdb"
	same "$1: gdb's console" "$3" "$work/gdb"
	grep -q "^$halted\$" "$work/log"
	result $? "$1: gdb is told of the halt"
	[ ! -s "$work/stderr" ]
	result $? "$1: no messages"
	comment <"$work/stderr"
}

goes stdio "$work/text" "$work/nothing"
goes gdb "$work/nothing" "$work/text"
goes both "$work/text" "$work/text"
goes none "$work/nothing" "$work/nothing"
goes "file:$work/file" "$work/nothing" "$work/nothing"
same "file: the file" "$work/text" "$work/file"

# A full disk ends the console, and nothing else.
if [ -c /dev/full ]; then
	for where in stdio file:/dev/full; do
		kvmgdb --console="$where" "$GUESTS/ports.bin" -- sh -c '
			exec "$0" -nx -q -batch -ex "target remote $KVMGDB_ENDPOINT" -ex continue >"$1" 2>&1
		' "$GDB" "$work/log" >/dev/full 2>"$work/stderr"
		result $? "$where on a full disk: exit status 0"
		echo 'kvmgdb: the console is lost: No space left on device' >"$work/lost"
		same "$where on a full disk: it is told once" "$work/lost" "$work/stderr"
		grep -q "^$halted\$" "$work/log"
		result $? "$where on a full disk: the guest comes to its halt"
	done
else
	skip "a full disk" "no /dev/full"
fi
finish
