#!/bin/sh
# Ctrl-C in gdb stops a guest that spins, in each mode, and the guest can go on. So it does where gdb goes on by itself,
# from one step to the next, and over a breakpoint or a watchpoint whose condition it decides.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_gdb
need_guest spin.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# The guest says when it runs: then gdb, whose process id it has told before, gets the signal that
# Ctrl-C sends, the second time behind a step.
cat >"$work/script" <<'END'
set trace-commands on
break *0x1000
shell echo gdb $PPID
continue
p $pc == 0x1024 || $pc == 0x1025
stepi
p $pc == 0x1024 || $pc == 0x1025
set $pc = 0x1000
continue
shell echo gdb $PPID
continue
p $pc == 0x1024 || $pc == 0x1025
END

# gdb_interrupted MODE SCRIPT [TIMES]: what it prints; each time that the guest runs, and has said so TIMES times, it
# gets Ctrl-C.
gdb_interrupted() {
	kvmgdb --mode="$1" "$GUESTS/spin.bin" -- "$GDB" -nx -q -batch -x "$2" 2>&1 |
		while read -r line; do
			case $line in
			gdb\ *) pid=${line#gdb } left=${3:-1} ;;
			spinning) [ $((left -= 1)) -ne 0 ] || kill -INT "$pid" ;;
			esac
			echo "$line"
		done
}

for mode in 16 32 64; do
	gdb_interrupted $mode "$work/script" >"$work/out"
	[ "$(grep -c '^Program received signal SIGINT' "$work/out")" = 2 ]
	result $? "$mode-bit mode: stopped by Ctrl-C both times"
	[ "$(grep -c '^\$[0-9]* = 1$' "$work/out")" = 3 ]
	there=$?
	result $there "$mode-bit mode: in the loop, and after a step, too"
	[ $there -eq 0 ] || comment <"$work/out"
done

cat >"$work/steps" <<'END'
shell echo gdb $PPID
stepi 1000000000
END
cat >"$work/condition" <<'END'
shell echo gdb $PPID
set breakpoint condition-evaluation host
break *0x1025 if 0
continue
END

# inc byte [0x3000]; jmp 0x1000: it says so again and again, and gdb decides each time.
cat >"$work/watch" <<'END'
shell echo gdb $PPID
set {unsigned char[6]}0x1024 = {0xfe, 0x06, 0x00, 0x30, 0xeb, 0xd6}
watch *(char *)0x3000 if *(char *)0x3001 == 1
continue
END

# Where gdb has it before it has told kvmgdb, it quits what it does.
for script in steps condition watch; do
	times=1
	[ $script = watch ] && times=20
	gdb_interrupted 16 "$work/$script" $times >"$work/out"
	grep -q -e '^Program received signal SIGINT' -e '^Quit$' "$work/out"
	ended=$?
	result $ended "gdb goes on by itself: $script"
	[ $ended -eq 0 ] || comment <"$work/out"
done
finish
