#!/bin/sh
# What is typed on the terminal goes to the guest, and the terminal is the user's again on every way out.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest keys.bin
need_guest spin.bin
command -v python3 >/dev/null || skip_all "no python3"
[ -z "$RUNNER" ] || skip_all "the terminal is not $RUNNER's"

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# talk NAME [ARG]...: kvmgdb on a terminal, by the script on standard input.
prefix=
talk() {
	name=$1
	shift
	cat >"$work/script"
	# shellcheck disable=SC2086 # words
	timeout 120 python3 "$srcdir/tests/cli/terminal-keys.py" "$work/script" \
		$prefix "$KVMGDB" --timeout="$TEST_TIMEOUT" "$@" >"$work/out" 2>&1
	! grep -q '^not ok\|^Traceback' "$work/out"
	good=$?
	result $good "$name"
	[ $good -eq 0 ] || comment <"$work/out"
}

# The flags behind a key are left out: on a terminal time goes on, and the next modifier may be down, or this one up again.
talk 'keys, the sequences of terminals, and UTF-8' --gdb=none "$GUESTS/keys.bin" <<'END'
see Ctrl-] ends it
raw
send a
see 1e61
send B
see 3042
send \x1b[A\x1bOB
see 48e0
see 50e0
send \x1bOP\x1b[15;5~\x1b[3~\x1b[1;2P\x1b[[E\x1b[24~\x1b[Z
see 3b00
see 6200
see 53e0
see 5400
see 3f00
see 8600
see 0f00
send \x1bx
see 2d00
send \xc3
send \xa4
see 0084
send \x03\x1a\x1c
see 2e03
see 2c1a
see 2b1c
send \x7f\x08\r\n\t
see 0e08
see 0e08
see 1c0d
see 1c0d
see 0f09
send \x1b[99~\x1b[?1;2cz
see 2c7a
send \x1b
see 011b
see halted
end 0
cooked
END
talk 'more at once than the BIOS can hold' --gdb=none "$GUESTS/keys.bin" <<'END'
see Ctrl-] ends it
send abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789
see 2c7a 00
see 2c7a 00
see 0231 00
see 0a39 00
send \x1b
end 0
END
talk 'Ctrl-]' --gdb=none "$GUESTS/keys.bin" <<'END'
see Ctrl-] ends it
raw
send \x1d
end 130
cooked
END
talk 'Ctrl-] where no interrupt can come' --gdb=none --machine=pc "$GUESTS/spin.bin" <<'END'
see spinning
raw
send \x1d
end 130
cooked
END
for signal in TERM:143 HUP:129 INT:130 QUIT:131; do
	talk "SIG${signal%:*}" --gdb=none "$GUESTS/keys.bin" <<END
see Ctrl-] ends it
raw
kill SIG${signal%:*}
end ${signal#*:}
cooked
END
done
talk 'the terminal goes away' --gdb=none "$GUESTS/keys.bin" <<'END'
see Ctrl-] ends it
raw
hangup
end 129
END
prefix='env --ignore-signal=HUP'
if command -v strace >/dev/null; then
	# Of which a sanitizer's search for leaks would be disturbed.
	prefix="$prefix ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 strace -e trace=read -o $work/trace"
else
	: >"$work/trace"
fi
talk 'the terminal goes away, and it is not to end' --gdb=none --timeout=5 "$GUESTS/keys.bin" <<'END'
see Ctrl-] ends it
raw
hangup
end 124
END
if [ -s "$work/trace" ]; then
	[ "$(grep -c '^read(0, .* = \(0\|-1 EIO.*\)$' "$work/trace")" -eq 1 ]
	good=$?
	result $good "it is not looked at any more"
	[ $good -eq 0 ] || grep '^read(0' "$work/trace" | head | comment
else
	skip "it is not looked at any more" "no strace"
fi
prefix=
talk 'SIGTSTP and SIGCONT' --gdb=none "$GUESTS/keys.bin" <<'END'
see Ctrl-] ends it
raw
kill SIGTSTP
stopped
cooked
kill SIGCONT
raw
send q
see 1071 00
send \x1b
end 0
cooked
END
talk 'a guest that is not running leaves the terminal alone' --gdb=127.0.0.1:0 "$GUESTS/keys.bin" <<'END'
see waiting for gdb
cooked
send \x03
end 130
END
talk 'a bare machine does so, too' --gdb=none "$GUESTS/spin.bin" <<'END'
see spinning
cooked
send \x03
end 130
END
finish
