#!/bin/sh
# Linux, Intel HEX, COM and ROM images: where they begin, what they are given, what is refused.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest bzimage.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# patch FILE OFFSET SIZE VALUE: a little-endian number.
patch() {
	rest=$(($4))
	for _ in $(seq "$3"); do
		# shellcheck disable=SC2059 # the number is the format
		printf "\\$(printf %o $((rest & 255)))"
		rest=$((rest >> 8))
	done | dd of="$1" bs=1 seek=$(($2)) conv=notrunc status=none
}

# prints NAME STATUS TEXT [ARG]...: a kvmgdb without gdb, its exit status and its standard output.
prints() {
	name=$1
	status=$2
	printf '%s\n' "$3" >"$work/expected"
	shift 3
	kvmgdb --gdb=none "$@" >"$work/stdout" 2>"$work/stderr"
	[ $? -eq "$status" ]
	result $? "$name: exit status $status"
	same "$name: output" "$work/expected" "$work/stdout"
	[ ! -s "$work/stderr" ]
	result $? "$name: no messages"
	comment <"$work/stderr"
}

# refused NAME SENTENCE [ARG]...: with one sentence.
refused() {
	name=$1
	echo "kvmgdb: $2" >"$work/expected"
	shift 2
	kvmgdb --gdb=none "$@" >"$work/stdout" 2>"$work/stderr"
	[ $? -eq 2 ] && [ ! -s "$work/stdout" ]
	result $? "$name: refused"
	same "$name: the sentence" "$work/expected" "$work/stderr"
}

# --- Linux ---

