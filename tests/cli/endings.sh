#!/bin/sh
# What ends kvmgdb: --timeout, signals. None of them leaves a socket, a directory or a process.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest spin.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
TMPDIR=$work/tmp
export TMPDIR

kvmgdb --gdb=none --timeout=1 "$GUESTS/spin.bin" >"$work/out" 2>"$work/err"
[ $? -eq 124 ]
result $? "a guest that spins: exit status 124"
printf 'spinning\n' >"$work/expected"
same "a guest that spins: its output" "$work/expected" "$work/out"
grep -q '^kvmgdb: timeout after 1 s, at 0000:102[45]$' "$work/err"
result $? "a guest that spins: where it was"

kvmgdb --gdb="unix:$work/socket" --timeout=1 "$GUESTS/spin.bin" >"$work/out" 2>&1
[ $? -eq 124 ]
result $? "nobody connects: exit status 124"
[ ! -e "$work/socket" ]
result $? "nobody connects: the socket is gone"

# COMMAND has what it takes to see the end: it closes when kvmgdb does.
kvmgdb --timeout=1 "$GUESTS/spin.bin" -- sleep 1000 >"$work/out" 2>&1
[ $? -eq 124 ]
result $? "COMMAND does not end: exit status 124"
[ -z "$(ls "$work/tmp")" ]
result $? "COMMAND does not end: nothing is left behind"

# jmp 0xffff:0, as a boot sector that wants to be booted anew
{
	printf '\352\000\000\377\377'
	head -c 505 /dev/zero
	printf '\125\252'
} >"$work/again.bin"
kvmgdb --gdb=none "$work/again.bin" >"$work/out" 2>&1
[ $? -eq 0 ] && grep -q '^reset at f000:' "$work/out"
result $? "a jump to the reset vector is a reset"
comment <"$work/out"

# signalled SIGNAL NAME [ARG]...: a kvmgdb that gets SIGNAL once it has printed a line, and the status.
signalled() {
	signal=$1
	shift
	mkfifo "$work/pipe"
	# No subshell between: the signal is for kvmgdb.
	# shellcheck disable=SC2086
	$RUNNER "$KVMGDB" "$@" </dev/null >"$work/pipe" 2>&1 &
	pid=$!
	{
		read -r _
		kill -"$signal" $pid
		cat >/dev/null
	} <"$work/pipe"
	rm "$work/pipe"
	wait $pid
}

if [ -n "$RUNNER" ]; then
	skip "signals" "they would reach $RUNNER"
else
	for signal in TERM INT HUP; do
		case $signal in
		HUP) number=1 ;;
		INT) number=2 ;;
		TERM) number=15 ;;
		esac
		signalled $signal --gdb=none "$GUESTS/spin.bin"
		[ $? -eq $((128 + number)) ]
		result $? "SIG$signal while the guest runs"
		signalled $signal --gdb="unix:$work/socket" "$GUESTS/spin.bin"
		[ $? -eq $((128 + number)) ]
		result $? "SIG$signal while waiting for gdb"
		[ ! -e "$work/socket" ]
		result $? "SIG$signal while waiting for gdb: the socket is gone"
	done
	# With a COMMAND, which is ended as well: the pipe would not close else.
	signalled TERM "$GUESTS/spin.bin" -- sh -c 'echo here; exec sleep 1000'
	[ $? -eq 143 ]
	result $? "SIGTERM with a COMMAND"
	[ -z "$(ls "$work/tmp")" ]
	result $? "SIGTERM with a COMMAND: nothing is left behind"
	# As soon as there is a COMMAND it is known: what it holds open is closed.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		# shellcheck disable=SC2016 # for the inner shell
		"$KVMGDB" "$GUESTS/spin.bin" -- sh -c 'kill -TERM $PPID; exec sleep 1000' 2>/dev/null | cat
	done
	[ -z "$(ls "$work/tmp")" ]
	result $? "SIGTERM by COMMAND, at once: both end"
fi
finish
