#!/bin/sh
# --screen: the text on the guest's screen, and nothing else, is printed at the end; on a terminal it is drawn
# while the guest runs. INT 10h and the VGA's registers by the guests' own account.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
for guest in screen-text screen-scroll screen-graphics screen-modes vga font-b8000; do
	need_guest $guest.bin
done

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# shows GUEST [ARG]...: the expected screen is in $work/expected.
shows() {
	guest=$1
	shift
	kvmgdb --gdb=none --machine=pc --screen "$@" "$GUESTS/$guest.bin" >"$work/out" 2>"$work/err"
	result $? "$guest: exit status 0"
	same "$guest: the screen" "$work/expected" "$work/out"
}

cat >"$work/expected" <<'END'
lver

zy
--------------------------------------------------------------------------------
wrapped£☺
1122211111          22222

a string                                                                    a st
ring

col
or.

╔═╗ B800 ß√
END
shows screen-text
echo 'halted at 0000:108f' >"$work/expected"
same "screen-text: no text beside the screen" "$work/expected" "$work/err"

# Without --screen the text of INT 10h is on the console, with a new line where the guest has moved the cursor.
printf '%s\r\n' "$(printf '%080d' 0 | tr 0 -)wrapped£$(printf '\001')" >"$work/expected"
printf 'a string\na string\ncol\r\nor.\n' >>"$work/expected"
kvmgdb --gdb=none --machine=pc "$GUESTS/screen-text.bin" 2>&1 | sed '1,/z/d; /^halted/d' >"$work/out"
same "screen-text: the console" "$work/expected" "$work/out"

cat >"$work/expected" <<'END'
07 h h h h h
08 i i i i i
09 b j j j j
10 c a a a a
11 d b b b b
12   c c c c
13   d d d d
14 e e e e e
15 f f f f f
16 g g g g g
17 h     h h
18 i h h i i
19 j i i j j
20 a j j a a
21 b b b b b
22 c c c c c
 3 d d d d d
 4 e e e e e
25 f f f f
26 g g g g
27 h h h h
28 i i i i
29 j j j j
30 a a a a
END
shows screen-scroll --console="file:$work/console"
printf '\0377\nhalted at 0000:1098\n' >"$work/expected"
same "screen-scroll: a new row's attribute" "$work/expected" "$work/console"

echo 'graphics, 320 x 200 pixels' >"$work/expected"
shows screen-graphics
cat >"$work/expected" <<'END'
 04 Z ZZ 02  00  00 
 05 Z ZZ 02  00  00 
 06 Z ZZ 00  00  00 
 0D Z ZZ 02  00  00 
 0E Z ZZ 02  00  00 
 10 Z ZZ 02  00  00 
 11 Z ZZ 00  00  00 
 12 Z ZZ 02  00  00 
 13 Z ZA 83  00  00 
halted at 0000:10a8
END
same "screen-graphics: what it has read back" "$work/expected" "$work/err"

: >"$work/expected"
shows vga
cat >"$work/expected" <<'END'
3D 3E 3F 03 01 02 03 3D 
01 02 03 
2A 00 01 3B 03 04 05 14 07 38 39 3A 3B 3C 3D 3E 3F 2A 
03 34 BF FF 
1A 08 00 03 09 00 01 10 18 1B 03 50 00 
12 00 
halted at 0000:117e
END
same "vga: registers, and 70 retraces" "$work/expected" "$work/err"

# Mode 13h has one page, whatever is in BH: a pixel of colour 0Fh at 50, 50, read at A0000 + 50 * 320 + 50.
printf '\270\023\000\315\020\270\017\014\267\005\271\062\000\211\312\315\020' >"$work/pixel"
printf '\150\000\240\037\240\262\076\346\340\372\364' >>"$work/pixel"
printf 'port 0x00e0 <- 0x0f (15)\nhalted at 0000:101c\n' >"$work/expected"
kvmgdb --gdb=none --machine=pc "$work/pixel" >"$work/out" 2>&1
same "a pixel on a page that there is not" "$work/expected" "$work/out"

# A font by B8000, and the text behind it.
printf 'A\n' >"$work/expected"
shows font-b8000
printf '....\nhalted at 0000:7cae\n' >"$work/expected"
same "a font by B8000" "$work/expected" "$work/err"

# With a COMMAND the screen comes when it has ended.
printf 'command\n' >"$work/expected"
kvmgdb --machine=pc --screen "$GUESTS/screen-modes.bin" -- echo command >"$work/out" 2>"$work/err"
result $? "COMMAND: exit status 0"
same "COMMAND: a blank screen" "$work/expected" "$work/out"

kvmgdb --gdb=none --screen "$GUESTS/sum.bin" >"$work/out" 2>"$work/err"
[ ! -s "$work/out" ] && grep -q '^kvmgdb: a bare machine has no screen' "$work/err"
result $? "a bare machine has none"

# A terminal
if [ -n "$RUNNER" ] || ! command -v script >/dev/null; then
	skip "terminal" "no script"
	finish
	exit
fi
TERM=xterm script -qec "stty cols 90 rows 30; '$KVMGDB' --gdb=none --machine=pc --screen \
	--timeout=$TEST_TIMEOUT '$GUESTS/screen-text.bin'" /dev/null </dev/null >"$work/raw" 2>&1
result $? "terminal: exit status 0"
escape=$(printf '\033')
begin="$escape\[?1049h"
end="$escape\[?1049l"
[ "$(grep -c "$begin" "$work/raw")" = 1 ] && [ "$(grep -c "$end" "$work/raw")" = 1 ]
result $? "terminal: it is turned to its other screen and back"
grep -q "$escape\[14;1H$escape\[0;97;41m╔═╗ B800 ß√" "$work/raw"
result $? "terminal: text in its place and colours"
grep -q "$escape\[16;6H$escape\[?25h" "$work/raw"
result $? "terminal: the cursor"
# Behind it the messages and the screen once more.
sed "/Ctrl-\] ends it/d; s/.*$end//" "$work/raw" | tr -d '\r' | sed -n '1p; $p' >"$work/out"
printf 'halted at 0000:108f\n╔═╗ B800 ß√\n' >"$work/expected"
same "terminal: messages, and the last screen" "$work/expected" "$work/out"
finish
