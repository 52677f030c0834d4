#!/bin/sh
# What cannot be done is refused before the guest starts: one sentence, exit status 2.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest sum.bin
need_guest farjump.bin

work=$(mktemp -d) || exit
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$GUESTS/sum.bin" "$work/sum"
cp "$GUESTS/farjump.bin" "$work/boot"
sum=$work/sum
boot=$work/boot
: >"$work/empty"
head -c 131072 /dev/zero >"$work/large"
head -c 600 /dev/zero >"$work/unsigned"

# check STATUS SENTENCE WHAT: what a kvmgdb has printed to $work/stdout and $work/stderr.
check() {
	echo "kvmgdb: $2" >"$work/expected"
	[ "$1" = 2 ] && [ ! -s "$work/stdout" ] && cmp -s "$work/expected" "$work/stderr"
	result $? "$3: $2"
	if ! cmp -s "$work/expected" "$work/stderr" || [ "$1" != 2 ]; then
		echo "exit status $1" | cat - "$work/stdout" "$work/stderr" | comment
	fi
}

# refused SENTENCE [ARG]...
refused() {
	sentence=$1
	shift
	kvmgdb "$@" >"$work/stdout" 2>"$work/stderr"
	check $? "$sentence" "$*"
}

refused "--arch=arm: it is auto, i8086, i386 or x86-64" --arch=arm "$sum"
refused "--arch=: it is auto, i8086, i386 or x86-64" --arch= "$sum"

# The image

refused "which image is to be booted? Try 'kvmgdb --help'"
refused "two images: $sum and other" "$sum" other
refused "cannot open $work/none: No such file or directory" "$work/none"
refused "cannot read $work: Is a directory" "$work"
refused "$work/empty is empty" "$work/empty"
refused "$work/large is larger than the guest's memory of 65536 bytes: give it more with --memory" \
	--memory=64K "$work/large"
refused "19 bytes at 0xfff0 do not fit into the guest's memory of 65536 bytes: give it more with --memory" \
	--memory=64K --load=0xfff0 "$sum"
refused "19 bytes at 0x10000 do not fit into the guest's memory of 65536 bytes: give it more with --memory" \
	--memory=64K --load=0x10000 "$sum"
refused "512 bytes at 0x7c00 do not fit into the guest's memory of 16384 bytes: give it more with --memory" \
	--machine=bare --memory=16K "$boot"
refused "a PC has at least 1M of memory: give it more with --memory, or none of a PC's devices with --machine=bare" \
	--memory=1020K "$boot"
refused "--machine=none: it is auto, pc or bare" --machine=none "$boot"
refused "$sum is no boot sector: it is shorter than 512 bytes; --type=raw takes it as it is" \
	--type=boot "$sum"
refused "$work/unsigned is no boot sector: it does not have 55 aa at offset 510; --type=raw takes it as it is" \
	--type=boot "$work/unsigned"
refused "--load is for raw images: give --type=raw" --type=boot --load=0x1000 "$boot"
refused "--entry is for raw images: give --type=raw" --type=boot --entry=0x1000 "$boot"
refused "--mode is for raw and ELF images: give --type=raw" --type=boot --mode=32 "$boot"
refused "'rough' is no type of image: try --help" --type=rough "$sum"

# Numbers

for address in x '' -1 +1 ' 1' 12z 0x10000000000000; do
	refused "--load=$address: not an address" --load="$address" "$sum"
done
for size in x '' -1 64X 1M1 0x; do
	refused "--memory=$size: a size is a number with K, M or G behind it" --memory="$size" "$sum"
done
for size in 99999999999999999999 99999999999999999999G 99999999999999999K; do
	refused "--memory=$size: that is more than there can be" --memory="$size" "$sum"
done
refused "--memory=0: the guest needs some memory" --memory=0 "$sum"
refused "--memory=0M: the guest needs some memory" --memory=0M "$sum"
refused "--memory=4097: the size must be a multiple of 4K" --memory=4097 "$sum"
has=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
if [ -z "$RUNNER" ] && [ "$has" ]; then
	kvmgdb --memory=$((has / 1024 + 1024))M "$sum" >"$work/stdout" 2>"$work/stderr"
	status=$?
	sentence=$(sed -n 's/^kvmgdb: \(.*: this host has only [0-9]*M\)$/\1/p' "$work/stderr")
	check $status "${sentence:-this host has only ...M}" "1 GiB more than the host has"
fi
for mode in x '' 0 17; do
	refused "--mode=$mode: the mode is 16, 32 or 64" --mode="$mode" "$sum"
done
for entry in x '' -1; do
	refused "--entry=$entry: neither an address nor SEG:OFF" --entry="$entry" "$sum"
done
for entry in : 1: :1 1:2:3 zz:0 0:zz 12345:0 0:12345; do
	refused "--entry=$entry: segment and offset are hexadecimal numbers of at most 4 digits" \
		--entry="$entry" "$sum"
