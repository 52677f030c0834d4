#!/bin/sh
# --serial: COM1 with a driver that uses its interrupts, and whatever is connected to it.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest serial.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

text='The Quick Brown Fox Jumps Over the Lazy Dog 0123456789 and that was all, q'
printf '%s' "$text" >"$work/in"
{
	printf 'L1T'
	tr '[:lower:]' '[:upper:]' <"$work/in"
	echo
} >"$work/expected"

# run [ARG]...: with the output to $work/out, but for the halt.
run() {
	timeout $((TEST_TIMEOUT + 60)) $RUNNER "$KVMGDB" --timeout="$TEST_TIMEOUT" --gdb=none "$@" "$GUESTS/serial.bin" \
		>"$work/raw" 2>"$work/stderr"
	status=$?
	sed '/^halted/d' "$work/raw" >"$work/out"
}

run --serial="file:$work/in" </dev/null
same 'a file' "$work/expected" "$work/out"
run --serial=stdio <"$work/in"
same 'standard input that is a file' "$work/expected" "$work/out"
{
	printf '%.20s' "$text"
	sleep 0.3
	printf '%s' "$text" | tail -c +21
} | run --serial=stdio
same 'standard input that is a pipe, and slow' "$work/expected" "$work/out"
# talk NAME WHERE: by python, which has both ends.
talk() {
	if ! command -v python3 >/dev/null || [ -n "$RUNNER" ]; then
		skip "$1" "no python3 here"
		return
	fi
	timeout 100 python3 - "$2" "$KVMGDB" "$GUESTS/serial.bin" "$text" >"$work/log" 2>&1 <<'END'
import os, socket, subprocess, sys, time
where, program, guest, text = sys.argv[1:]
run = subprocess.Popen([program, "--gdb=none", "--timeout=60", "--serial=" + where, guest],
		       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
if where == "pty":
	line = run.stderr.readline().decode()
	assert line.startswith("kvmgdb: COM1 is /dev/"), line
	end = os.open(line.split()[-1], os.O_RDWR | os.O_NOCTTY)
else:
	path = where.split(":", 1)[1]
	end = socket.socket(socket.AF_UNIX)
	while end:
		try:
			end.connect(path)
			break
		except OSError:
			time.sleep(0.01)
	assert os.stat(path).st_mode & 0o777 == 0o600
	keep, end = end, end.detach()
os.write(end, text.encode())
got = b""
while not got.endswith(b"Q\n"):
	got += os.read(end, 1000)
assert got.endswith(text.upper().encode() + b"\n"), got
assert run.wait() == 0
assert where == "pty" or not os.path.exists(path)
END
	good=$?
	result $good "$1"
	[ $good -eq 0 ] || comment <"$work/log"
}

talk 'a pseudo-terminal' pty
talk 'a Unix socket' "unix:$work/socket"
run --serial=none --timeout=1 </dev/null
[ ! -s "$work/out" ]
result $? 'nothing'
run --serial=foo </dev/null
[ $status -eq 2 ] && grep -q '^kvmgdb: --serial=foo: it is stdio, pty, unix:PATH, file:PATH or none$' "$work/stderr"
result $? 'what is none of them'
run --serial="file:$work/none" </dev/null
[ $status -eq 2 ] && grep -q "^kvmgdb: --serial: cannot open $work/none: " "$work/stderr"
result $? 'a file that is not there'
finish
