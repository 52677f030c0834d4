#!/bin/sh
# What the BIOS says of the PC, and the clock that --rtc sets.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
for guest in services rtc int15 spin-ticks ticks-polled timers apic; do
	need_guest $guest.bin
done

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# goes NAME STATUS [OPTION]...: the guest's lines are in $work/expected.
goes() {
	name=$1 status=$2
	shift 2
	kvmgdb --gdb=none "$@" "$GUESTS/services.bin" >"$work/out" 2>"$work/err"
	[ $? -eq "$status" ]
	result $? "$name: exit status $status"
	# The wait is 36.4 ticks, which is 36 or 37 by where in a tick it begins, and 38 if a busy host's kicks take more
	# than half of one: they are the only time here that is not the guest's own.
	sed 's/^powered off at .*/off/; s/^T002[46]/T0025/; s/^Tff7[46]/Tff75/' "$work/out" >"$work/lines"
	same "$name: what it prints" "$work/expected" "$work/lines"
	comment <"$work/err"
}

cat >"$work/expected" <<'END'

E0223 027f fc00 3c00 0300
M00000000 0009fc00 0001 0018
M0009fc00 00000400 0002 0018
M000f0000 00010000 0002 0018
M00100000 03f00000 0001 0018
D2026 0101 2026 0280
T0025 0000 0200
off
END
# The boot sector answers as a floppy, too.
goes 'default' 0

cat >"$work/expected" <<'END'

E0223 027f 1c00 1c00 0000
M00000000 0009fc00 0001 0018
M0009fc00 00000400 0002 0018
M000f0000 00010000 0002 0018
M00100000 00700000 0001 0018
D1999 1231 1999 0280
Tff75 0000 0100
off
END
# The count of ticks begins anew at midnight.
goes '8 MiB, before midnight' 0 --memory=8M --rtc=1999-12-31T23:59:59

# The date goes on, too, with the time; and what is no date is none.
for when in 2026-02-29 2026-13-01 2026-01-01T24:00:00 2026-01-01x 1969-12-31 tomorrow ''; do
	kvmgdb --gdb=none "--rtc=$when" "$GUESTS/services.bin" >"$work/out" 2>&1
	[ $? -eq 2 ]
	result $? "--rtc=$when is refused"
done
for when in 2024-02-29 2000-12-31T23:59:59 now; do
	kvmgdb --gdb=none "--rtc=$when" "$GUESTS/services.bin" >"$work/out" 2>&1
	result $? "--rtc=$when"
done

# says GUEST [OPTION]...: the lines that it prints are in $work/expected.
says() {
	guest=$1
	shift
	kvmgdb --gdb=none "$@" "$GUESTS/$guest.bin" >"$work/out" 2>&1
	result $? "$guest: exit status 0"
	tr -d '\r' <"$work/out" >"$work/lines"
	same "$guest: what it prints" "$work/expected" "$work/lines"
}

# The clock as it is set, and its interrupts: how many, and why. 32 of 16 a second; the alarm's alone; three updates.
cat >"$work/expected" <<'END'
19991231 235956
P 20 D0
A 01 F0
20000101 000005
U 03 F0
20000101 000008
N 00 00
20000101 000108
halted at 0000:7cb7
END
says rtc

# The clock and its memory go on over a reset.
cat >"$work/expected" <<'END'
.......
reset at 0000:7d3e
.
halted at 0000:7d55
END
says timers --on-reset=run

# The local APIC and the I/O APIC.
printf '...................\nthe guest has an interrupt delivered to its processor as an NMI, which is not done here\nhalted at 0000:81ac\n' >"$work/expected"
says apic

# Code that never leaves the CPU gets each tick of a fast timer, or it would wait for ten times as long.
printf '1\nhalted at 0000:7c43\n' >"$work/expected"
says spin-ticks

# Nor are ticks lost to a guest that calls the BIOS all the time, and a wait does not last until the next one.
printf '...\nhalted at 0000:7c64\n' >"$work/expected"
says ticks-polled

# Ralf Brown's Interrupt List has them all: AX as it was called, AX to DX and the carry flag as they came back.
cat >"$work/expected" <<'END'
2402 0001 0000 0000 0000 0
2400 0000 0000 0000 0000 0
2402 0000 0000 0000 0000 0
2401 0001 0000 0000 0000 0
2402 0001 0000 0000 0000 0
2403 0003 0003 0000 0000 0
INT 15h AH=24 AL=ff: this BIOS has no such service; called at 0000:7c2b
24FF 86FF 0000 0000 0000 1
8700 0000 0000 0003 0000 0
8700 0000 0000 0003 0000 0
8700 0000 0000 0000 0000 0
8700 0200 0000 8001 0000 1
8700 0200 0000 0003 0000 1
8800 FC00 0000 0000 0000 0
8A00 1000 0000 0000 0001 0
E801 3C00 0350 3C00 0350 0
E881 3C00 0350 3C00 0350 0
5300 0102 504D 0000 0000 0
5301 0001 0000 0000 0000 0
5302 0602 0000 0000 0000 1
5303 0803 0000 0000 0000 1
530E 0101 0000 0101 0000 0
5305 0005 0000 0000 0000 0
5307 0907 0005 0003 0000 1
5307 6007 0001 0007 0000 1
530B 800B 0000 0000 0000 1
5380 0C80 0000 0000 0000 1
4F1E 4F1E 0000 0000 0000 1
C100 C100 0000 0000 0000 0
C200 0300 0000 0000 0000 1
INT 15h AH=bf AL=00: this BIOS has no such service; called at 0000:7c2b
BF00 8600 0000 0000 0000 1
moved
halted at 0000:7c74
END
says int15 --memory=69M

# --trace says the same as monitor trace.
cat >"$work/expected" <<'END'
INT 15h AH=88 (size of extended memory) from 0000:7c1c: AX=887f BX=0000 CX=0000 DX=0080 SI=0000 DI=0000 BP=0000 DS=0000 ES=0000 -> AX=fc00 CF=0
port 0x0070 <- 0x15 (clock and CMOS)
port 0x0071 -> 0x80 (clock and CMOS)
END
kvmgdb --gdb=none --trace=bios,io "$GUESTS/services.bin" >"$work/out" 2>"$work/err"
sed -n '/^INT 15h AH=88/p; /^port 0x0070 <- 0x15/{N;p;}' "$work/out" >"$work/lines"
same '--trace=bios,io' "$work/expected" "$work/lines"
for what in all bios, ''; do
	kvmgdb --gdb=none "--trace=$what" "$GUESTS/services.bin" >"$work/out" 2>&1
	[ $? -eq 2 ]
	result $? "--trace=$what is refused"
done
finish
