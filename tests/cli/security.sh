#!/bin/sh
# doc/security.md has the list of system calls that the program has.

. "${srcdir:-.}/tests/lib.sh"

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

sed -n '/^<!-- kvmgdb --sandbox-rules -->$/,/^<!-- end -->$/p' "$srcdir/doc/security.md" | sed -n 's/^    //p' >"$work/expected"
kvmgdb --sandbox-rules | sed '/^instrumented /d; s/ *$//' >"$work/rules"
[ -s "$work/rules" ]
result $? "--sandbox-rules"
same "doc/security.md has them" "$work/rules" "$work/expected"

# Every request to the KVM device that the sources make is let through; the one that opens it comes before.
"$KVMGDB" --sandbox-rules | awk '$1 == "ioctl" && $2 ~ /^KVM_/ { print $2 }' | sort -u >"$work/allowed"
cat "$srcdir"/src/*.c "$srcdir"/src/*/*.c | tr '\n' ' ' | grep -oE '\bioctl\([^;]*' | grep -oE '\bKVM_(GET|SET|CREATE|CHECK|ENABLE|RUN|INTERRUPT|REGISTER|UNREGISTER)[A-Z0-9_]*' |
	sort -u | grep -v '^KVM_GET_API_VERSION$' >"$work/made"
[ -s "$work/made" ] && comm -3 "$work/made" "$work/allowed" >"$work/difference" && [ ! -s "$work/difference" ]
result $? "the requests in the sources, and no others"
comment <"$work/difference"
finish
