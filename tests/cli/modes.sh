#!/bin/sh
# From real mode to 64-bit mode, with whatever gdb was given and told before it connects, by each of its
# interfaces: every stop is at its breakpoint, shown as code of its mode, and gdb has nothing to complain of.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest modes.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# What no gdb may say
complaints='packet reply|rejected|compatible|OS ABI|not supported|[Ii]nvalid|[Ii]nternal|badly formatted|ambiguous|[Cc]annot'

# looks_right NAME: gdb's output from the connection on, in $work/out, has the right code in each mode.
looks_right() {
	right=0
	tr -d '\r' <"$work/all" | sed -n '/^[~"]*CONNECT/,$p' >"$work/out"
	# shellcheck disable=SC2016 # they are patterns
	for line in '0x7c20.*:.*mov .*\$0x10,%ax' '0x7c24.*:.*mov .*%eax,%ds' \
		'0x7ca0.*:.*mov .*\$0x4c,%al' '0x7ca2.*:.*out .*%al,\$0xe9' \
		'0x7cbc.*:.*dec .*%r8'; do
		grep -E -q "$line" "$work/out" || {
			echo "# there is no $line"
			right=1
		}
	done
	grep -E "$complaints" "$work/out" && right=1
	result $right "$1"
	[ $right -eq 0 ] || comment <"$work/out"
}

# The commands for all of it; gdb has its points before the guest runs.
cat >"$work/script" <<'END'
display/i $pc
break *0x7c20
break *0x7ca0
continue
stepi
continue
stepi
tbreak *0x7cbc
continue
info registers
END

# guest COMMAND [ARG]...: runs it with an endpoint in its environment; what it prints goes to $work/all.
guest() {
	kvmgdb "$GUESTS/modes.bin" -- "$@" >"$work/all" 2>&1
}

cat >"$work/start" <<'END'
work=$1 architecture=$2
shift 2
exec "$@" -ex 'set pagination off' -ex 'set confirm off' ${architecture:+-ex "set architecture $architecture"} \
	-ex 'echo CONNECT\n' -ex "target remote $KVMGDB_ENDPOINT" -x "$work/script" -ex kill -ex quit
END

# The same on a terminal, with windows of assembler code and registers. What is written to windows other
# than the command's goes to the terminal alone.
cat >"$work/screen" <<'END'
work=$1
shift
cat >"$work/tui" <<-TUI
	set pagination off
	set confirm off
	set logging file $work/log
	tui enable
	layout asm
	layout regs
	set logging enabled on
	echo CONNECT\n
	target remote $KVMGDB_ENDPOINT
	source $work/script
	kill
	quit
	TUI
: >"$work/log"
TERM=xterm script -q -e -c "stty rows 50 cols 120; $* -x $work/tui" "$work/screen.log" </dev/null >/dev/null
END

IFS=:
# shellcheck disable=SC2086 # split at the colons
set -- $GDBS
unset IFS
for gdb; do
	if ! command -v "$gdb" >/dev/null; then
		skip "modes with $gdb" "no $gdb"
		continue
	fi
	for file in '' "$GUESTS/modes.elf32" "$GUESTS/modes.elf64"; do
		for architecture in '' i8086 i386 i386:x86-64; do
			# shellcheck disable=SC2086 # a file or nothing
			guest sh "$work/start" "$work" "$architecture" "$gdb" -nx -q -batch $file
			looks_right "$gdb${file:+ ${file##*/}}${architecture:+, set architecture $architecture}"
		done
		# shellcheck disable=SC2086 # a file or nothing
		guest sh "$work/start" "$work" '' "$gdb" -nx -q -batch -i=mi3 $file
		looks_right "$gdb${file:+ ${file##*/}}, MI"
		if ! command -v script >/dev/null; then
			skip "$gdb${file:+ ${file##*/}}, TUI" "no script"
			continue
		fi
		# shellcheck disable=SC2086 # a file or nothing
		guest sh "$work/screen" "$work" "$gdb" -nx -q $file
		cat "$work/log" "$work/screen.log" >"$work/all"
		looks_right "$gdb${file:+ ${file##*/}}, TUI"
	done
done
finish
