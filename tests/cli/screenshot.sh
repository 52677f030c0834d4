#!/bin/sh
# Pictures of the guest's screen: each mode's is what tests/cli/screenshot/ has, which UPDATE=1 writes anew.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest pictures.bin
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# pictures [OPTION]... : the guest that shows one in each mode
pictures() {
	kvmgdb --type=raw --machine=pc --load=0x7c00 --console=none "$@"
}

golden=$srcdir/tests/cli/screenshot
names="text text-50-lines text-40-columns 256-colours unchained split planar 640x350 640x200 320x200 2-colours
	cga cga-palette cga-2-colours"

# decode FILE: the size, and what its colours add up to; by another program than its writer.
decode() {
	python3 - "$1" <<-END
	import struct, sys, zlib
	data = open(sys.argv[1], "rb").read()
	assert data[:8] == b"\x89PNG\r\n\x1a\n"
	at, chunks = 8, {}
	while at < len(data):
	    size, = struct.unpack(">I", data[at:at + 4])
	    kind, content = data[at + 4:at + 8], data[at + 8:at + 8 + size]
	    assert struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + content)
	    chunks[kind] = content
	    at += 12 + size
	width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
	rows = zlib.decompress(chunks[b"IDAT"])
	palette = chunks[b"PLTE"]
	assert depth == 8 and colour == 3 and len(rows) == height * (width + 1)
	assert not any(rows[::width + 1]) and 3 * max(rows) < len(palette)
	lit = sum(1 for dot in rows if any(palette[3 * dot:3 * dot + 3]))
	print(width, "x", height, "some" if lit > 100 else "none")
	END
}

if command -v "$GDB" >/dev/null; then
	echo 'break *0x7c04' >"$work/script"
	for name in $names; do
		printf 'continue\nmonitor screenshot %s\n' "$name.png" >>"$work/script"
	done
	pictures --screenshots="$work" "$GUESTS/pictures.bin" -- "$GDB" -nx -q -batch -x "$work/script" >"$work/log" 2>&1
	for name in $names; do
		[ "${UPDATE-}" != 1 ] || cp "$work/$name.png" "$golden/"
		cmp "$golden/$name.png" "$work/$name.png" >"$work/difference" 2>&1
		result $? "$name"
		comment <"$work/difference"
	done
	if command -v python3 >/dev/null; then
		for name in $names; do
			echo "$name $(decode "$work/$name.png" 2>&1 | tail -1)"
		done >"$work/sizes"
		cat >"$work/expected" <<-END
		text 720 x 400 some
		text-50-lines 720 x 400 some
		text-40-columns 720 x 400 some
		256-colours 640 x 400 some
		unchained 640 x 480 some
		split 640 x 480 some
		planar 640 x 480 some
		640x350 640 x 350 some
		640x200 640 x 400 some
		320x200 640 x 400 some
		2-colours 640 x 480 some
		cga 640 x 400 some
		cga-palette 640 x 400 some
		cga-2-colours 640 x 400 some
		END
		same "other programs can read them" "$work/expected" "$work/sizes"
	else
		skip "other programs can read them" "no python3"
	fi
	kvmgdb "$GUESTS/steps.bin" -- "$GDB" -nx -q -batch -ex 'monitor screenshot x.png' >"$work/log" 2>&1
	grep -q '^A bare machine has no screen' "$work/log"
	result $? "monitor screenshot of a bare machine"
	mkdir "$work/folder" && ln -s "$work" "$work/folder/link"
	pictures --screenshots="$work/folder" "$GUESTS/pictures.bin" -- "$GDB" -nx -q -batch -ex 'monitor screenshot' \
		-ex "monitor screenshot none/a.png" -ex "monitor screenshot a.txt" -ex "monitor screenshot ../a.png" \
		-ex "monitor screenshot $work/a.png" -ex "monitor screenshot link/a.png" >"$work/log" 2>&1
	tail -n 6 "$work/log" | sed "s|$work/||" >"$work/said"
	cat >"$work/expected" <<-END
	It takes the name of the file, FILE.png.
	cannot write none/a.png: No such file or directory
	a.txt: the name of a picture ends in .png
	cannot write ../a.png: Invalid cross-device link
	cannot write a.png: Invalid cross-device link
	cannot write link/a.png: Invalid cross-device link
	END
	same "monitor screenshot says what is wrong" "$work/expected" "$work/said"
	pictures "$GUESTS/pictures.bin" -- "$GDB" -nx -q -batch -ex "monitor screenshot $work/a.png" >"$work/log" 2>&1
	pictures --no-sandbox "$GUESTS/pictures.bin" -- "$GDB" -nx -q -batch -ex "monitor screenshot $work/b.png" \
		>>"$work/log" 2>&1
	grep -q '^kvmgdb runs in a sandbox without a folder for it: start it with --screenshots=DIR\.$' "$work/log" &&
		[ ! -e "$work/a.png" ] && [ -s "$work/b.png" ]
	result $? "without --screenshots a client writes no files, but without a sandbox"
else
	skip "monitor screenshot" "no $GDB"
fi

pictures --gdb=none --screenshot="$work/last.png" "$GUESTS/pictures.bin" >"$work/log" 2>&1
result $? "--screenshot"
cmp "$golden/cga-2-colours.png" "$work/last.png" 2>&1 | comment
[ -s "$work/last.png" ] && cmp -s "$golden/cga-2-colours.png" "$work/last.png"
result $? "it is what was on the screen at the end"

pictures --gdb=none --screenshot="$work/none/a.png" "$GUESTS/pictures.bin" >"$work/log" 2>&1
[ $? -eq 2 ] && grep -q 'cannot write .*: No such file or directory' "$work/log"
result $? "where there is no folder it says so before the guest runs"

pictures --gdb=none --screenshot="$work/a.txt" "$GUESTS/pictures.bin" >"$work/log" 2>&1
[ $? -eq 2 ] && [ ! -e "$work/a.txt" ]
result $? "a name that is not a picture's"

kvmgdb --gdb=none --screenshot="$work/a.png" "$GUESTS/steps.bin" >"$work/log" 2>&1
[ $? -eq 2 ] && [ ! -e "$work/a.png" ] && grep -q 'a bare machine has no screen' "$work/log"
result $? "a bare machine"

if ln -s /dev/full "$work/full.png" 2>/dev/null && [ -c /dev/full ]; then
	pictures --gdb=none --screenshot="$work/full.png" "$GUESTS/pictures.bin" >"$work/log" 2>&1
	[ $? -eq 2 ] && grep -q 'cannot write .*full.png: No space left on device' "$work/log"
	result $? "no space"
else
	skip "no space" "no /dev/full"
fi
finish
