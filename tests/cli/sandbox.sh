#!/bin/sh
# The sandbox of the whole program: what it keeps out, what works in it, and what --user and --chroot make of it.
# tests/unit/test_sandbox.c has each system call by itself.

# shellcheck disable=SC2016 # for COMMAND's shell
. "${srcdir:-.}/tests/lib.sh"

: "${TESTS_BUILT:=tests}"
need_kvm
need_guest sum.bin
grep -q '^Seccomp:' /proc/self/status || skip_all "no seccomp here"
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A sanitizer opens files, too, and more.
instrumented=
! "$KVMGDB" --sandbox-rules | grep -q '^instrumented ' || instrumented=yes

# --- Whoever breaks in ---

program=$KVMGDB
if [ -x "$TESTS_BUILT/kvmgdb-escape" ]; then
	KVMGDB=$TESTS_BUILT/kvmgdb-escape
	for at in loading running; do
		for what in open connect exec; do
			if [ -n "$instrumented" ] && [ $what = open ]; then
				skip "$what while the guest is $at is the end" "this program is instrumented"
				continue
			fi
			(export ESCAPE=$what ESCAPE_AT=$at && kvmgdb --gdb=none "$GUESTS/sum.bin") >"$work/out" 2>&1
			[ $? -eq 159 ]
			result $? "$what while the guest is $at is the end"
			(export ESCAPE=$what ESCAPE_AT=$at && kvmgdb --no-sandbox --gdb=none "$GUESTS/sum.bin") >"$work/out" 2>&1
			[ $? -eq 42 ]
			result $? "$what while the guest is $at: not with --no-sandbox"
		done
	done
	KVMGDB=$program
else
	skip "whoever breaks in" "no $TESTS_BUILT/kvmgdb-escape"
fi

# --- What COMMAND sees of kvmgdb, once that has begun to serve, and of itself ---

# seen [OPTION]... -- PROGRAM: its output in $work/seen. A client has to wait until kvmgdb serves it.
cat >"$work/status" <<'END'
grep -E '^(Uid|Gid|Groups|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' "/proc/$PPID/status" | tr -s '\t ' ' '
echo "COMMAND:"
grep -E '^(Uid|Gid|Groups|Seccomp):' /proc/self/status | tr -s '\t ' ' '
ls -l "$KVMGDB_ENDPOINT" | cut -c1-10
echo "$KVMGDB_ENDPOINT"
END
chmod 755 "$work"

# see [OPTION]...
see() {
	kvmgdb "$@" "$GUESTS/sum.bin" -- sh "$work/status" >"$work/seen" 2>"$work/errors"
	result $? "COMMAND, with $*"
	comment <"$work/errors"
	endpoint=$(tail -n 1 "$work/seen")
	[ -n "$endpoint" ] && [ ! -e "$(dirname "$endpoint")" ]
	result $? "nothing is left in the file system, with $*"
}

has() {
	sed "$1" "$work/seen" | grep -q -x "$2"
	status=$?
	result $status "$3"
	[ $status -eq 0 ] || comment <"$work/seen"
}
its='/^COMMAND/,$d'
command='1,/^COMMAND/d'

see --timeout=100
has "$its" 'Seccomp: 2' 'there is a filter'
has "$its" 'NoNewPrivs: 1' 'no new privileges'
has "$its" 'CapEff: 0*' 'no capabilities'
has "$its" 'CapPrm: 0*' 'nor any to be had'
has "$command" 'Seccomp: 0' 'COMMAND is free'
has "$command" 'srw-------' 'the socket is the user'"'"'s alone'
see --no-sandbox
has "$its" 'Seccomp: 0' 'without a sandbox there is no filter'

