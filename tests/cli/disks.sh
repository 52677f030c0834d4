#!/bin/sh
# Disks by INT 13h: what they are taken for, what the BIOS says of them, where writes go. UPDATE=1 writes
# disks-*.out anew.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest disk.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
disk=$GUESTS/disk.bin

# resized FILE BYTES: the guest's disk with that size.
resized() {
	cp "$disk" "$1"
	dd if=/dev/null of="$1" bs=1 seek="$2" 2>/dev/null
}

# All that the BIOS says and does, of each kind.
for kind in either floppy hd; do
	case $kind in
	either) set -- "$disk" ;;
	floppy) resized "$work/disk" 1474560; set -- --type=floppy "$work/disk" ;;
	hd) resized "$work/disk" 10321920; set -- "$work/disk" ;;
	esac
	kvmgdb --gdb=none "$@" >"$work/out" 2>"$work/err"
	result $? "$kind: exit status 0"
	[ -z "$UPDATE" ] || cp "$work/out" "$srcdir/tests/cli/disks-$kind.out"
	same "$kind: what the BIOS says" "$srcdir/tests/cli/disks-$kind.out" "$work/out"
done

# kinds NAME EXPECTED [ARG]...: the drives that there are.
kinds() {
	name=$1
	printf '%s\n' "$2" >"$work/expected"
	shift 2
	kvmgdb --gdb=none --verbose "$@" 2>&1 >/dev/null | sed -n 's/^kvmgdb: \(drive ..h: \).*: /\1/p' >"$work/out"
	same "$name" "$work/expected" "$work/out"
}

