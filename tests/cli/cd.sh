#!/bin/sh
# CDs, by their El Torito catalogs. UPDATE=1 writes cd-*.out anew.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest cd.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
cd=$work/cd

# put OFFSET BYTES: as printf's octal numbers.
put() {
	# shellcheck disable=SC2059
	printf "$2" | dd of="$cd" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# make MEDIA SEGMENT COUNT BLOCK: a CD of 30 sectors with a catalog in sector 19 and what is booted in 20.
make() {
	rm -f "$cd"
	dd if=/dev/null of="$cd" bs=2048 seek=30 2>/dev/null
	put 32768 '\001CD001\001'
	put 34816 '\000CD001\001EL TORITO SPECIFICATION'
	put 34887 '\023'
	put 36864 '\377CD001\001'
	put 38912 '\001'
	put 38940 '\252\125\125\252'
	put 38944 "\\210\\$1$2\\000\\000$3$4"
	dd if="$GUESTS/cd.bin" of="$cd" bs=2048 seek=20 conv=notrunc 2>/dev/null
}

# boots NAME [ARG]...
boots() {
	name=$1
	shift
	kvmgdb --gdb=none "$@" "$cd" >"$work/out" 2>"$work/err"
	result $? "$name: exit status 0"
	[ -z "$UPDATE" ] || cp "$work/out" "$srcdir/tests/cli/cd-$name.out"
	same "$name" "$srcdir/tests/cli/cd-$name.out" "$work/out"
	comment <"$work/err"
}

here='\024\000\000\000'
make 000 '\000\000' '\004\000' "$here"
boots none
make 000 '\300\007' '\377\377' "$here"
boots segment
make 002 '\000\000' '\004\000' "$here"
boots floppy
make 004 '\000\000' '\004\000' "$here"
boots hd

# refused SENTENCE
refused() {
	echo "kvmgdb: $cd $1" >"$work/expected"
	kvmgdb --gdb=none --type=cd "$cd" >"$work/out" 2>&1
	[ $? -eq 2 ]
	result $? "$1: exit status 2"
	same "$1" "$work/expected" "$work/out"
}

make 000 '\000\000' '\004\000' "$here"
put 34816 '\002'
refused "cannot be booted: it has no El Torito boot record"
make 000 '\000\000' '\004\000' "$here"
put 34887 '\377\377\377\377'
refused "cannot be booted: its boot catalog is not on it"
make 000 '\000\000' '\004\000' "$here"
put 38913 '\357'
refused "cannot be booted: its boot catalog is not for PCs, or damaged"
make 000 '\000\000' '\004\000' "$here"
put 38944 '\000'
refused "cannot be booted: the first entry of its boot catalog is not bootable"
make 005 '\000\000' '\004\000' "$here"
refused "cannot be booted: the first entry of its boot catalog is not bootable"
make 000 '\000\360' '\004\000' "$here"
refused "cannot be booted: its boot catalog has a load segment where no memory is free"
make 000 '\000\000' '\004\000' '\377\377\377\377'
echo "kvmgdb: cannot read sector 17179869180 of $cd: there is none" >"$work/expected"
kvmgdb --gdb=none "$cd" >"$work/out" 2>&1
same "an image that is not on the CD" "$work/expected" "$work/out"
head -c 512 /dev/zero >"$cd"
refused "cannot be booted: it has no El Torito boot record"
finish
