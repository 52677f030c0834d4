#!/bin/sh
# What the example guests leave on the screen, or paint there. UPDATE=1 writes tests/cli/screenshot/mode13.png anew.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
for guest in menu stage2 e820 keys mode13 long ticks; do
	need_guest $guest.bin
done

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# shows GUEST [OPTION]...: the screen at the end, which is standard input, and an exit status of 0.
shows() {
	guest=$1
	shift
	cat >"$work/expected"
	kvmgdb --gdb=none --screen "$@" "$GUESTS/$guest" >"$work/out" 2>"$work/err"
	result $? "$guest: exit status 0"
	# How many sections there are depends on the compiler.
	sed -i '/^sections: .* named$/d' "$work/out"
	same "$guest: the screen" "$work/expected" "$work/out"
	comment <"$work/err"
}

shows menu.bin --keys='1<Down><Down>' <<'END'


    1 Hello
    2 Boot again
    3 Switch off

    Hello from the menu
END
shows menu.bin --keys='12<Up>\n' <<'END'


    1 Hello
    2 Boot again
    3 Switch off
END
shows stage2.bin <<'END'
the second stage, to its last sector
END
shows e820.bin --memory=20M <<'END'
0000000000000000 000000000009FC00 00000001
000000000009FC00 0000000000000400 00000002
00000000000F0000 0000000000010000 00000002
0000000000100000 0000000001300000 00000001
END
# A line feed does not go back to the first column.
shows keys.bin --keys='aB<F1>\e' <<'END'
1e61 00
       3042 02
              3b00 00
                     011b 00
END
shows long.bin <<'END'


kernel in 64-bit mode
END
shows ticks.bin <<'END'
200 ticks                                                                    200
END

# The kernel in C, where there is a compiler for it.
if [ -f "$GUESTS/multiboot1.elf" ]; then
	shows multiboot1.elf --console=none --append=quiet <<-END
	magic: 2badb002 flags: 126d lower: 27f upper: fc00
	command line: quiet
	map: 0+9fc00
	map: 9fc00+400 reserved
	map: f0000+10000 reserved
	map: 100000+3f00000
	loader: kvmgdb
	screen: b8000 50x19
	END
else
	skip "multiboot1.elf" "no compiler for kernels"
fi

golden=$srcdir/tests/cli/screenshot/mode13.png
kvmgdb --gdb=none --screenshot="$work/mode13.png" "$GUESTS/mode13.bin" >"$work/err" 2>&1
result $? "mode13.bin: exit status 0"
[ "${UPDATE-}" != 1 ] || cp "$work/mode13.png" "$golden"
cmp "$golden" "$work/mode13.png" >"$work/difference" 2>&1
result $? "mode13.bin: the picture"
comment <"$work/difference"
finish
