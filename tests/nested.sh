#!/bin/sh
# nested.sh NESTED BUILD amd|intel: runs the unit tests and packet transcripts that need KVM in an emulator
# with a real kvm_amd or kvm_intel, which the command NESTED brings; TAP lines go to standard output, and
# the exit status is 0 if all passed. To be run in the top folder, after `make check` has built the tests.

set -u
nested=$1 build=$2 kind=$3
programs="$build/tests/unit/test_agree"
transcripts=$(echo tests/rsp/kvm-*.rsp)

# Inside: one test after the other. There is no `make` on the emulated Intel machine.
inside='
failed=0
one() {
	echo "# $*"
	timeout 300 "$@" || failed=1
}
for program in $PROGRAMS; do one "./$program"; done
for transcript in $TRANSCRIPTS; do one "$BUILD/tests/rsp/replay" "$transcript"; done
exit $failed'

export PROGRAMS="$programs" TRANSCRIPTS="$transcripts" BUILD="$build"
export KVMGDB="$PWD/$build/kvmgdb" GUESTS="$PWD/$build/guests" KVMGDB_REQUIRE_KVM=1 RUNNER=
export AGREE_PROGRAMS="${AGREE_PROGRAMS:-20}"

case $kind in
amd)
	exec "$nested" -t 900 -- sh -c "$inside"
	;;
intel)
	# Nothing is shared with that machine: what is needed is named.
	set -- -f "$build/kvmgdb" -f "$build/tests/rsp/replay" -f "$build/guests" -f tests/rsp
	for program in $programs; do
		set -- "$@" -f "$program"
	done
	exec "$nested" -i -t 900 "$@" -- sh -c "$inside"
	;;
*)
	echo "nested.sh: amd or intel, not '$kind'" >&2
	exit 2
	;;
esac