printf 'the RAM disk!' >"$work/ramdisk"
# told RAMDISK: what both later entries print.
told() {
	echo "port 0x0e00 <- 0x0010 (16)
port 0x0e04 <- 0x0018 (24)
port 0x0e08 <- 0x0018 (24)
port 0x0e0c <- 0xff (255)
port 0x0e10 <- 0x01000000 (16777216)
port 0x0e14 <- 0x04 (4)
port 0x0e18 <- 0x00100000 (1048576)
port 0x0e1c <- 0x03f00000 (66060288)
port 0x0e20 <- 0x50 (80)
$1"
}
# expect NAME TEXT [ARG]...: the addresses of the end depend on the guest's code alone, and are left out.
expect() {
	name=$1
	printf '%s\n' "$2" >"$work/expected"
	shift 2
	kvmgdb --gdb=none "$@" >"$work/all" 2>&1
	result $? "$name: exit status 0"
	grep -v '^halted at' "$work/all" >"$work/stdout"
	same "$name: output" "$work/expected" "$work/stdout"
}
expect "64-bit entry" "L
$(told 'port 0x0e24 <- 0x03ffa000 (67084288)
port 0x0e28 <- 0x0000000d (13)')
ta b" --append='a b' --initrd="$work/ramdisk" "$GUESTS/bzimage.bin"
expect "64-bit entry, given nothing" "L
$(told 'port 0x0e24 <- 0x00000000 (0)
port 0x0e28 <- 0x00000000 (0)')" "$GUESTS/bzimage.bin"
cp "$GUESTS/bzimage.bin" "$work/kernel"
patch "$work/kernel" 0x236 2 0
expect "32-bit entry" "P
$(told 'port 0x0e24 <- 0x03ffd000 (67096576)
port 0x0e28 <- 0x0000000d (13)')
ta b" --append='a b' --initrd="$work/ramdisk" "$work/kernel"
expect "16-bit entry" "S
port 0x0e00 <- 0x9020 (36896)
port 0x0e04 <- 0x9000 (36864)
port 0x0e08 <- 0xe000 (57344)
port 0x0e0c <- 0xde00 (56832)
port 0x0e10 <- 0xff (255)
port 0x0e14 <- 0x81 (129)
a b
port 0x0e18 <- 0x03fff000 (67104768)
port 0x0e1c <- 0x0000000d (13)
port 0x0e20 <- 0x90 (144)" --type=linux16 --append='a b' --initrd="$work/ramdisk" "$GUESTS/bzimage.bin"
expect "an old kernel" "S
port 0x0e00 <- 0x9020 (36896)
port 0x0e04 <- 0x9000 (36864)
port 0x0e08 <- 0xe000 (57344)
port 0x0e0c <- 0xde00 (56832)
port 0x0e10 <- 0xff (255)
port 0x0e14 <- 0x80 (128)
port 0x0e18 <- 0xa33f (41791)
a b
port 0x0e1c <- 0x00000000 (0)
port 0x0e20 <- 0x00000000 (0)
port 0x0e24 <- 0x90 (144)" --append='a b' "$GUESTS/zimage.bin"

cp "$GUESTS/bzimage.bin" "$work/kernel"
patch "$work/kernel" 0x206 2 0x209
kvmgdb --gdb=none --verbose "$work/kernel" 2>&1 | grep -q 'linux16, .* begins at 9020:0000$'
result $? "protocol 2.09: from the 16-bit entry"

# kernel NAME SENTENCE OFFSET SIZE VALUE [OPTION]...: with another number in its header.
kernel() {
	name=$1
	sentence=$(echo "$2" | sed "s|FILE|$work/kernel|g")
	cp "$GUESTS/bzimage.bin" "$work/kernel"
	patch "$work/kernel" "$3" "$4" "$5"
	shift 5
	refused "$name" "$sentence" "$@" "$work/kernel"
}
kernel "no HdrS" 'FILE is no Linux kernel: it does not have HdrS at offset 0x202 and 55 aa at 510' 0x202 1 0 --type=linux
kernel "setup code beyond the end" 'FILE is cut off: its setup code has 0x20000 bytes' 0x1f1 1 255
kernel "an address" 'FILE wants to be loaded at 0x100000000, above 4 GiB' 0x258 8 0x100000000
fit="do not fit into the guest's memory of 67108864 bytes: give it more with --memory"
kernel "an address without memory" "0x100000 bytes of FILE at 0x80000000 $fit" 0x258 8 0x80000000
kernel "a size" "0xffffffff bytes of FILE at 0x1000000 $fit" 0x260 4 0xffffffff
kernel "the tables" '64-bit mode needs 20480 bytes for its tables and the stack at the end of memory, and the image reaches to 0x4000000: give the guest more with --memory' \
	0x260 4 0x3000000
kernel "a command line" 'the command line is longer than the 2 characters that FILE takes' 0x238 4 2 --append=abc
kernel "a RAM disk" "there is no room for the 13 bytes of $work/ramdisk: give the guest more with --memory" \
	0x22c 4 0xfffff --initrd="$work/ramdisk"
refused "a module" "$GUESTS/bzimage.bin is of type linux, which takes no --module" --module="$work/ramdisk" \
	"$GUESTS/bzimage.bin"
refused "an old kernel's later entry" "$GUESTS/zimage.bin has only a 16-bit entry: give --type=linux16" --type=linux \
	"$GUESTS/zimage.bin"

# --- Intel HEX ---

# hex TEXT: a file of these records, each with its checksum.
hex() {
	for record in $1; do
		sum=0
		rest=$record
		while [ -n "$rest" ]; do
			sum=$((sum + 0x${rest%"${rest#??}"}))
			rest=${rest#??}
		done
		printf ':%s%02X\r\n' "$record" $((-sum & 255))
	done >"$work/hex"
}
# mov al, 0x41; out 0xe9, al; hlt
code=B041E6E9F4
hex "05100000$code 00000001"
prints "HEX" 0 'A
halted at 0000:1005' "$work/hex"
prints "HEX, its second instruction" 0 'halted at 0000:1005' --entry=0x1004 "$work/hex"
hex "020000021000 05000000$code 0400000310000000 00000001"
prints "HEX, segments" 0 'A
halted at 1000:0005' "$work/hex"
hex "020000040010 05000000$code 0400000500100000 00000001"
prints "HEX, linear" 0 'A
halted at 0008:00100005' "$work/hex"
# Behind its end a segment begins again.
hex "020000021000 07FFFE000000$code 0400000310000000 00000001"
prints "HEX, around the end of a segment" 0 'A
halted at 1000:0005' "$work/hex"
# hex_refused NAME SENTENCE [OPTION]...
hex_refused() {
	name=$1
	sentence=$2
	shift 2
	refused "$name" "$(echo "$sentence" | sed "s|FILE|$work/hex|g")" --type=ihex "$@" "$work/hex"
}
printf ':05100000%s0D\n:00000001FF\n' $code >"$work/hex"
hex_refused "a checksum" 'FILE, line 1: the checksum is 0d and should be 37'
printf '\n:0510\n' >"$work/hex"
hex_refused "too short" 'FILE, line 2: there are not the digits of 10 bytes'
printf ':051000\0zz\n' >"$work/hex"
hex_refused "no digits" 'FILE, line 1: there are not the digits of 10 bytes'
printf 'S0\n' >"$work/hex"
hex_refused "no colon" 'FILE, line 1: a record begins with a colon'
hex "05100000$code"
hex_refused "no end" 'FILE, line 2: the file ends without a record of its end (:00000001FF)'
hex 00000001
hex_refused "no data" 'FILE has no data'
hex "00000006 00000001"
hex_refused "a type" 'FILE, line 1: a record of the unknown type 06'
hex "0100000400 00000001"
hex_refused "a length" 'FILE, line 1: a record of type 04 has 1 bytes, and not 2'
hex "02000004FFFF 05000000$code 00000001"
hex_refused "no memory" 'FILE, line 2: there is no memory at 0xffff0000: give the guest more with --memory'
hex "05100000$code 00000001"
hex_refused "a load address" '--load is for raw images: FILE says itself where it goes' --load=0

# --- COM ---

cp "$GUESTS/hello-com.bin" "$work/hello.COM"
prints "COM" 0 'arguments:
the program has ended with code 0, at 1000:0000' "$work/hello.COM"
prints "COM, with arguments" 4 'arguments: a b
the program has ended with code 4, at 1000:012a' --append='a b' "$work/hello.COM"
prints "COM, with a blank" 4 'arguments: a b
the program has ended with code 4, at 1000:012a' --type=com --append=' a b' "$GUESTS/hello-com.bin"
long=$(printf %0125d 0)
kvmgdb --gdb=none --append="$long" "$work/hello.COM" >"$work/stdout" 2>&1
[ $? -eq 126 ] && grep -q -x "arguments: $long" "$work/stdout"
result $? "COM, with as many arguments as there can be"
refused "COM, with too many" "a COM program takes arguments of at most 125 characters" --append="0$long" "$work/hello.COM"
head -c 65279 /dev/zero >"$work/large.com"
refused "COM, too large" "$work/large.com is no COM program: it has more than 65278 bytes" --type=com "$work/large.com"
# Elsewhere there is no DOS: mov ah, 9; int 21h; hlt
printf '\264\011\315\041\364' >"$work/dos"
kvmgdb --gdb=none --machine=pc "$work/dos" 2>&1 | grep -q 'INT 21h AH=09 AL=00: this BIOS has no such service'
result $? "no INT 21h for others"

# --- ROM ---

head -c 65536 "$GUESTS/rom.bin" >"$work/rom"
prints "ROM" 0 'port 0x00e4 <- 0x5a (90)
port 0x00e6 <- 0xa5 (165)
port 0x00e4 <- 0x03 (3)
halted at f000:0027' --type=rom "$work/rom"
head -c 65535 "$GUESTS/rom.bin" >"$work/rom"
refused "ROM, of another size" "$work/rom is no ROM image: its size is no multiple of 4K up to 16M" --type=rom "$work/rom"
head -c 16781312 /dev/zero >"$work/rom"
refused "ROM, too large" "$work/rom is no ROM image: its size is no multiple of 4K up to 16M" --type=rom "$work/rom"
{ head -c 16711680 /dev/zero && cat "$GUESTS/rom.bin"; } >"$work/rom"
prints "ROM, the largest" 0 'port 0x00e4 <- 0x5a (90)
port 0x00e6 <- 0xa5 (165)
port 0x00e4 <- 0x03 (3)
halted at f000:0027' --type=rom "$work/rom"

# --- The CPU ---

prints "no local APIC, and one processor" 0 'port 0x0e00 <- 0x00000000 (0)
port 0x0e00 <- 0x00000000 (0)
port 0x0e00 <- 0x00000000 (0)
port 0x0e00 <- 0x00000000 (0)
port 0x0e00 <- 0x00000001 (1)
port 0x0e00 <- 0x00000000 (0)
port 0x0e00 <- 0x00000000 (0)
port 0x0e00 <- 0x00000000 (0)
halted at 0000:10b0' "$GUESTS/cpuid.bin"
finish
