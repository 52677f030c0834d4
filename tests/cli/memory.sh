#!/bin/sh
# What kvmgdb has in memory beside the guest, when it begins to serve: nothing that only its start has needed.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest sum.bin
[ -z "$RUNNER" ] || skip_all "RUNNER's memory would be seen"
"$KVMGDB" --sandbox-rules | grep -q '^instrumented ' && skip_all "an instrumented build"
# A large environment is on the stack.
RUNNER="env -i"
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

kvmgdb --machine=pc --memory=64M "$GUESTS/sum.bin" -- sh -c 'cat /proc/$PPID/smaps' >"$work/smaps" 2>"$work/errors"
result $? "COMMAND has looked at it"
comment <"$work/errors"
[ -s "$work/smaps" ] || fail_all "/proc/PID/smaps can't be read"

# own FIELD: KiB of each mapping but the guest's memory, as "KiB NAME".
own() {
	awk -v field="$1:" '
		/^[0-9a-f]+-/ { name = $6 == "" ? "anonymous" : $6 }
		$1 == "Size:" { size = $2 }
		$1 == field && size < 64 * 1024 { print $2, name }' "$work/smaps"
}

own Anonymous >"$work/anonymous"
sum=$(awk '{ sum += $1 } END { print sum }' "$work/anonymous")
[ "$sum" -gt 0 ] && [ "$sum" -le 224 ]
result $? "no more than 224 KiB are its own"
grep -v '^0' "$work/anonymous" | sort -n -r | comment
echo "$sum KiB in all" | comment

loader=$(readelf -l "$KVMGDB" | sed -n 's/.*interpreter: \(.*\)\]$/\1/p')
if [ -z "$loader" ]; then
	skip "the loader's pages are gone" "there is no readelf, or no loader"
elif ! readelf -d "$KVMGDB" | grep -q -w -e BIND_NOW -e NOW; then
	skip "the loader's pages are gone" "it is needed at the first call of each function"
elif ! grep -q '/libc[.-][^/]*$' "$work/smaps"; then
	skip "the loader's pages are gone" "it is libc, too"
else
	loader=$(readlink -f "$loader")
	own Rss | grep " $loader\$" >"$work/loader"
	# What is left was written to, or is beside that.
	[ -s "$work/loader" ] && [ "$(awk '{ sum += $1 } END { print sum }' "$work/loader")" -le 32 ]
	result $? "the loader's pages are gone"
	comment <"$work/loader"
fi
finish
