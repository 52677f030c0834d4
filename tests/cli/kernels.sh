#!/bin/sh
# Kernels that are begun as a boot loader would: Multiboot 1 and 2, PVH. What they are told, and what is refused.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest multiboot-flat.bin
need_guest kernel32.elf

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# bytes SIZE VALUE...: little-endian numbers, as printf's %b takes them.
bytes() {
	size=$1
	shift
	for value; do
		rest=$(($value)) # an expression, which dash takes so alone
		for _ in $(seq "$size"); do
			printf '\\0%o' $((rest & 255))
			rest=$((rest >> 8))
		done
	done
}

# patch FILE OFFSET SIZE VALUE...
patch() {
	file=$1
	offset=$2
	shift 2
	printf '%b' "$(bytes "$@")" | dd of="$file" bs=1 seek=$((offset)) conv=notrunc status=none
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

printf 'one, of 16 bytes' >"$work/one"
head -c 5000 /dev/zero | tr '\0' 2 >"$work/two"
map='map: 0+9fc00
map: 9fc00+400 reserved
map: f0000+10000 reserved
map: 100000+3f00000'
none='command line: '
modules='module: 10 bytes, the  first: one, of 16 bytes
module: 1388 bytes, : 2222222222222222'

head1='magic: 2badb002 flags: 126d lower: 27f upper: fc00'
tail1='loader: kvmgdb
screen: b8000 50x19'
# The number of sections depends on the compiler.
without_sections() {
	sed '/^sections: .* named$/d' "$work/stdout" >"$work/rest"
	! cmp -s "$work/stdout" "$work/rest"
	result $? "$1: the sections have names"
	grep -v '^halted at' "$work/rest" >"$work/stdout"
}
# tells1 NAME TEXT [ARG]...
tells1() {
	name=$1
	echo "$2" >"$work/expected"
	shift 2
	kvmgdb --gdb=none "$@" "$GUESTS/multiboot1.elf" >"$work/stdout" 2>&1
	result $? "$name: exit status 0"
	without_sections "$name"
	same "$name: output" "$work/expected" "$work/stdout"
}
tells1 "Multiboot 1" "$head1
$none
$map
$tail1"
tells1 "Multiboot 1, with modules" "$head1
command line: root=/dev/x  quiet
$modules
$map
$tail1" --append='root=/dev/x  quiet' --module="$work/one the  first" --module="$work/two"
tells1 "Multiboot 1, another memory" "magic: 2badb002 flags: 126d lower: 27f upper: 800
$none
map: 0+9fc00
map: 9fc00+400 reserved
map: f0000+10000 reserved
map: 100000+200000
$tail1" --memory=3M

# tells NAME FILE TEXT [ARG]...
tells() {
	name=$1
	guest=$2
	echo "$3" >"$work/expected"
	shift 3
	kvmgdb --gdb=none "$@" "$GUESTS/$guest" >"$work/all" 2>&1
	result $? "$name: exit status 0"
	grep -v '^halted at' "$work/all" >"$work/stdout"
	same "$name: output" "$work/expected" "$work/stdout"
}
tells "Multiboot 2" multiboot2.elf "magic: 36d76289
$none
loader: kvmgdb
tag: 9
tag: 4
$map
tag: 8"
tells "Multiboot 2, with modules" multiboot2.elf "magic: 36d76289
command line: a b
loader: kvmgdb
$modules
tag: 9
tag: 4
$map
tag: 8" --append='a b' --module="$work/one the  first" --module="$work/two"
tells "Multiboot 2, where it is linked" multiboot2-moved.elf 0 --memory=64M
tells "Multiboot 2, moved" multiboot2-moved.elf 1 --memory=16M
refused "Multiboot 2, no room to move" \
	"there is no room for $GUESTS/multiboot2-moved.elf where it may be moved to: give the guest more with --memory" \
	--memory=4M "$GUESTS/multiboot2-moved.elf"
tells "PVH" pvh.elf "magic: 336ec578 version: 1
$none
$map"
tells "PVH, with modules" pvh.elf "magic: 336ec578 version: 1
command line: a b
module: 10 bytes, : one, of 16 bytes
$modules
$map" --append='a b' --initrd="$work/one" --module="$work/one the  first" --module="$work/two"
tells "as any other ELF file" pvh.elf 'magic: 0 version: 0
command line: ' --type=elf --machine=bare

# Not ELF

flat='port 0x0080 <- 0x2badb002 (732803074)
port 0x0080 <- 0x00000000 (0)
halted at 0008:00200043'
prints "Multiboot 1 by addresses" 0 "$flat" "$GUESTS/multiboot-flat.bin"
size=$(wc -c <"$GUESTS/multiboot-flat.bin")
# flat NAME SENTENCE OFFSET VALUE...: with other words in the header, whose sum is right.
flat_refused() {
	name=$1
	sentence=$2
	cp "$GUESTS/multiboot-flat.bin" "$work/flat"
	shift 2
	while [ $# -gt 1 ]; do
		patch "$work/flat" "$1" 4 "$2"
		shift 2
	done
	refused "$name" "$(echo "$sentence" | sed "s|FILE|$work/flat|g")" --type=multiboot "$work/flat"
}
flat_refused "flags" 'the Multiboot header of FILE has flags that are not known: 0xfff8' \
	8 0x1fff8 12 -0x1badb002-0x1fff8
flat_refused "neither" 'FILE is no ELF executable, and its Multiboot header does not say where it is to be loaded' \
	8 0 12 -0x1badb002
flat_refused "a sum" 'FILE has no Multiboot header in its first 8192 bytes' 12 0
flat_refused "the header below the beginning" \
	'FILE is to be loaded at 0x200005, with its Multiboot header, at offset 0x4, at 0x200004, which cannot be' \
	20 0x200005
flat_refused "the beginning before the file" \
	'FILE is to be loaded at 0x1fffff, with its Multiboot header, at offset 0x4, at 0x200004, which cannot be' \
	20 0x1fffff
flat_refused "the end before the beginning" \
	'the Multiboot header of FILE has an end 0x1fffff below the beginning 0x200000' 24 0x1fffff
flat_refused "the end behind the file" 'FILE is cut off: its Multiboot header has 0x1000 bytes to be loaded' 24 0x201000
flat_refused "nothing" 'the Multiboot header of FILE has nothing to be loaded' 24 0x200000 28 0
fit="do not fit into the guest's memory of 67108864 bytes: give it more with --memory"
flat_refused "too much" "0xffdfffff bytes of FILE at 0x200000 $fit" 28 0xffffffff
flat_refused "no memory" "0x$(printf %x "$size") bytes of FILE at 0x40000000 $fit" 16 0x40000004 20 0x40000000 24 0 28 0
flat_refused "an entry" 'there is no memory at the entry 0xffffffff of FILE' 32 0xffffffff
flat_refused "the tables" '32-bit mode needs 8192 bytes for its tables and the stack at the end of memory, and the image reaches to 0x4000000: give the guest more with --memory' \
	28 0x4000000
head -c 32 "$GUESTS/multiboot-flat.bin" >"$work/flat"
refused "a short header" "$work/flat is cut off: its Multiboot header reaches beyond its end" --type=multiboot "$work/flat"
cp "$GUESTS/multiboot-flat.bin" "$work/flat"
patch "$work/flat" 24 4 0
prints "to the end of the file" 0 'port 0x0080 <- 0x2badb002 (732803074)
port 0x0080 <- 0x00000001 (1)
halted at 0008:00200043' "$work/flat"

# Modules

refused "a module that is not there" "cannot open $work/no: No such file or directory" \
	--module="$work/no" "$GUESTS/multiboot1.elf"
: >"$work/empty"
refused "a module of nothing" "$work/empty is empty" --module="$work/empty" "$GUESTS/multiboot1.elf"
head -c 4000000 /dev/zero >"$work/large"
refused "a module that is too large" \
	"there is no room for the 4000000 bytes of $work/large: give the guest more with --memory" \
	--memory=4M --module="$work/large" "$GUESTS/multiboot1.elf"
refused "a module for no kernel" "$GUESTS/sum.bin is of type raw, which takes no --module" \
	--module="$work/one" "$GUESTS/sum.bin"
refused "a RAM disk for Multiboot" "$GUESTS/multiboot1.elf is of type multiboot, which takes no --initrd" \
	--initrd="$work/one" "$GUESTS/multiboot1.elf"
refused "a command line for no kernel" "$GUESTS/sum.bin is of type raw, which takes no --append" \
	--append= "$GUESTS/sum.bin"

# The tags of Multiboot 2

# tags NAME SENTENCE LENGTH WORD...: a header of that length, and what it has behind the checksum.
tags() {
	name=$1
	sentence=$(echo "$2" | sed "s|FILE|$work/tags|g")
	length=$3
	shift 3
	: >"$work/tags"
	patch "$work/tags" 0 4 0xe85250d6 0 "$length" "-0xe85250d6-($length)" "$@"
	refused "$name" "$sentence" --type=multiboot2 "$work/tags"
}
tags "no addresses" 'FILE is no ELF executable, and its Multiboot header does not say where it is to be loaded' \
	24 0 8
tags "cut off" 'FILE is cut off: its Multiboot 2 header reaches beyond its end' 28 0 8
tags "longest" 'FILE is cut off: its Multiboot 2 header reaches beyond its end' 0xffffffff 0 8
tags "a tag without a size" 'tag 5 in the Multiboot 2 header of FILE has a size of 0' 24 5 0
tags "a tag that is too long" 'tag 5 in the Multiboot 2 header of FILE has a size of 9' 24 5 9
tags "a tag of the largest size" 'tag 5 in the Multiboot 2 header of FILE has a size of 4294967295' 24 5 0xffffffff
tags "a tag that is too short" 'tag 2 in the Multiboot 2 header of FILE is too short' 40 2 20 0 0 0 0
tags "an unknown tag" 'the Multiboot 2 header of FILE has a tag of the unknown type 4660' 24 0x1234 8
tags "an unknown request" 'FILE requests information of the unknown Multiboot 2 type 22' 32 1 16 1 22
tags "an alignment" 'the Multiboot 2 header of FILE wants an alignment of 0x3, which is no power of 2' \
	40 10 24 0 0xffffffff 3 0
: >"$work/tags"
patch "$work/tags" 0 4 0xe85250d6 4 16 '-0xe85250d6-4-16'
refused "another architecture" "the Multiboot 2 header of $work/tags is for the architecture 4, and not for x86" \
	--type=multiboot2 "$work/tags"
: >"$work/tags"
# From its beginning on, to 0x300000; the entry is behind the header: out 0xe9, al; hlt.
patch "$work/tags" 0 4 0xe85250d6 0 56 -0xe85250d6-56 2 24 0x300000 0xffffffff 0 0 3 12 0x300038 0
patch "$work/tags" 56 1 0xb0 0x41 0xe6 0xe9 0xf4
prints "Multiboot 2 by addresses" 0 'A
halted at 0008:0030003d' "$work/tags"
finish
