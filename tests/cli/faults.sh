#!/bin/sh
# Each system call fails once, clients are killed at each packet, and many come one after the other: see
# tests/rsp/faults.c. FAULTS_STEP=1 has each single call fail.

. "${srcdir:-.}/tests/lib.sh"

: "${TESTS_BUILT:=tests}"
need_kvm
need_guest sum.bin
KVMGDB=$TESTS_BUILT/kvmgdb-faulty
[ -x "$KVMGDB" ] || fail_all "no $KVMGDB"
# A sanitizer keeps what was freed for a while, which would look like a leak.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=0:thread_local_quarantine_size_kb=0
export KVMGDB GUESTS ASAN_OPTIONS
exec "$TESTS_BUILT/rsp/faults"
