#!/bin/sh
# gdb over each transport: stdio, IPv4 and IPv6 with a port that kvmgdb picks, a Unix socket.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_gdb
need_guest sum.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

cat >"$work/script" <<'END'
tbreak *0x100e
continue
p $ax
x/2i $pc
continue
END
cat >"$work/expected" <<'END'
Temporary breakpoint 1 at 0x100e

Temporary breakpoint 1, 0x0000100e in ?? ()
$1 = 210
=> 0x100e:	mov    $0xeff,%dx
   0x1011:	out    %al,(%dx)
halted at 0000:1013

Program stopped.
0x00001013 in ?? ()
END

# session ENDPOINT: what gdb prints from the script on, to $work/out.
session() {
	timeout "$TEST_TIMEOUT" "$GDB" -nx -q -batch -ex "target remote $1" \
		-ex "source $work/script" </dev/null 2>&1 |
		sed '1,/^0x.* in ?? ()$/d; /^\[Inferior 1 .* detached\]$/d; s/[[:blank:]]*$//' >"$work/out"
}

# gdb starts kvmgdb; the guest's output is kept from the protocol.
session "| $RUNNER $KVMGDB --gdb=stdio $GUESTS/sum.bin 2>$work/text"
same "stdio" "$work/expected" "$work/out"
printf 'port 0x0eff <- 0xd2 (210)\n' >"$work/wanted"
same "stdio: the guest's output goes to standard error" "$work/wanted" "$work/text"

# Left alone by gdb, which has not started it, the guest goes on, and finds itself halted.
printf 'halted at 0000:1013\n' >>"$work/wanted"

# served NAME ENDPOINT PATTERN: kvmgdb tells the endpoint that it waits at and the image, and ends with its guest.
served() {
	mkfifo "$work/pipe"
	kvmgdb --gdb="$2" "$GUESTS/sum.bin" >"$work/text" 2>"$work/pipe" &
	exec 3<"$work/pipe"
	read -r line <&3
	endpoint=${line#kvmgdb: waiting for gdb: target remote }
	echo "$endpoint" | grep -q -x -e "$3"
	result $? "$1: tells where it waits"
	echo "$line" | comment
	read -r line <&3
	[ "$line" = "kvmgdb: $GUESTS/sum.bin: raw, 19 bytes, begins at 0000:1000" ]
	result $? "$1: tells what it has loaded"
	echo "$line" | comment
	case $2 in
	unix:*)
		[ "$(stat -c '%F %a' "$endpoint")" = "socket 600" ]
		result $? "$1: the socket is this user's alone"
		;;
	esac
	session "$endpoint"
	same "$1" "$work/expected" "$work/out"
	same "$1: the guest's output" "$work/wanted" "$work/text"
	wait
	result $? "$1: ends with the guest"
	exec 3<&-
	rm "$work/pipe"
}

served "IPv4" 127.0.0.1:0 '127\.0\.0\.1:[1-9][0-9]*'
served "localhost" localhost:0 '.*:[1-9][0-9]*'
served "no host" :0 '127\.0\.0\.1:[1-9][0-9]*'
if [ -s /proc/net/if_inet6 ] && grep -q '^0*1 .* lo$' /proc/net/if_inet6; then
	served "IPv6" '[::1]:0' '\[::1\]:[1-9][0-9]*'
else
	skip "IPv6" "no IPv6 here"
fi
served "a Unix socket" "unix:$work/socket" "$work/socket"
[ ! -e "$work/socket" ]
result $? "a Unix socket: gone afterwards"
finish
