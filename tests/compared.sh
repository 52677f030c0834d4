#!/bin/sh
# compared.sh kvmgdb|tcg|kvm [TASK...]: the gdb batches behind doc/compared.md, with kvmgdb or with QEMU and
# that accelerator. Prints what gdb prints. Not a test; the variables are those of lib.sh, and QEMU's program.
#
# A task is what one types to get at the answer once connected, at the first instruction that the tool offers:
# with kvmgdb a stock gdb's commands, with QEMU the shortest way that gets right answers, where there is one.

. "${srcdir:-.}/tests/lib.sh"

: "${QEMU:=qemu-system-x86_64}"
image=$GUESTS/tasks.bin
symbols=$GUESTS/tasks.o

# tasks TOOL: number, command; those of "qemu" are tcg's, and kvm's where that has none of its own
tasks() {
	sed -n "s|SYMBOLS|$symbols|; s/^$1 //p" <<-'END'
	kvmgdb 1 x/2i $pc
	qemu 1 tbreak *0x7c00
	qemu 1 continue
	qemu 1 monitor x/2i $pc
	kvmgdb 2 bseg 07c0:003a
	kvmgdb 2 continue
	kvmgdb 2 x/2i $pc
	qemu 2 break *0x7c3a
	qemu 2 continue
	qemu 2 monitor x/2i $pc
	kvmgdb 3 break *0x7c3a
	kvmgdb 3 continue
	kvmgdb 3 continue
	kvmgdb 3 continue
	kvmgdb 3 print $cx
	qemu 3 break *0x7c3a
	qemu 3 continue
	qemu 3 stepi
	qemu 3 continue
	qemu 3 stepi
	qemu 3 continue
	qemu 3 print $cx
	kvm 3 hbreak *0x7c3a
	kvm 3 continue
	kvm 3 delete
	kvm 3 stepi
	kvm 3 hbreak *0x7c3a
	kvm 3 continue
	kvm 3 delete
	kvm 3 stepi
	kvm 3 hbreak *0x7c3a
	kvm 3 continue
	kvm 3 print $cx
	kvmgdb 4 break *0x7c32
	kvmgdb 4 continue
	kvmgdb 4 stepi
	kvmgdb 4 x/2i $pc
	qemu 4 break *0x7c32
	qemu 4 continue
	qemu 4 stepi
	qemu 4 monitor x/2i $pc
	kvm 4 hbreak *0x7c32
	kvm 4 continue
	kvm 4 delete
	kvm 4 stepi
	kvm 4 monitor x/2i $pc
	kvmgdb 5 break *0x7cc1
	kvmgdb 5 continue
	kvmgdb 5 x/2i $pc
	kvmgdb 5 print/x $rax
	qemu 5 break *0x7cc1
	qemu 5 continue
	qemu 5 x/2i $pc
	qemu 5 print/x $rax
	kvmgdb 6 watch *(short *)0x7cee
	kvmgdb 6 continue
	kvmgdb 6 x/i $pc
	qemu 6 tbreak *0x7c00
	qemu 6 continue
	qemu 6 watch *(short *)0x7cee
	qemu 6 continue
	qemu 6 monitor x/i $pc
	kvmgdb 7 info registers
	qemu 7 tbreak *0x7c00
	qemu 7 continue
	qemu 7 info registers
	kvmgdb 8 break *0x7c41
	kvmgdb 8 continue
	kvmgdb 8 backtrace
	kvmgdb 8 finish
	qemu 8 break *0x7c41
	qemu 8 continue
	qemu 8 x/2xh $sp
	qemu 8 delete
	qemu 8 break *0x7c20
	qemu 8 continue
	kvmgdb 9 break *0x7c22
	kvmgdb 9 continue
	kvmgdb 9 nexti
	kvmgdb 9 x/i $pc
	qemu 9 break *0x7c22
	qemu 9 continue
	qemu 9 monitor x/2i $pc
	qemu 9 delete
	qemu 9 break *0x7c24
	qemu 9 continue
	qemu 9 monitor x/i $pc
	kvmgdb 10 break *0x7c2f
	kvmgdb 10 continue
	kvmgdb 10 info ivt 0x60
	kvmgdb 10 info gdt
	qemu 10 break *0x7c2f
	qemu 10 continue
	qemu 10 x/2xh 0x60*4
	qemu 10 monitor info registers
	qemu 10 x/4xg 0x7cc8
	kvmgdb 11 add-symbol-file SYMBOLS 0x7c00
	kvmgdb 11 break count
	kvmgdb 11 continue
	qemu 11 add-symbol-file SYMBOLS 0x7c00
	qemu 11 break count
	qemu 11 continue
	qemu 11 info line *($cs*16+$pc)
	kvmgdb 12 break *0x7c22
	kvmgdb 12 continue
	kvmgdb 12 monitor reset
	kvmgdb 12 break *0x7c3a
	kvmgdb 12 continue
	kvmgdb 12 print *(short *)0x7cee
	qemu 12 break *0x7c22
	qemu 12 continue
	qemu 12 monitor system_reset
	qemu 12 break *0x7c3a
	qemu 12 continue
	qemu 12 print *(short *)0x7cee
	END
}

tool=$1
case $tool in
kvmgdb) need_kvm ;;
tcg | kvm) command -v "$QEMU" >/dev/null || skip_all "no $QEMU" ;;
*) fail_all "compared.sh kvmgdb|tcg|kvm [TASK...]" ;;
esac
need_gdb
need_guest tasks.bin
shift
[ $# -gt 0 ] || set -- 1 2 3 4 5 6 7 8 9 10 11 12

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
for task; do
	echo "# task $task, $tool"
	{
		echo "set trace-commands on"
		case $tool in
		kvmgdb) tasks "kvmgdb $task" ;;
		tcg) tasks "qemu $task" ;;
		# Before the BIOS has loaded the boot sector, only a breakpoint in a debug register lasts.
		kvm) tasks "kvm $task" | grep . || tasks "qemu $task" | sed 's/^tbreak/thbreak/; s/^break/hbreak/' ;;
		esac
	} >"$work/script"
	if [ "$tool" = kvmgdb ]; then
		kvmgdb "$image" -- "$GDB" -nx -q -batch -x "$srcdir/src/gdb/kvmgdb.py" -x "$work/script" 2>&1
		continue
	fi
	cp "$image" "$work/disk"
	qemu="exec $QEMU -accel $tool -S -display none -monitor none -gdb stdio -drive format=raw,file=$work/disk"
	timeout 20 "$GDB" -nx -q -batch -ex "target remote | $qemu 2>/dev/null" -x "$work/script" -ex kill 2>&1 ||
		echo "exit status $?"
done