done
refused "16-bit code cannot begin at 0x100000: linear entries end at 0xfffff" --entry=0x100000 "$sum"
refused "there is no memory at the entry f000:ffff" --memory=64K --entry=0xfffff "$sum"
refused "there is no memory at the entry ffff:0010" --memory=1M --entry=ffff:10 "$sum"
refused "the entry of 32-bit code is a linear address" --mode=32 --entry=0:1000 "$sum"
refused "there is no memory at the entry 0x4000000" --mode=32 --memory=64M --entry=0x4000000 "$sum"
refused "64-bit mode needs 16384 bytes for its tables at the end of memory, and the image reaches to 0x1013: give the guest more with --memory" \
	--mode=64 --memory=16K "$sum"
refused "32-bit mode needs 4096 bytes for its tables at the end of memory, and the image reaches to 0x1012: give the guest more with --memory" \
	--mode=32 --memory=8K --load=0xfff "$sum"
for seconds in 0 -1 x 1x ''; do
	refused "--timeout=$seconds: not a number of seconds" --timeout="$seconds" "$sum"
done
refused "--on-reset=begin: it is stop or run" --on-reset=begin "$sum"
refused "--on-disconnect=wait: it is stop, run or exit" --on-disconnect=wait "$sum"

# Endpoints, consoles, COMMAND

for endpoint in x '' 1234; do
	refused "--gdb=$endpoint: an endpoint is [HOST]:PORT, unix:PATH, stdio or none" --gdb="$endpoint" "$sum"
done
for endpoint in :99999 :-1 127.0.0.1: '[::1]'; do
	refused "'$endpoint' is not an endpoint: [HOST]:PORT, unix:PATH or stdio" \
		--gdb="$endpoint" "$sum"
done
refused "the path of a Unix socket has 1 to 107 characters: ''" --gdb=unix: "$sum"
refused "cannot listen on unix:$work/none/x: No such file or directory" --gdb="unix:$work/none/x" "$sum"
for console in x '' file:; do
	refused "'$console' is no console: stdio, gdb, both, file:PATH or none" \
		--console="$console" "$sum"
done
refused "cannot write the console to $work/none/x: No such file or directory" \
	--console="file:$work/none/x" "$sum"
refused "no COMMAND stands behind --" "$sum" --
refused "--gdb=stdio does not go with a COMMAND" --gdb=stdio "$sum" -- true
refused "--gdb=none does not go with a COMMAND" --gdb=none "$sum" -- true
refused "cannot start $work/none: No such file or directory" "$sum" -- "$work/none"
refused "cannot start $work: Permission denied" "$sum" -- "$work"

# While one kvmgdb has a port, another one cannot have it.
# shellcheck disable=SC2016 # for the inner shell
kvmgdb --gdb=127.0.0.1:0 "$sum" -- sh -c '
	echo "$KVMGDB_ENDPOINT" >"$2/endpoint"
	"$0" --gdb="$KVMGDB_ENDPOINT" "$1"
' "$KVMGDB" "$sum" "$work" >"$work/stdout" 2>"$work/stderr"
check $? "cannot listen on $(cat "$work/endpoint"): Address already in use" "a second kvmgdb"

# Files and devices that this user may not open, or that are not there

if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
	skip "as another user" "needs root and setpriv"
else
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	cp "$KVMGDB" "$work/kvmgdb"
	cp "$sum" "$work/secret"
	chmod 0 "$work/secret"
	# shellcheck disable=SC2086 # a command with arguments
	$RUNNER $nobody "$work/kvmgdb" --gdb=none "$work/secret" </dev/null >"$work/stdout" 2>"$work/stderr"
	check $? "cannot open $work/secret: Permission denied" "an image of another user"
	# shellcheck disable=SC2086
	if $RUNNER $nobody sh -c ': <>/dev/kvm' 2>/dev/null; then
		skip "/dev/kvm of another user" "everybody may open it here"
	else
		advice='join the group kvm (usermod -aG kvm USER, then log in again), or run as root'
		case $(stat -c '%A %g' /dev/kvm) in
		????rw*' '[!0]*) ;;
		*) advice='only root may: ask for access to it, or run as root' ;;
		esac
		# shellcheck disable=SC2086
		$RUNNER $nobody "$work/kvmgdb" --gdb=none "$sum" </dev/null >"$work/stdout" 2>"$work/stderr"
		check $? "cannot open /dev/kvm: Permission denied: $advice" "/dev/kvm of another user"
	fi
fi
# shellcheck disable=SC2086
if ! $RUNNER unshare -m mount -t tmpfs none /dev 2>/dev/null; then
	skip "without /dev/kvm" "needs root, unshare and mount"
else
	# shellcheck disable=SC2016,SC2086
	$RUNNER unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' sh \
		"$KVMGDB" --gdb=none "$sum" >"$work/stdout" 2>"$work/stderr" </dev/null
	check $? "cannot open /dev/kvm: No such file or directory: load the module kvm_intel or kvm_amd; inside a virtual machine, turn on nested virtualisation" \
		"without /dev/kvm"
fi

finish
