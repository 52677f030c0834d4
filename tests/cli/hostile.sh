#!/bin/sh
# Clients that mean no good, or are broken: what they cost is their own session. See hostile.py.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest spin.bin
command -v python3 >/dev/null || skip_all "no python3"
exec python3 "$srcdir/tests/cli/hostile.py" "$GUESTS/spin.bin" $RUNNER "$KVMGDB"
