#!/bin/sh
# Images of each type, without a gdb: where they go, where they begin, what they print.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest sum.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

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

sum='port 0x0eff <- 0xd2 (210)
halted at'

prints "sum" 0 "$sum 0000:1013" "$GUESTS/sum.bin"
prints "sum elsewhere" 0 "$sum 0000:8013" --load=0x8000 "$GUESTS/sum.bin"
prints "sum at an odd place" 0 "$sum 0000:7fff" --load=0x7fec "$GUESTS/sum.bin"
prints "sum in another 64 KiB" 0 "$sum 3000:0013" --load=0x30000 "$GUESTS/sum.bin"
prints "sum in a segment" 0 "$sum 0100:0013" --entry=0100:0000 "$GUESTS/sum.bin"
prints "sum at the end of memory" 0 "$sum f000:ffff" --load=0xfffec --memory=1M "$GUESTS/sum.bin"
prints "half of sum" 0 "port 0x0eff <- 0x00 (0)
halted at 0000:1013" --entry=0x100e "$GUESTS/sum.bin"
prints "32-bit code" 0 "port 0x0eff <- 0x80000000 (2147483648)
halted at 0008:0000101d" --mode=32 "$GUESTS/flat32.bin"
prints "64-bit code" 0 "halted at 0x1044" --mode=64 "$GUESTS/flat64.bin"
prints "a boot sector" 0 "halted at 07c0:0015" "$GUESTS/farjump.bin"
prints "a boot sector through three modes" 0 "RPCL
halted at 0x7cc2" "$GUESTS/modes.bin"
cat "$GUESTS/farjump.bin" "$GUESTS/sum.bin" >"$work/disk"
prints "a disk" 0 "halted at 07c0:0015" "$work/disk"
prints "a disk, its second sector as it is" 0 "$sum 0120:0013" --type=raw --entry=0120:0 "$work/disk"
prints "a boot sector, as it is" 0 "halted at 07c0:0015" --load=0x7c00 "$GUESTS/farjump.bin"

# A pipe has no size that could be asked for.
mkfifo "$work/pipe"
cat "$GUESTS/sum.bin" >"$work/pipe" &
prints "sum from a pipe" 0 "$sum 0000:1013" "$work/pipe"
wait

# What a BIOS leaves in DL, and where the stack is.
printf '\210\320\346\200\211\340\347\200\214\320\347\200\364' >"$work/dl"
head -c 497 /dev/zero | cat "$work/dl" - >"$work/sector"
printf '\125\252' >>"$work/sector"
prints "a boot sector's registers" 0 "port 0x0080 <- 0x80 (128)
port 0x0080 <- 0x7c00 (31744)
port 0x0080 <- 0x0000 (0)
halted at 0000:7c0d" "$work/sector"

# It uses nothing of the PC but that HLT waits for the timer: xor cx, cx; l: hlt; inc cx; cmp cl, 5; jne l; mov al, cl;
# out 0xe0, al; hlt
printf '\061\311\364\101\200\371\005\165\371\210\310\346\340\364' >"$work/hlt"
head -c 496 /dev/zero | cat "$work/hlt" - >"$work/sector"
printf '\125\252' >>"$work/sector"
prints "a boot sector whose HLT waits for the timer" 0 "port 0x00e0 <- 0x05 (5)
halted at 0000:7c0e" "$work/sector"

kvmgdb --gdb=none --mode=32 "$GUESTS/die.bin" >"$work/stdout" 2>"$work/stderr"
[ $? -eq 1 ]
result $? "a triple fault: exit status 1"
cat "$work/stdout" "$work/stderr" | grep -q 'triple fault'
result $? "a triple fault: told"
prints "memory that is not there" 0 "write of 4 bytes at physical address 0x20000000, where there is no memory
read of 4 bytes at physical address 0x20000000, where there is no memory
halted at 0008:00001012" --mode=32 "$GUESTS/hole.bin"
# mov ecx, 20; l: mov [0x20000000], eax; loop l; hlt
printf '\271\024\0\0\0\211\005\0\0\0\040\342\370\364' >"$work/hole"
kvmgdb --gdb=none --mode=32 "$work/hole" >"$work/stdout" 2>&1
[ "$(sort "$work/stdout" | uniq -c | sed 's/^ *//')" = "1 halted at 0008:0000100e
1 more accesses to where there is no memory are not shown
16 write of 4 bytes at physical address 0x20000000, where there is no memory" ]
result $? "only the first of many accesses to memory that is not there are shown"

kvmgdb --gdb=none --console="file:$work/text" "$GUESTS/sum.bin" >"$work/stdout" 2>&1
result $? "a console in a file: exit status 0"
cat "$work/text" "$work/stdout" >"$work/all"
printf '%s\n' "$sum 0000:1013" >"$work/expected"
same "a console in a file" "$work/expected" "$work/all"
finish
