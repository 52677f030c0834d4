#!/bin/sh
# Boot code that others wrote, from Debian's packages syslinux-common, dosfstools, mbr, grub-pc-bin, grub-common,
# memtest86+, ipxe and seabios, and a kernel, BOOT_KERNEL or that of the host: what it leaves on the screen. What is not
# installed is skipped.

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

# --- By patterns: code that goes on for ever, or says what depends on its version ---

# seen NAME FILE PATTERNS [ARG]...: each line of PATTERNS is found on the screen or the console, within seconds; how
# many depends on the host.
seen() {
	name=$1 file=$2
	printf '%s\n' "$3" >"$work/patterns"
	shift 3
	if [ ! -r "$file" ]; then
		skip "$name" "no $file"
		return
	fi
	if [ -z "$is_native" ] && [ -n "$is_long" ]; then
		skip "$name" "guest code is emulated, and it would take long"
		return
	fi
	for seconds in 2 8 40; do
		kvmgdb --gdb=none --screen --timeout=$seconds "$@" >"$work/out" 2>"$work/err"
		missing=
		while read -r pattern; do
			cat "$work/out" "$work/err" | grep -a -q -e "$pattern" || missing="$missing '$pattern'"
		done <"$work/patterns"
		[ -n "$missing" ] || break
	done
	[ -z "$missing" ]
	result $? "$name"
	[ -z "$missing" ] || { echo "missing:$missing"; cat "$work/out"; tail -n 20 "$work/err"; } | tr -d '\000' | comment
}

need_guest can-32bit-paging.bin
is_native='' is_long=''
kvmgdb --gdb=none "$GUESTS/can-32bit-paging.bin" 2>&1 | grep -q '^halted' && is_native=1

if command -v install-mbr >/dev/null; then
	dd if=/dev/null of="$work/new" bs=1 seek=4194304 2>/dev/null
	install-mbr --force "$work/new"
	shows "mbr's" 'MBR FA:' "$work/new"
else
	skip "mbr's" "no install-mbr"
fi

grub=/usr/lib/grub/i386-pc
if [ -r $grub/boot.img ]; then
	shows "GRUB's boot sector, without the rest" 'GRUB Read Error' --type=hd $grub/boot.img
else
	skip "GRUB's boot sector, without the rest" "no $grub"
fi
if [ -r $grub/boot.img ] && command -v grub-mkimage >/dev/null &&
	grub-mkimage -O i386-pc -p '(hd0)/grub' -o "$work/core" biosdisk minicmd ls; then
	cat $grub/boot.img "$work/core" >"$work/grub"
	dd if=/dev/null of="$work/grub" bs=1 seek=1048576 2>/dev/null
fi
is_long=1
seen "GRUB" "$work/grub" 'GRUB  *version
ls
(hd0)' --keys='ls\n' "$work/grub"

is_long=
for memtest in x64 x64:linux16 ia32; do
	file=/boot/memtest86+${memtest%:*}.bin
	type=auto
	[ "$memtest" = "${memtest%:*}" ] || type=${memtest#*:}
	seen "memtest86+ $memtest" "$file" 'Memtest86+ v
Memory  :  *32MB
Status: Testing
Errors: 0' --type="$type" --memory=32M --keys='\n' "$file"
done

is_long=1
seen "iPXE's CD" /usr/lib/ipxe/ipxe.iso 'ISOLINUX
Loading ipxe.krn... *ok
iPXE initialising devices' /usr/lib/ipxe/ipxe.iso
seen "iPXE" /boot/ipxe.lkrn 'iPXE initialising devices' /boot/ipxe.lkrn

# It boots the same disk that the BIOS of kvmgdb's own does, by the ports of the IDE controller.
need_guest modes.bin
cp "$GUESTS/modes.bin" "$work/modes"
dd if=/dev/null of="$work/modes" bs=1 seek=4194304 2>/dev/null
is_long=
for rom in bios bios-256k; do
	seen "SeaBIOS, $rom" /usr/share/seabios/$rom.bin 'SeaBIOS (version
RamSize: 0x04000000
Booting from Hard Disk
^RPCL
halted at 0x7cc2' --type=rom --disk="$work/modes,hd" /usr/share/seabios/$rom.bin
done

is_long=1
kernel=${BOOT_KERNEL-}
[ -n "$kernel" ] || for kernel in /boot/vmlinuz-*; do :; done
seen "Linux by its 64-bit entry" "$kernel" 'Linux version [1-9]
Command line: earlyprintk=ttyS0 nokaslr' --memory=256M --append='earlyprintk=ttyS0 nokaslr' "$kernel"
seen "Linux by its 16-bit entry" "$kernel" 'Probing EDD.* ok
Linux version [1-9]' --type=linux16 --memory=256M --append='earlyprintk=ttyS0 nokaslr' "$kernel"

finish
