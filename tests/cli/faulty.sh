#!/bin/sh
# kvmgdb over a KVM that lacks what it can do without, lacks what it needs, or fails: tests/faulty.c.

# shellcheck disable=SC2016 # gdb's registers
. "${srcdir:-.}/tests/lib.sh"

: "${TESTS_BUILT:=tests}"
KVMGDB=$TESTS_BUILT/kvmgdb-faulty
export KVMGDB GUESTS GDB srcdir TEST_TIMEOUT

need_kvm
need_guest sum.bin
[ -x "$KVMGDB" ] || skip_all "no $KVMGDB"

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# --- What is needed, and what cannot be set up ---

# refused SENTENCE VARIABLE=VALUE
refused() {
	echo "kvmgdb: $1" >"$work/expected"
	(export "${2?}" && kvmgdb --gdb=none "$GUESTS/sum.bin") >"$work/stdout" 2>"$work/stderr"
	[ $? -eq 2 ] && [ ! -s "$work/stdout" ]
	result $? "$2: exit status 2, and the guest does not run"
	same "$2: told" "$work/expected" "$work/stderr"
}

refused "this host's KVM lacks guest memory from user space: use a newer kernel" FAULTY_HIDE=USER_MEMORY
refused "this host's KVM lacks guest debugging: use a newer kernel" FAULTY_HIDE=SET_GUEST_DEBUG
refused "this host's KVM lacks immediate exits (Linux 4.12): use a newer kernel" FAULTY_HIDE=IMMEDIATE_EXIT
refused "/dev/kvm is not the KVM device: load the module kvm_intel or kvm_amd" \
	FAULTY_FAIL=KVM_GET_API_VERSION:1:ENOTTY
refused "KVM cannot create a virtual machine: Device or resource busy: is another hypervisor using the processor?" \
	FAULTY_FAIL=KVM_CREATE_VM:1:EBUSY
refused "this host's KVM gives no run page: Invalid argument" FAULTY_FAIL=KVM_GET_VCPU_MMAP_SIZE:1:EINVAL
refused "KVM does not take 67108864 bytes of guest memory: Cannot allocate memory" \
	FAULTY_FAIL=KVM_SET_USER_MEMORY_REGION:1:ENOMEM
refused "KVM cannot create a virtual CPU: Cannot allocate memory" FAULTY_FAIL=KVM_CREATE_VCPU:1:ENOMEM
refused "KVM cannot set a virtual CPU's features: Invalid argument" FAULTY_FAIL=KVM_SET_CPUID2:1:EINVAL

# A client that asks for what goes with them is told.
printf '%s' '$qSupported:error-message+#d8+$?#3f+$g#67+$k#6b' >"$work/packets"
# shellcheck disable=SC2086 # RUNNER is a command with arguments
FAULTY_FAIL=KVM_SET_CPUID2:1:EINVAL timeout -k 10 $((TEST_TIMEOUT + 60)) $RUNNER "$KVMGDB" --timeout="$TEST_TIMEOUT" \
	--gdb=stdio "$GUESTS/sum.bin" <"$work/packets" >"$work/stdout" 2>&1
grep -a -q "E.KVM cannot set a virtual CPU's features: Invalid argument#" "$work/stdout"
result $? "a client is told of the virtual CPU's features" || comment <"$work/stdout"

refused "KVM cannot read a virtual CPU's registers: Input/output error" FAULTY_FAIL=KVM_GET_REGS:1:EIO

# --- What it can do without: all is as ever ---

# passes NAME COMMAND...: a TAP test with the faults of the environment has no failure.
passes() {
	name=$1
	shift
	"$@" >"$work/tap" 2>&1
	why=$(sed -n 's/^1\.\.0 # SKIP //p' "$work/tap")
	if [ -n "$why" ]; then
		skip "$name" "$why"
		return
	fi
	grep -q '^1\.\.[1-9]' "$work/tap" && ! grep -q '^not ok' "$work/tap"
	status=$?
	result $status "$name"
	[ $status -eq 0 ] || comment <"$work/tap"
}

for hidden in SYNC_REGS SET_GUEST_DEBUG2 SYNC_REGS,SET_GUEST_DEBUG2,READONLY_MEM; do
	FAULTY_HIDE=$hidden
	export FAULTY_HIDE
	for transcript in "$srcdir"/tests/rsp/kvm-*.rsp; do
		passes "without $hidden: $(basename "$transcript")" "$TESTS_BUILT/rsp/replay" "$transcript"
	done
	if command -v "$GDB" >/dev/null; then
		for name in died modes ports steps sti tf watch; do
			passes "without $hidden: gdb/$name" \
				sh "$srcdir/tests/gdb/run" "$srcdir/tests/gdb/$name.gdb"
		done
	fi
	unset FAULTY_HIDE
done

# --- A KVM_RUN that fails ---

# fails STATUS OUTPUT FAULT [ARG]...: without a gdb
fails() {
	status=$1
	echo "$2" >"$work/expected"
	fault=$3
	shift 3
	(export "${fault?}" && kvmgdb --gdb=none "$@") >"$work/stdout" 2>&1
	[ $? -eq "$status" ]
	result $? "$fault: exit status $status"
	same "$fault: told" "$work/expected" "$work/stdout"
}

fails 1 "KVM has given this virtual machine up, at 0000:1000: the host's kernel log tells why" \
	FAULTY_FAIL=KVM_RUN:1:EIO "$GUESTS/sum.bin"
fails 1 "KVM refuses the guest's state at 0000:1000: look at the segment and control registers" \
	FAULTY_FAIL=KVM_RUN:1:EINVAL "$GUESTS/sum.bin"
