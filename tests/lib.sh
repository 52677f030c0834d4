# What the TAP scripts share: sourced by tests/gdb/run and by the scripts in tests/cli and tests/rsp.
#
# Environment; `make check` sets the first group:
#   KVMGDB   the program
#   GUESTS   the folder with the built guests
#   NASM     empty when the guests could not be built for want of it
#   GDB      the gdb that configure found
#   srcdir   the top of the source tree
# and the user may set:
#   RUNNER   a prefix for each kvmgdb command, such as an emulator that has a /dev/kvm of its own; it
#            is started in the build tree, so its path is best an absolute one
#   GDBS     the gdbs that each tests/gdb/*.gdb is run with, separated by colons; default: $GDB
#   TEST_TIMEOUT          seconds that a guest may run; default: 60
#   KVMGDB_REQUIRE_KVM=1  a test that can't open /dev/kvm fails instead of being skipped

: "${KVMGDB:=./kvmgdb}" "${GUESTS:=guests}" "${NASM=nasm}" "${GDB:=gdb}" "${srcdir:=.}"
: "${RUNNER=}" "${GDBS:=$GDB}" "${TEST_TIMEOUT:=60}" "${KVMGDB_REQUIRE_KVM=}"

# One language for messages that are compared, one shell for gdb's commands that use the user's, the script
# for 16-bit code only where a test asks for it, and no questions over the network.
LC_ALL=C
SHELL=/bin/sh
KVMGDB_NO_GDB_SCRIPT=1
export LC_ALL SHELL KVMGDB_NO_GDB_SCRIPT
unset DEBUGINFOD_URLS

tap_count=0

# result STATUS NAME: a test line; a STATUS of 0 is a success.
result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
	fi
}

# skip NAME WHY
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# finish: the plan, as a script's last line.
finish() {
	echo "1..$tap_count"
}

# skip_all WHY: before the first result; ends the script.
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# fail_all WHY: a test that can't be carried out; ends the script.
fail_all() {
	result 1 "$1"
	finish
	exit 0
}

# comment: standard input as TAP comments.
comment() {
	sed 's/^/# /'
}

# same NAME EXPECTED ACTUAL: two files are equal; a difference is shown.
same() {
	tap_diff=$(diff -u "$2" "$3" 2>&1)
	result $? "$1"
	[ -z "$tap_diff" ] || echo "$tap_diff" | comment
}

need_kvm() {
	# A RUNNER brings its own /dev/kvm. Opening is what counts: root may read and write any file.
	if [ -n "$RUNNER" ] || { [ -c /dev/kvm ] && (: <>/dev/kvm) 2>/dev/null; }; then
		return
	fi
	[ "$KVMGDB_REQUIRE_KVM" = 1 ] && fail_all "/dev/kvm can't be opened"
	skip_all "no /dev/kvm"
}

need_gdb() {
	command -v "$GDB" >/dev/null || skip_all "no $GDB"
}

# need_guest FILE
need_guest() {
	[ -f "$GUESTS/$1" ] && return
	case $1 in
	c16*) skip_all "no compiler for 16-bit code" ;;
	kernel*) skip_all "no compiler for kernels" ;;
	esac
	[ -z "$NASM" ] && skip_all "no nasm"
	fail_all "$GUESTS/$1 was not built"
}

# kvmgdb [ARG]...: the program, under RUNNER and with a time limit; 124 when that is exceeded. The
# outer limit is for a kvmgdb that hangs, and leaves a RUNNER the time to start.
kvmgdb() {
	# shellcheck disable=SC2086 # RUNNER is a command with arguments
	timeout -k 10 $((TEST_TIMEOUT + 60)) \
		$RUNNER "$KVMGDB" --timeout="$TEST_TIMEOUT" "$@" </dev/null
}
