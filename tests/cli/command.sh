#!/bin/sh
# kvmgdb IMAGE -- COMMAND: COMMAND has the endpoint, its exit status is kvmgdb's, and a gdb is
# connected by itself.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest sum.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
TMPDIR=$work/tmp
export TMPDIR

kvmgdb "$GUESTS/sum.bin" -- true
result $? "exit status 0"
kvmgdb "$GUESTS/sum.bin" -- sh -c 'exit 7'
[ $? -eq 7 ]
result $? "exit status 7"
kvmgdb "$GUESTS/sum.bin" -- sh -c 'kill -KILL $$'
[ $? -eq 137 ]
result $? "ended by a signal: 128 and its number"

# shellcheck disable=SC2016 # for the inner shell
kvmgdb "$GUESTS/sum.bin" -- sh -c '
	echo "$KVMGDB_ENDPOINT"
	socket=$KVMGDB_ENDPOINT
	stat -c "%F %a" "$socket" "${socket%/*}"
	echo "$@"
' sh one 'two  three' '' >"$work/out"
sed -n 1p "$work/out" | grep -q "^$work/tmp/kvmgdb-[A-Za-z0-9]*/gdb$"
result $? "KVMGDB_ENDPOINT is a socket in a directory of its own"
sed 1d "$work/out" >"$work/modes"
printf 'socket 600\ndirectory 700\none two  three \n' >"$work/expected"
same "both are this user's alone, and the arguments are as given" "$work/expected" "$work/modes"

# A gdb is known by its name; these only print what they are given.
for name in gdb gdb-multiarch gdb17 x86_64-elf-gdb gdbserver gdbus lldb; do
	printf '#!/bin/sh\nprintf "<%%s>" "$@"\n' >"$work/$name"
	chmod +x "$work/$name"
	case $name in
	gdbserver | gdbus | lldb) connect= ;;
	*) connect='<-ex><target remote ENDPOINT>' ;;
	esac
	kvmgdb "$GUESTS/sum.bin" -- "$work/$name" -q 'a b' >"$work/out"
	[ "$(sed 's,target remote .*/gdb>,target remote ENDPOINT>,' "$work/out")" = "$connect<-q><a b>" ]
	result $? "$name: ${connect:-no} connection before its own arguments"
done
kvmgdb --gdb=127.0.0.1:0 "$GUESTS/sum.bin" -- "$work/gdb" >"$work/out"
grep -q '^<-ex><target remote 127\.0\.0\.1:[1-9][0-9]*>$' "$work/out"
result $? "an endpoint of the user's choice"

# The end of COMMAND is the end of kvmgdb, even while the guest runs, and while nobody is connected.
kvmgdb --no-wait --mode=32 "$GUESTS/spin.bin" -- sh -c 'exit 3' >/dev/null
[ $? -eq 3 ]
result $? "COMMAND ends while the guest runs"

if command -v "$GDB" >/dev/null; then
	kvmgdb "$GUESTS/sum.bin" -- "$GDB" -nx -q -batch -ex 'p $pc' >"$work/out" 2>&1
	result $? "gdb -batch: exit status 0"
	grep -q '^\$1 = .* 0x1000$' "$work/out"
	result $? "gdb -batch: connected"
	kvmgdb "$GUESTS/sum.bin" -- "$GDB" -nx -q -batch -ex 'quit 5' >"$work/out" 2>&1
	[ $? -eq 5 ]
	result $? "gdb's exit status"
fi

[ -z "$(ls "$work/tmp")" ]
result $? "no socket and no directory is left behind"
finish