fails 1 "a memory error of the host is in what the instruction at 0000:1000 uses" \
	FAULTY_FAIL=KVM_RUN:1:EHWPOISON "$GUESTS/sum.bin"
fails 1 "the virtual CPU waits to be started by another one (INIT and SIPI), at 0000:1000" \
	FAULTY_FAIL=KVM_RUN:1:EAGAIN "$GUESTS/sum.bin"
fails 1 "KVM refuses the guest's state at 0000:1000: look at the segment and control registers" \
	FAULTY_FAIL=KVM_SET_REGS:1:EINVAL "$GUESTS/sum.bin"
# In the completion of an OUT, at which emulating hosts and processors have got differently far.
(export FAULTY_FAIL=KVM_RUN:2:EIO && kvmgdb --gdb=none "$GUESTS/sum.bin") >"$work/stdout" 2>&1
[ $? -eq 1 ] && grep -q '^KVM has given this virtual machine up, at 0000:101[12]: ' "$work/stdout"
result $? "the second KVM_RUN fails: told"
comment <"$work/stdout"

# session FAULT GUEST [OPTION]... -- GDB COMMAND...: what gdb prints behind the place where it begins
session() {
	fault=$1
	shift
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	: >"$work/script"
	for command; do
		echo "$command" >>"$work/script"
	done
	# shellcheck disable=SC2086 # several options
	(export "${fault?}" && kvmgdb $options -- "$GDB" -nx -q -batch -x "$work/script") 2>&1 |
		sed '1,/^0x.* in ?? ()$/d; s/[[:blank:]]*$//' >"$work/out"
}

if ! command -v "$GDB" >/dev/null; then
	skip "with a gdb" "no $GDB"
	finish
	exit 0
fi

# A failure that leaves the guest as it was.
session FAULTY_FAIL=KVM_RUN:1:EAGAIN "$GUESTS/sum.bin" -- continue continue
cat >"$work/expected" <<'EXPECTED'
the virtual CPU waits to be started by another one (INIT and SIPI), at 0000:1000

Program received signal SIGSEGV, Segmentation fault.
0x00001000 in ?? ()
port 0x0eff <- 0xd2 (210)
halted at 0000:1013

Program stopped.
0x00001013 in ?? ()
EXPECTED
same "EAGAIN: the guest can go on" "$work/expected" "$work/out"

# One that does not.
session FAULTY_FAIL=KVM_RUN:1:EIO "$GUESTS/sum.bin" -- continue 'p $ax' 'x/i 0x1004' continue
cat >"$work/expected" <<'EXPECTED'
KVM has given this virtual machine up, at 0000:1000: the host's kernel log tells why

Program received signal SIGSEGV, Segmentation fault.
0x00001000 in ?? ()
$1 = 0
   0x1004:	add    %bx,%ax
KVM has given this virtual machine up, at 0000:1000: the host's kernel log tells why; the guest is dead

Program received signal SIGSEGV, Segmentation fault.
0x00001000 in ?? ()
EXPECTED
same "EIO: the guest is dead" "$work/expected" "$work/out"

# Memory that the host does not give. A KVM that emulates the guest takes it for memory that is not there.
session FAULTY_PAGE=0 --mode=64 "$GUESTS/flat64.bin" -- continue 'p/x $rax' 'x/gx 8' 'set $pc = 0x1044' 'x/i $pc-1' \
	'set $pc = 0x1043' continue
cat >"$work/expected" <<'EXPECTED'
the host cannot give the memory that the instruction at 0x100a uses

Program received signal SIGBUS, Bus error.
0x000000000000100a in ?? ()
$1 = 0x1122334455667788
0x8:	0x0000000000000000
   0x1043:	hlt
halted at 0x1044

Program stopped.
0x0000000000001044 in ?? ()
EXPECTED
if grep -q '^write of 8 bytes at physical address 0x8, where there is no memory$' "$work/out"; then
	skip "memory that the host does not give" "this KVM does not say EFAULT"
else
	same "memory that the host does not give" "$work/expected" "$work/out"
fi

# State that no processor takes. What it leaves in the registers is not the same everywhere.
session FAULTY_CS=1 --mode=64 "$GUESTS/flat64.bin" -- continue 'x/gx 0x1000'
if grep -q '^halted at 0x1044$' "$work/out"; then
	skip "state that the processor refuses" "this KVM runs it"
else
	grep -q "^the processor refuses the guest's state at .*: look at the segment and control registers\$" "$work/out" &&
		grep -q '^Program received signal SIGSEGV' "$work/out" &&
		grep -q '^0x1000:	0x334455667788b848$' "$work/out"
	result $? "state that the processor refuses: told, and memory can be read"
	comment <"$work/out"
fi
# --- Signals, which come whenever a client has something to say ---

# unchanged VARIABLE WHAT SCRIPT...: these gdb scripts see nothing of it.
unchanged() {
	variable=$1 what=$2
	shift 2
	for script; do
		(export "$variable=1" GDBS="$GDB" && sh "$srcdir/tests/gdb/run" "$srcdir/tests/gdb/$script.gdb") \
			>"$work/out" 2>&1 && ! grep -q '^not ok' "$work/out"
		status=$?
		[ $status -eq 0 ] || sed 's/^/# /' "$work/out"
		result $status "$what changes nothing: $script"
	done
}
unchanged FAULTY_SIGNALS 'a signal at every other KVM_RUN' alias-many interrupts-watch interrupts16 steps16 tf watch
unchanged FAULTY_KICKS 'a signal behind each KVM_RUN' alias-many interrupts-watch interrupts16 steps16 tf watch watch-rep

finish
