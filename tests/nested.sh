#!/bin/sh
# nested.sh NESTED BUILD amd|intel|emulating [SCRIPT]...: runs the unit tests and packet transcripts that need KVM, or
# the named tests/cli/*.sh, tests/gdb/*.gdb, tests/mi/*.mi and tests/lldb/*.lldb, in an emulator with a real kvm_amd or
# kvm_intel, which the command NESTED brings; `emulating` is a kvm_intel that is made to emulate all guest code (see
# tests/emulating.c). TAP lines go to standard output, and the exit status is 0 if all passed. To be run in the top
# folder, after `make check` has built the tests. NESTED_LIMIT is how many seconds it may take (1800).

set -u
nested=$1 build=$2 kind=$3
shift 3
scripts=$*
program=$build/kvmgdb
transcripts=$(echo tests/rsp/kvm-*.rsp)
programs="$build/tests/unit/test_agree $build/tests/unit/test_compute $build/tests/unit/test_sse $build/tests/rsp/soak"
if [ "$kind" = emulating ]; then
	program=$build/tests/kvmgdb-emulating
	programs="$build/tests/test_agree_emulating $build/tests/test_compute_emulating $build/tests/rsp/soak"
	# Such a KVM gives up at an exception in protected mode, and so at what would be a triple fault.
	transcripts=$(echo "$transcripts" | sed 's|[^ ]*/kvm-exits.rsp||')
	export NESTED_KVM_KVMARGS="enable_apicv=0 unrestricted_guest=0" AGREE_NO_EXCEPTIONS=1
fi
[ -z "$scripts" ] || programs='' transcripts=''

# Inside: one test after the other. There is no `make` on the emulated Intel machine. The scripts' failures
# are in their lines.
inside='
failed=0
one() {
	echo "# $*"
	timeout 300 "$@" || failed=1
}
script() {
	one "$@" >"/tmp/tap.$$"
	cat "/tmp/tap.$$"
	! grep -q "^not ok" "/tmp/tap.$$" || failed=1
}
for program in $PROGRAMS; do one "./$program"; done
for transcript in $TRANSCRIPTS; do one "$BUILD/tests/rsp/replay" "$transcript"; done
for script in $SCRIPTS; do
	case $script in
	*.gdb | *.mi | *.lldb) script sh "${script%/*}/run" "$script" ;;
	*) script sh "$script" ;;
	esac
done
exit $failed'

export PROGRAMS="$programs" TRANSCRIPTS="$transcripts" SCRIPTS="$scripts" BUILD="$build"
export KVMGDB="$PWD/$program" GUESTS="$PWD/$build/guests" TESTS_BUILT="$PWD/$build/tests"
export KVMGDB_REQUIRE_KVM=1 RUNNER=
export AGREE_PROGRAMS="${AGREE_PROGRAMS:-20}" COMPUTE_COUNT="${COMPUTE_COUNT:-500}"

case $kind in
amd)
	exec "$nested" -t "${NESTED_LIMIT:-1800}" -- sh -c "$inside"
	;;
intel | emulating)
	# Nothing is shared with that machine: what is needed is named.
	set -- -f "$program" -f "$build/tests/rsp/replay" -f "$build/guests" -f tests/rsp
	for program in $programs; do
		set -- "$@" -f "$program"
	done
	if [ -n "$scripts" ]; then
		set -- "$@" -f "$build/tests/kvmgdb-escape" -f "$build/tests/kvmgdb-faulty" -f "$build/tests/rsp/faults" -f tests -f doc -f guests -f src
		for program in awk comm diff gdb grep id mount sed setpriv sort stat timeout unshare; do
			path=$(command -v $program) && set -- "$@" -f "$path"
		done
		# What third-party.sh looks for.
		case $scripts in
		*third-party.sh*)
			for file in /usr/lib/syslinux/mbr /usr/lib/grub/i386-pc /boot/memtest86+*.bin /boot/ipxe.lkrn \
				/usr/lib/ipxe/ipxe.iso /usr/share/seabios /usr/sbin/mkfs.fat /sbin/install-mbr \
				/usr/sbin/install-mbr /usr/bin/grub-mkimage; do
				[ ! -e "$file" ] || set -- "$@" -f "$file"
			done
			;;
		esac
		# gdb's own files, what it converts characters with, and what finds "localhost".
		for file in /usr/share/gdb /usr/lib/python3.[0-9]* /etc/hosts /etc/nsswitch.conf \
			/lib/*-linux-gnu/libnss_files.so.2 \
			/usr/lib/*-linux-gnu/gconv/UTF-*.so \
			/usr/lib/*-linux-gnu/gconv/gconv-modules*; do
			[ ! -e "$file" ] || set -- "$@" -f "$file"
		done
	fi
	exec "$nested" -i -t "${NESTED_LIMIT:-1800}" "$@" -- sh -c "$inside"
	;;
*)
	echo "nested.sh: amd, intel or emulating, not '$kind'" >&2
	exit 2
	;;
esac