# put OFFSET BYTES: as printf's octal numbers, into $work/disk.
put() {
	# shellcheck disable=SC2059
	printf "$2" | dd of="$work/disk" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# A jump, and a BIOS parameter block: sectors, media, of a track, heads.
bpb() {
	put 0 '\353\074\220TESTTEST\000\002\001\001\000\002\340\000'
	put 19 "$1$2\011\000$3$4"
}

need_guest farjump.bin
sector=$GUESTS/farjump.bin
kinds "a boot sector" 'drive 80h: hard disk (or floppy), 80x2x18, 2880 sectors
drive 00h: hard disk (or floppy), 80x2x18, 2880 sectors' "$sector"
for floppy in 163840:40x1x8 184320:40x1x9 327680:40x2x8 368640:40x2x9 737280:80x2x9 1228800:80x2x15 \
	1474560:80x2x18 1720320:80x2x21 1763328:82x2x21 2949120:80x2x36; do
	resized "$work/disk" ${floppy%:*}
	kinds "a floppy of ${floppy%:*} bytes" "drive 00h: floppy (or hard disk), ${floppy#*:}, $((${floppy%:*} / 512)) sectors
drive 80h: floppy (or hard disk), ${floppy#*:}, $((${floppy%:*} / 512)) sectors" "$work/disk"
done
kinds "a floppy, as the user says" 'drive 00h: floppy, 80x2x18, 2880 sectors' --type=floppy "$sector"
kinds "a hard disk, as the user says" 'drive 80h: hard disk, 1x16x63, 1 sectors' --type=hd "$sector"
resized "$work/disk" 600000000
kinds "a hard disk of 600 MB" 'drive 80h: hard disk, 581x32x63, 1171875 sectors' "$work/disk"
resized "$work/disk" 100000000000
kinds "a hard disk of 100 GB" 'drive 80h: hard disk, 1024x255x63, 195312500 sectors' "$work/disk"
cp "$sector" "$work/disk"
bpb '\100\013' '\360' '\022\000' '\002\000'
kinds "a floppy by its parameter block" 'drive 00h: floppy, 80x2x18, 2880 sectors' "$work/disk"
bpb '\240\005' '\371' '\011\000' '\002\000'
kinds "a floppy of 720K by its parameter block" 'drive 00h: floppy, 80x2x9, 1440 sectors' "$work/disk"
bpb '\100\013' '\370' '\040\000' '\100\000'
kinds "a hard disk by its parameter block" 'drive 80h: hard disk, 1x64x32, 1 sectors' "$work/disk"
bpb '\377\377' '\360' '\377\377' '\377\377'
kinds "a parameter block that cannot be" 'drive 80h: hard disk (or floppy), 80x2x18, 2880 sectors
drive 00h: hard disk (or floppy), 80x2x18, 2880 sectors' "$work/disk"
# One partition from 0/1/1, LBA 17, to 9/3/17.
cp "$sector" "$work/disk"
dd if=/dev/null of="$work/disk" bs=512 seek=680 2>/dev/null
put 446 '\200\001\001\000\006\003\021\011\021\000\000\000\227\002\000\000'
kinds "a hard disk by its partitions" 'drive 80h: hard disk, 10x4x17, 680 sectors' "$work/disk"
put 446 '\200\001\001\000\006\376\077\377\021\000\000\000\377\377\377\377'
kinds "a partition that cannot be" 'drive 80h: hard disk, 1x16x63, 680 sectors' "$work/disk"
put 446 '\200\001\001\000\006\003\100\011\021\000\000\000\227\002\000\000'
kinds "a partition of tracks without sectors" 'drive 80h: hard disk, 1x16x63, 680 sectors' "$work/disk"

kinds "disks of all kinds" 'drive 80h: hard disk (or floppy), 80x2x18, 2880 sectors
drive 00h: floppy, 40x2x9, 720 sectors, read-only
drive 01h: floppy, 80x2x18, 2880 sectors
drive 81h: hard disk, 20x4x17, 680 sectors, written to
drive e0h: CD, 6 sectors' "$disk" --disk="$disk,floppy,chs=40/2/9,ro" -d "$disk,floppy" \
	-d "$work/disk,hd,chs=20/4/17,rw" -d "$disk,cd"
kinds "no image but a disk" 'drive 80h: hard disk, 1x16x63, 24 sectors' --disk="$disk,hd"

# Where writes go. The guest writes 55 to its sector 17.
written() {
	dd if="$1" bs=512 skip=17 count=1 2>/dev/null | od -An -tx1 | head -n 1
}
cp "$disk" "$work/disk"
written "$work/disk" >"$work/before"
echo ' 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55' >"$work/after"
kvmgdb --gdb=none --disk="$work/disk" >"$work/out" 2>&1
grep -q '^written: 00 1010 5555 1012' "$work/out"
result $? "a private write succeeds"
written "$work/disk" >"$work/out"
same "a private write leaves the file alone" "$work/before" "$work/out"
kvmgdb --gdb=none --disk="$work/disk,ro" >"$work/out" 2>&1
grep -q '^written: 03 1010 1011 1012' "$work/out"
result $? "a write to a disk that is read-only fails"
kvmgdb --gdb=none --disk="$work/disk,rw" >"$work/out" 2>&1
grep -q '^written: 00 1010 5555 1012' "$work/out"
result $? "a write to the file succeeds"
written "$work/disk" >"$work/out"
same "a write to the file is in it" "$work/after" "$work/out"

# The same disk, and a CD, by the ports of their controller.
need_guest ide.bin
dd if=/dev/zero of="$work/cd" bs=2048 count=30 2>/dev/null
printf '\001CD001\001' | dd of="$work/cd" bs=2048 seek=16 conv=notrunc 2>/dev/null
kvmgdb --gdb=none "$GUESTS/ide.bin" --disk="$work/cd" >"$work/out" 2>&1
[ -z "$UPDATE" ] || cp "$work/out" "$srcdir/tests/cli/disks-ide.out"
same "by ports" "$srcdir/tests/cli/disks-ide.out" "$work/out"

# A pipe, and a name with a comma.
cat "$disk" | timeout 60 $RUNNER "$KVMGDB" --timeout="$TEST_TIMEOUT" --gdb=none /dev/stdin >"$work/out" 2>&1
same "a disk from a pipe" "$srcdir/tests/cli/disks-either.out" "$work/out"
cp "$disk" "$work/a,b"
kvmgdb --gdb=none --disk="$work/a,b" >"$work/out" 2>&1
same "a disk with a comma" "$srcdir/tests/cli/disks-either.out" "$work/out"

# refused SENTENCE [ARG]...
refused() {
	echo "kvmgdb: $1" >"$work/expected"
	name=$1
	shift
	kvmgdb --gdb=none "$@" >"$work/out" 2>&1
	[ $? -eq 2 ]
	result $? "$name: exit status 2"
	same "$name" "$work/expected" "$work/out"
}
: >"$work/empty"
refused "cannot open $work/none: No such file or directory" "$disk" --disk="$work/none"
refused "cannot open $work/disk,x: No such file or directory" --disk="$work/disk,x"
refused "cannot open $work/disk,chs=0/1/1: No such file or directory" --disk="$work/disk,chs=0/1/1"
refused "$work/empty is empty" --disk="$work/empty"
refused "cannot read $work: Is a directory" --disk="$work"
refused "3 floppies, and 2 are all that a PC has" -d "$disk,floppy" -d "$disk,floppy" -d "$disk,floppy"
refused "more than 8 disks" -d "$disk" -d "$disk" -d "$disk" -d "$disk" -d "$disk" -d "$disk" -d "$disk" \
	-d "$disk" -d "$disk"
refused "cannot write to $work/disk: it is in use" -d "$work/disk,rw" -d "$work/disk,rw"
finish
