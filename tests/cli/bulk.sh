#!/bin/sh
# Memory in bulk as gdb asks for it: restore, dump, find, compare-sections and load.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_gdb
need_guest sum.bin
need_guest kernel32.elf
TEST_TIMEOUT=300 # emulated hosts are slow with so much
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# has NAME WHAT: that is what was printed behind the line NAME: and before the next one that ends with ':'
has() {
	sed -n "/^$1:\$/,/^[a-z ]*:\$/{/:\$/d; p}" "$work/printed" >"$work/found"
	echo "$2" >"$work/wanted"
	same "$1" "$work/wanted" "$work/found"
}

# Bytes of every value and in no order, without anything that a search below could find.
head -c 2097152 /dev/urandom | tr '\132' '\133' >"$work/data"

cat >"$work/data.gdb" <<END
restore $work/data binary 0x100000
dump binary memory $work/copy 0x100000 0x300000
echo in front of it:\n
print/x *(unsigned char *)0xfffff
echo a byte that is not there:\n
find /b 0x100000, 0x2fffff, 0x5a
echo the last byte:\n
set var *(unsigned char *)0x2fffff = 0x5a
find /b 0x100000, 0x2fffff, 0x5a
echo nothing in a hole:\n
set var {char[8]}0xfffff8 = "kvmgdb!"
find /b 0xfffff000, 0xffffffff, 'n', 'o'
echo over a hole:\n
find 0x1000, 0xfffffff0, "kvmgdb!"
echo :\n
break *0x1002
continue
echo what is under a breakpoint:\n
find /b 0x1000, 0x100f, 0x31, 0xc0, 0x31, 0xdb
echo no breakpoint itself:\n
find /b /1 0x1000, 0x10ff, 0xcc
find /b /1 0x1000, 0x10ff, 0xf1
echo :\n
END
kvmgdb --load=0x1000 --memory=16M "$GUESTS/sum.bin" -- "$GDB" -nx -q -batch -x "$work/data.gdb" >"$work/printed" 2>&1
cmp "$work/data" "$work/copy"
result $? "2 MiB, restored and dumped"
has "in front of it" "\$1 = 0x0"
has "a byte that is not there" "Pattern not found."
has "the last byte" "0x2fffff
1 pattern found."
has "nothing in a hole" "Pattern not found."
has "over a hole" "0xfffff8
1 pattern found."
has "what is under a breakpoint" "0x1000
1 pattern found."
has "no breakpoint itself" "Pattern not found.
Pattern not found."

cat >"$work/sections.gdb" <<END
echo as it was loaded:\n
compare-sections
set var *(unsigned char *)start ^= 1
echo with a byte changed:\n
compare-sections .text
echo :\n
load
echo loaded again:\n
compare-sections .text
echo :\n
END
kvmgdb "$GUESTS/kernel32.elf" -- "$GDB" -nx -q -batch "$GUESTS/kernel32.elf" -x "$work/sections.gdb" 2>&1 |
	sed 's/, range 0x[0-9a-f]* -- 0x[0-9a-f]*//
		# gdb 13 breaks this line, and gdb 17 has another verb
		/^warning: One or more sections/ {
			/loaded file/! { N; s/\n/ /; N; s/\n//; }
			s/ image does / image do /
		}' >"$work/printed"
has "as it was loaded" "Section .text: matched.
Section .data: matched."
has "with a byte changed" "Section .text: MIS-MATCHED!
warning: One or more sections of the target image do not match the loaded file"
has "loaded again" "Section .text: matched."

head -c 67108864 /dev/urandom >"$work/large"
cat >"$work/large.gdb" <<END
restore $work/large binary 0x100000
dump binary memory $work/copy 0x100000 0x4100000
END
kvmgdb --mode=32 --memory=80M "$GUESTS/sum.bin" -- "$GDB" -nx -q -batch -x "$work/large.gdb" >"$work/printed" 2>&1
cmp "$work/large" "$work/copy"
result $? "64 MiB, restored and dumped"
if ld -m elf_i386 -e 0x100000 -Tdata=0x100000 -b binary -o "$work/large.elf" "$work/large" 2>/dev/null; then
	kvmgdb --mode=32 --memory=80M "$GUESTS/sum.bin" -- "$GDB" -nx -q -batch "$work/large.elf" \
		-ex load -ex compare-sections >"$work/printed" 2>&1
	grep -q '^Section \.data, range 0x100000 -- 0x4100000: matched' "$work/printed"
	result $? "64 MiB, loaded and compared"
else
	skip "64 MiB, loaded and compared" "no ld for 32-bit programs"
fi

finish
