#!/bin/sh
# What kvmgdb has in memory beside the guest, when it begins to serve, and when the guest has run: nothing that only its
# start has needed.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest sum.bin
[ -z "$RUNNER" ] || skip_all "RUNNER's memory would be seen"
"$KVMGDB" --sandbox-rules | grep -q '^instrumented ' && skip_all "an instrumented build"
need_gdb
# A large environment is on the stack.
RUNNER="env -i"
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

kvmgdb --machine=pc --memory=64M "$GUESTS/sum.bin" -- sh -c 'cat /proc/$PPID/smaps' >"$work/smaps" 2>"$work/errors"
result $? "COMMAND has looked at it"
comment <"$work/errors"
[ -s "$work/smaps" ] || fail_all "/proc/PID/smaps can't be read"

# own FIELD [FILE]: KiB of each mapping but the guest's memory, as "KiB NAME".
own() {
	awk -v field="$1:" '
		/^[0-9a-f]+-/ { name = $6 == "" ? "anonymous" : $6 }
		$1 == "Size:" { size = $2 }
		$1 == field && size < 64 * 1024 { print $2, name }' "${2:-$work/smaps}"
}

# libc_resident FILE: KiB of it
libc_resident() {
	own Rss "$1" | awk '$2 ~ /\/libc[.-][^\/]*$/ { sum += $1 } END { print sum + 0 }'
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
elif [ "$(libc_resident "$work/smaps")" -eq 0 ]; then
	skip "the loader's pages are gone" "it is libc, too"
else
	loader=$(readlink -f "$loader")
	own Rss | grep " $loader\$" >"$work/loader"
	# What is left was written to, or is beside that.
	[ -s "$work/loader" ] && [ "$(awk '{ sum += $1 } END { print sum }' "$work/loader")" -le 32 ]
	result $? "the loader's pages are gone"
	comment <"$work/loader"
fi

cat >"$work/step" <<'END'
cd "$(dirname "$0")" || exit
cat >commands <<COMMANDS
target remote $KVMGDB_ENDPOINT
stepi
shell cat /proc/$PPID/smaps >smaps2
COMMANDS
exec "$1" -nx -q -batch -x commands
END
kvmgdb --machine=pc --memory=64M "$GUESTS/sum.bin" -- sh "$work/step" "$(command -v "$GDB")" >"$work/out" 2>&1
result $? "gdb has made a step"
comment <"$work/out"
before=$(libc_resident "$work/smaps") after=$(libc_resident "$work/smaps2")
if [ "$before" -eq 0 ]; then
	skip "libc's pages for the start are gone" "there is none beside the loader"
else
	[ "$after" -gt 0 ] && [ "$after" -le $((before * 4 / 5)) ]
	result $? "libc's pages for the start are gone"
	echo "$before KiB, and then $after KiB" | comment
fi
finish