id=$(id -u nobody 2>/dev/null) group=$(id -g nobody 2>/dev/null)
if [ "$(id -u)" -eq 0 ] && [ -n "$id" ] && [ -z "$RUNNER" ]; then
	mkdir "$work/root"
	see --user=nobody --chroot="$work/root"
	has "$its" "Uid: $id $id $id $id" '--user: kvmgdb is nobody'
	has "$its" "Gid: $group $group $group $group" '--user: nor is its group'
	has "$its" 'Groups: ' '--user: and it has no other'
	has "$its" 'Seccomp: 2' '--user: there is a filter'
	has "$its" 'CapBnd: 0*' 'no capability is to be had by starting a program'
	has "$command" "Uid: $id $id $id $id" '--user: so is COMMAND'
	has "$command" 'srw-------' '--user: the socket is there for it'
	kvmgdb --chroot="$work/root" "$GUESTS/sum.bin" -- sh -c 'readlink /proc/$PPID/root /proc/$$/root' \
		>"$work/seen" 2>/dev/null
	printf '%s\n/\n' "$work/root" >"$work/expected"
	same "--chroot: kvmgdb's root is there, and COMMAND's where it was" "$work/expected" "$work/seen"
	kvmgdb --user=there-is-no-such-user --gdb=none "$GUESTS/sum.bin" >"$work/out" 2>&1
	[ $? -eq 2 ] && grep -q '^kvmgdb: --user=there-is-no-such-user: there is no such user$' "$work/out"
	result $? "--user: of one that there is not, it says so"
	kvmgdb --chroot="$work/none" --gdb=none "$GUESTS/sum.bin" >"$work/out" 2>&1
	[ $? -eq 2 ] && grep -q "^kvmgdb: --chroot=$work/none: No such file or directory\$" "$work/out"
	result $? "--chroot: the same"
	mkdir "$work/pictures" && chown nobody "$work/pictures"
	kvmgdb --user=nobody --chroot="$work/root" --machine=pc --gdb=none --screenshot="$work/pictures/a.png" \
		"$GUESTS/sum.bin" >"$work/out" 2>&1
	[ -s "$work/pictures/a.png" ]
	result $? "--screenshot is written all the same"
	comment <"$work/out"
	# A folder of somebody else's, which root may write to by a capability alone.
	kvmgdb --machine=pc --gdb=none --screenshot="$work/pictures/b.png" "$GUESTS/sum.bin" >"$work/out" 2>&1
	[ -s "$work/pictures/b.png" ]
	result $? "and by root in others' folders"
	comment <"$work/out"
else
	skip "--user and --chroot" "not root here"
fi

# --- Each call that is made is in the list ---

if [ -z "$instrumented" ] && command -v strace >/dev/null && command -v "$GDB" >/dev/null && [ -z "$RUNNER" ]; then
	"$KVMGDB" --sandbox-rules | awk '$1 == "ioctl" { print $1 "(" $2 } $1 != "ioctl" { print $1 }' |
		sort -u >"$work/rules"
	cat >"$work/script" <<-'END'
	break *0x100e
	continue
	p $ax
	watch *(char *) 0x3000
	stepi
	info registers
	monitor reset
	stepi
	END
	strace -o "$work/trace" -e raw=none "$KVMGDB" --timeout="$TEST_TIMEOUT" "$GUESTS/sum.bin" -- \
		"$GDB" -nx -q -batch -x "$work/script" </dev/null >"$work/out" 2>&1
	# ioctl's request is its second argument; those that several devices have are printed with "or" between.
	sed '1,/^seccomp(/d; /^[+-]/d' "$work/trace" |
		sed -n 's/^ioctl([0-9]*, \([A-Z_0-9]*\).*/ioctl(\1/p; /^ioctl(/d; s/^\([a-z_0-9]*\)(.*/\1/p' |
		sort -u >"$work/made"
	[ -s "$work/made" ] && grep -q 'ioctl(KVM_RUN' "$work/made"
	result $? "strace shows what is called"
	comm -23 "$work/made" "$work/rules" >"$work/unknown"
	[ ! -s "$work/unknown" ]
	result $? "all of it is in the list of --sandbox-rules"
	comment <"$work/unknown"
else
	skip "strace shows what is called" "no strace here, or this program is instrumented"
fi
finish
