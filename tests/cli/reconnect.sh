#!/bin/sh
# One gdb after the other: what each way to leave does to the guest, and what the next gdb finds.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_gdb
need_guest sum.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# A pipe that is open for both, so that nobody waits for the other end, and empty.
new_console() {
	rm -f "$work/console"
	mkfifo "$work/console"
	exec 3<>"$work/console"
}

# Behind "--", so that a time limit and the right endpoint are a matter of course. `session` is one gdb;
# `console LINE` waits until the guest has written LINE.
cat >"$work/commands" <<'END'
session() {
	"$GDB" -nx -q -batch -iex 'set confirm off' -ex "target remote $KVMGDB_ENDPOINT" "$@" 2>&1 |
		sed '/^warning: No executable has been specified/{N;d;}; s/[[:blank:]]*$//'
}
console() {
	while read -r line <&3 && [ "$line" != "$1" ]; do :; done
}
in_loop='p $pc == 0x1024 || $pc == 0x1025'
END
export GDB

# sessions NAME GUEST [OPTION]...: runs the commands of $work/script against one kvmgdb; compares with
# $work/expected what they print, and kvmgdb's exit status if it is not 0.
sessions() {
	name=$1
	guest=$2
	shift 2
	new_console
	kvmgdb "$@" --console="file:$work/console" "$GUESTS/$guest" -- \
		sh -c '. "$1/commands"; . "$1/script"' sh "$work" >"$work/out" 2>&1
	status=$?
	[ $status -eq 0 ] || echo "exit status $status" >>"$work/out"
	same "$name" "$work/expected" "$work/out"
}

cat >"$work/script" <<'END'
session -ex 'break *0x1004' -ex 'break *0x1008' -ex 'break *0x100c' -ex 'break *0x1010' \
	-ex 'break *0x1014' -ex 'break *0x1018' -ex continue -ex continue -ex detach
console spinning
session -ex "$in_loop" -ex 'x/4xb 0x1018' -ex 'set $pc = 0x1000' -ex 'tbreak *0x1024' -ex continue -ex kill | sed 1d
END
cat >"$work/expected" <<'END'
0x00001000 in ?? ()
Breakpoint 1 at 0x1004
Breakpoint 2 at 0x1008
Breakpoint 3 at 0x100c
Breakpoint 4 at 0x1010
Breakpoint 5 at 0x1014
Breakpoint 6 at 0x1018

Breakpoint 1, 0x00001004 in ?? ()

Breakpoint 2, 0x00001008 in ?? ()
[Inferior 1 (Remote target) detached]
$1 = 1
0x1018:	0xb0	0x6e	0xe6	0xe9
Temporary breakpoint 1 at 0x1024

Temporary breakpoint 1, 0x00001024 in ?? ()
[Inferior 1 (Remote target) killed]
END
sessions "detach: the guest goes on without the breakpoints" spin.bin

cat >"$work/script" <<'END'
session -ex 'break *0x1004' -ex continue -ex continue -ex continue -ex 'p $ax' -ex disconnect
session -ex 'p $ax' -ex continue -ex 'info threads'
END
cat >"$work/expected" <<'END'
0x00001000 in ?? ()
Breakpoint 1 at 0x1004

Breakpoint 1, 0x00001004 in ?? ()

Breakpoint 1, 0x00001004 in ?? ()

Breakpoint 1, 0x00001004 in ?? ()
$1 = 1
0x00001004 in ?? ()
$1 = 1
halted at 0000:1013

Program stopped.
0x00001013 in ?? ()
  Id   Target Id                                   Frame
* 1    Thread 1 "vCPU0" (16-bit real mode, halted) 0x00001013 in ?? ()
END
sessions "disconnect: the guest stays as it is, without the breakpoints" sum.bin
sessions "--on-disconnect=stop" sum.bin --on-disconnect=stop

# The shell that gdb starts ends gdb, which cannot say goodbye.
cat >"$work/script" <<'END'
session -ex 'break *0x1004' -ex continue -ex 'shell kill -KILL $PPID' 2>/dev/null
session -ex 'p $ax' -ex 'tbreak *0x100e' -ex continue
END
cat >"$work/expected" <<'END'
0x00001000 in ?? ()
Breakpoint 1 at 0x1004

Breakpoint 1, 0x00001004 in ?? ()
0x00001004 in ?? ()
$1 = 0
Temporary breakpoint 1 at 0x100e

Temporary breakpoint 1, 0x0000100e in ?? ()
END
sessions "a gdb that dies: the guest stays as it is" sum.bin

# A gdb that dies while the guest runs.
cat >"$work/script" <<'END'
{
	session -ex "shell echo \$PPID >$1/first" -ex 'break *0x1004' -ex 'set $pc = 0x1008' -ex continue
} >/dev/null 2>&1 &
console inning
kill -KILL "$(cat "$1/first")"
session -ex 'monitor status' -ex "$in_loop" -ex stepi -ex "$in_loop" | sed '/^0x/d; /^vCPU0/d'
END
cat >"$work/expected" <<'END'
memory: 65536 KiB; breakpoints inserted: 0, watchpoints: 0
$1 = 1
$2 = 1
END
sessions "a gdb that dies while the guest runs: the guest stops, without the breakpoint" spin.bin

cat >"$work/script" <<'END'
session -ex stepi -ex disconnect
console spinning
session -ex "$in_loop" -ex kill | grep -F '$'
END
cat >"$work/expected" <<'END'
0x00001000 in ?? ()
0x00001002 in ?? ()
$1 = 1
END
sessions "--on-disconnect=run: the guest goes on" spin.bin --on-disconnect=run

cat >"$work/script" <<'END'
console spinning
session -ex "$in_loop" -ex 'set $pc = 0x1000' -ex 'tbreak *0x1024' -ex continue | sed 1d
END
cat >"$work/expected" <<'END'
$1 = 1
Temporary breakpoint 1 at 0x1024

Temporary breakpoint 1, 0x00001024 in ?? ()
END
sessions "--no-wait: the guest runs at once" spin.bin --no-wait

# A second gdb while there is one: it is turned away, and the first one does not notice.
cat >"$work/script" <<'END'
session -ex stepi -ex 'shell "$GDB" -nx -q -batch -ex "target remote $KVMGDB_ENDPOINT" >second 2>&1; echo $?' -ex stepi
END
cat >"$work/expected" <<'END'
0x00001000 in ?? ()
0x00001002 in ?? ()
1
0x00001004 in ?? ()
END
sed -i "s|>second|>$work/second|" "$work/script"
sessions "a second gdb is turned away" sum.bin
grep -q 'kvmgdb is serving another client' "$work/second" && grep -q 'closed' "$work/second"
result $? "a second gdb is told why"
comment <"$work/second"

# What ends kvmgdb, and how
for way in "kill:" "disconnect:--on-disconnect=exit" "kill:--on-disconnect=run"; do
	new_console
	# shellcheck disable=SC2086 # at most one option
	kvmgdb --gdb="unix:$work/socket" ${way#*:} "$GUESTS/spin.bin" >"$work/text" 2>"$work/console" &
	read -r line <&3
	timeout "$TEST_TIMEOUT" "$GDB" -nx -q -batch -ex "target remote $work/socket" -ex stepi \
		-ex "${way%%:*}" >"$work/out" 2>&1 </dev/null
	wait $!
	result $? "${way%%:*} ${way#*:}: kvmgdb ends with status 0"
	[ ! -s "$work/text" ] && [ ! -e "$work/socket" ]
	result $? "${way%%:*} ${way#*:}: the guest does not run, and the socket is gone"
done
finish
