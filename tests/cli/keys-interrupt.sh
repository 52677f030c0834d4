#!/bin/sh
# Ctrl-C in gdb stops a guest that waits for a key at its INT 16h, where it waits again when it goes on.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_gdb
need_guest keys.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

cat >"$work/script" <<'END'
set trace-commands on
shell echo gdb $PPID
continue
p/x $eip
x/2xb $pc
stepi
x/i $pc
monitor key b
continue
p/x $eip
monitor key \e
continue
END

# The guest prints the key's line before it waits for the next one, and is in the timer's interrupt now and then, so
# that a signal may come too early, or just then: the later it is the less likely.
for pause in 0 0.2 1 3; do
	kvmgdb --keys=a "$GUESTS/keys.bin" -- "$GDB" -nx -q -batch -x "$work/script" 2>&1 |
		while read -r line; do
			case $line in
			gdb\ *) pid=${line#gdb } ;;
			'1e61 00' | '3062 00') sleep $pause; kill -INT "$pid" ;;
			esac
			echo "$line"
		done >"$work/out"
	[ "$(grep -c '^\$[12] = 0x7c0b$' "$work/out")" = 2 ] && break
done
result $? "at its INT 16h both times"
[ "$(grep -c '^Program received signal SIGINT' "$work/out")" = 2 ]
result $? "stopped by Ctrl-C"
grep -q '^0x7c0b:	0xcd	0x16$' "$work/out" && grep -q '^=> 0xfe0b0:	out ' "$work/out"
result $? "a step goes into it"
grep -q '^halted at 0000:7c31$' "$work/out" && grep -q '^011b 00$' "$work/out"
good=$?
result $good "and on it goes"
[ $good -eq 0 ] || comment <"$work/out"
finish
