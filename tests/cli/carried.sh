#!/bin/sh
# What the stub carries out because this host's KVM cannot, while the guest runs freely and nothing has been stepped
# yet; and what it must not carry out. Hosts whose KVM can do all of it give the same.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
for guest in gates32 plain32 readonly64 refused tf-carried user32; do
	need_guest $guest.bin
done
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# ends NAME EXPECTED [ARG]...: what the guest and kvmgdb say in the end.
ends() {
	name=$1
	printf '%s\n' "$2" >"$work/expected"
	shift 2
	kvmgdb --gdb=none "$@" >"$work/out" 2>&1
	sed 's/^kvmgdb: //' "$work/out" >"$work/said"
	same "$name" "$work/expected" "$work/said"
}

ends 'INT and IRET, at privilege level 3, too' 'halted at 0008:00001232' --mode=32 "$GUESTS/gates32.bin"
ends 'a program at privilege level 3, under a handler of invalid opcodes' 'abcdefghijklmnopqrstuvwxyz
halted at 0008:0000106e' --mode=32 "$GUESTS/user32.bin"
ends 'LAR, LSL, VERR, VERW, POPCNT, MXCSR, RDRAND and RDSEED' '..................................
halted at 0008:000014e1' --mode=32 "$GUESTS/plain32.bin"
ends "the guest's own TF" '9
halted at 0000:1034' --load=0x1000 "$GUESTS/tf-carried.bin"

# refused NAME ARG...: nothing of it is done.
refused() {
	name=$1
	shift
	kvmgdb --gdb=none "$@" >"$work/out" 2>&1
	if [ -z "$emulates" ] && grep -q '^x' "$work/out"; then
		skip "not carried out: $name" "this CPU does it"
		return
	fi
	! grep -q '^x' "$work/out" && grep -q '^\.\|cannot emulate\|triple fault' "$work/out"
	result $? "not carried out: $name"
	comment <"$work/out"
}

# QEMU's CPU looks at no limits, and takes some of the others.
emulates=$(kvmgdb --probe | grep 'guest code is emulated')
entry=$((0x1000))
for name in 'LOCK AAA' 'LOCK FADD' 'a hint behind VEX' 'a store past the limit' 'x87 with EM' 'FWAIT with MP and TS' \
	'LAR in real mode' 'POPCNT with F2' 'POPCNT past the limit' 'LDMXCSR of a bit that is not there' \
	'LDMXCSR without OSFXSR' 'LDMXCSR with F3' 'RDRAND of memory'; do
	refused "$name" --load=0x1000 --entry="0:$(printf '%x' $entry)" "$GUESTS/refused.bin"
	entry=$((entry + 0x40))
done
refused 'a store to a page to be read' --mode=64 "$GUESTS/readonly64.bin"
finish
