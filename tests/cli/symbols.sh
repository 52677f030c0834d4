#!/bin/sh
# --symbols: which files it takes, and what of the host a gdb gets through it: that one file, as it was
# when kvmgdb began.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest modes.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# refused WHY [ARG]...: exit status 2 and a message that has WHY; nothing runs.
refused() {
	why=$1
	shift
	kvmgdb --gdb=none "$@" "$GUESTS/modes.bin" >"$work/out" 2>"$work/err"
	[ $? -eq 2 ] && [ ! -s "$work/out" ] && grep -q -F -e "$why" "$work/err" && [ "$(wc -l <"$work/err")" -eq 1 ]
	result $? "$*: $why"
	comment <"$work/err"
}

# header FILE OFFSET BYTES: modes.elf64 with other bytes there.
header() {
	cp "$GUESTS/modes.elf64" "$1"
	printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

refused "No such file" --symbols="$work/none"
refused "not a regular file" --symbols="$work"
mkfifo "$work/fifo"
refused "not a regular file" --symbols="$work/fifo"
refused "not a linked ELF file" --symbols="$GUESTS/modes.bin"
: >"$work/empty"
refused "not a linked ELF file" --symbols="$work/empty"
refused "not a linked ELF file" --symbols="$GUESTS/modes.elf64.o"
head -c 63 "$GUESTS/modes.elf64" >"$work/short"
refused "not a linked ELF file" --symbols="$work/short"
head -c 51 "$GUESTS/modes.elf32" >"$work/short32"
refused "not a linked ELF file" --symbols="$work/short32"
header "$work/class" 4 '\003'
refused "not a linked ELF file" --symbols="$work/class"
header "$work/order" 5 '\002'
refused "not a linked ELF file" --symbols="$work/order"
header "$work/machine" 18 '\0267'
refused "not a linked ELF file" --symbols="$work/machine"
for offset in '' x 0x 1x -x -- 0x10000000000000000; do
	refused "--symbols-offset=$offset: not a number of bytes" --symbols-offset="$offset"
done

# No file is read before gdb asks for it: one of 52 bytes is one.
head -c 52 "$GUESTS/modes.elf32" >"$work/header32"
kvmgdb --gdb=none --symbols="$work/header32" "$GUESTS/modes.bin" >/dev/null
result $? "a file of a header alone"

# For a gdb that is to read the file by itself
kvmgdb --gdb=none --verbose --symbols="$GUESTS/modes.elf64" --symbols-offset=0x7c00 \
	"$GUESTS/modes.bin" 2>"$work/err" >/dev/null
grep -x -F "kvmgdb: $GUESTS/modes.bin: hard disk (or floppy), 80x2x18, 2880 sectors, begins at 0000:7c00; \
add-symbol-file $(realpath "$GUESTS/modes.elf64") -o 0x7c00" "$work/err"
result $? "--verbose: the line that adds them"
comment <"$work/err"

need_gdb

# session OPTION... : kvmgdb's options; gdb's commands are in $work/script.
session() {
	kvmgdb "$@" "$GUESTS/modes.bin" -- "$GDB" -nx -q -batch -x "$work/script" >"$work/out" 2>&1
}

# In 16-bit code, too, a 64-bit file has addresses of 64 bits.
echo 'info address wide' >"$work/script"
for offset in 0:7ca0 0x10000:17ca0 -0x7000:ca0 0xffffffff80000000:ffffffff80007ca0 \
	-0x80000000:ffffffff80007ca0; do
	session --symbols="$GUESTS/modes.elf64" --symbols-offset="${offset%:*}"
	grep -q "^Symbol \"wide\" is at 0x${offset#*:} " "$work/out"
	result $? "an offset of ${offset%:*}"
	comment <"$work/out"
done
session --symbols="$GUESTS/modes.elf32" --symbols-offset=-0x7c00
grep -q '^Symbol "wide" is at 0xa0 ' "$work/out"
result $? "an offset of a 32-bit file"

# By another name: gdb is told the file's own.
ln -s "$GUESTS/modes.elf64" "$work/link"
echo 'info files' >"$work/script"
(cd "$work" && session --symbols=link)
grep -q "^Symbols from \"target:$(realpath "$GUESTS/modes.elf64")\"" "$work/out"
result $? "a symbolic link"

# What is served was opened before gdb came.
cp "$GUESTS/modes.elf64" "$work/modes"
cat >"$work/script" <<END
info symbol 0x7ca0
END
kvmgdb --symbols="$work/modes" "$GUESTS/modes.bin" -- sh -c '
	rm "$1/modes"
	"$2" -nx -q -batch -ex "target remote $KVMGDB_ENDPOINT" -x "$1/script"' sh "$work" "$GDB" >"$work/out" 2>&1
grep -q '^wide in section .text' "$work/out"
result $? "a file that is removed"
comment <"$work/out"

# And what has become too short is an error of gdb's, not a crash.
cp "$GUESTS/modes.elf64" "$work/modes"
kvmgdb --symbols="$work/modes" "$GUESTS/modes.bin" -- sh -c '
	: >"$1/modes"
	"$2" -nx -q -batch -ex "target remote $KVMGDB_ENDPOINT" -ex "x/i \$pc"' sh "$work" "$GDB" >"$work/out" 2>&1
grep -q '^=> 0x7c00:' "$work/out"
result $? "a file that is cut"
comment <"$work/out"

# gdb can ask for other files, and gets none.
printf 'remote get %s %s\n' "$GUESTS/modes.elf32" "$work/got" >"$work/script"
session --symbols="$GUESTS/modes.elf64"
[ ! -s "$work/got" ] && grep -q 'No such file' "$work/out"
result $? "another file"
printf 'remote get %s %s\n' "$GUESTS/modes.elf64" "$work/got" >"$work/script"
session --symbols="$GUESTS/modes.elf64"
cmp "$work/got" "$GUESTS/modes.elf64"
result $? "a file of 64 bits: all of it"
printf 'remote get %s %s\n' "$GUESTS/modes.elf32" "$work/got" >"$work/script"
session --symbols="$GUESTS/modes.elf32"
[ "$(cmp -l "$work/got" "$GUESTS/modes.elf32" | awk '{ print $1, $2 }')" = "19 0" ]
result $? "a file of 32 bits: all of it, but for its machine"
printf 'remote put %s %s\n' "$GUESTS/modes.elf32" "$work/modes" >"$work/script"
cp "$GUESTS/modes.elf64" "$work/modes"
session --symbols="$work/modes"
cmp -s "$work/modes" "$GUESTS/modes.elf64"
result $? "it cannot be written to"
printf 'remote delete %s\n' "$work/modes" >"$work/script"
session --symbols="$work/modes"
[ -e "$work/modes" ]
result $? "it cannot be removed"
finish
