#!/bin/sh
# Boot code that others wrote, from Debian's packages syslinux-common and dosfstools: what it leaves on the screen.

. "${srcdir:-.}/tests/lib.sh"

need_kvm

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
syslinux=/usr/lib/syslinux/mbr

# shows NAME SCREEN ARG...: the text on the screen at the end; the guest ends by itself.
shows() {
	name=$1
	printf '%s\n' "$2" >"$work/expected"
	shift 2
	kvmgdb --gdb=none --screen "$@" >"$work/out" 2>"$work/err"
	same "$name" "$work/expected" "$work/out"
}

# disk FILE CODE: a hard disk of 4 MiB, without partitions, with this code in its first sector.
disk() {
	dd if=/dev/null of="$1" bs=1 seek=4194304 2>/dev/null
	dd if="$2" of="$1" bs=440 count=1 conv=notrunc 2>/dev/null
	printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc 2>/dev/null
}

for code in 'mbr:Missing operating system.' 'altmbr:Missing operating system.' 'gptmbr:Missing OS'; do
	if [ -r "$syslinux/${code%%:*}.bin" ]; then
		disk "$work/disk" "$syslinux/${code%%:*}.bin"
		shows "SYSLINUX's ${code%%:*}" "${code#*:}" "$work/disk"
	else
		skip "SYSLINUX's ${code%%:*}" "no $syslinux"
	fi
done

# A boot sector that says that it is none, and waits for a key to boot again.
message='This is not a bootable disk.  Please insert a bootable floppy and
press any key to try again ...'
PATH=$PATH:/usr/sbin:/sbin
for size in 1440 8192; do
	if command -v mkfs.fat >/dev/null; then
		rm -f "$work/disk"
		mkfs.fat -C "$work/disk" $size >/dev/null
		shows "a FAT file system of $size KiB" "$message" "$work/disk"
	else
		skip "a FAT file system of $size KiB" "no mkfs.fat"
	fi
done

# The partition's boot sector, by the active partition of the MBR.
if command -v mkfs.fat >/dev/null && [ -r "$syslinux/mbr.bin" ]; then
	disk "$work/mbr" "$syslinux/mbr.bin"
	# One partition, active, FAT16, of 8,192 sectors from sector 63 on, by number alone.
	printf '\200\376\377\377\006\376\377\377\077\000\000\000\000\040\000\000' |
		dd of="$work/mbr" bs=1 seek=446 conv=notrunc 2>/dev/null
	rm -f "$work/disk"
	mkfs.fat -h 63 -C "$work/disk" 4096 >/dev/null
	dd if="$work/disk" of="$work/mbr" bs=512 seek=63 conv=notrunc 2>/dev/null
	shows "an active partition" "$message" "$work/mbr"
else
	skip "an active partition" "no mkfs.fat or no $syslinux"
fi

finish
