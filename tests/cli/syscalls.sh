#!/bin/sh
# The system calls of a step, as doc/performance.md has them: one reads the packet, one runs the guest, one sends the
# reply. A plain instruction needs not even the second. A reminder comes in between now and then (gdbstub/session.c), but no more often than its time allows.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest sum.bin
need_guest spin.bin
guest=sum.bin
[ -z "$RUNNER" ] || skip_all "strace would see RUNNER"
strace -o /dev/null true 2>/dev/null || skip_all "no strace, or it may not trace"
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# Between replay and kvmgdb
cat >"$work/kvmgdb" <<END
#!/bin/sh
exec strace -ttt -o "$work/trace" "$KVMGDB" "\$@"
END
chmod +x "$work/kvmgdb"

# traced LINE...: those of a transcript; then the calls of each packet, a line each, in
# $work/calls: its letter, and the calls from the one that reads it to the one that sends the reply.
traced() {
	# Killed at the end: a signal to strace does not always reach what it traces.
	printf '%s\n' "# target: kvmgdb $guest" '' '= traced' "$@" '> vKill;1' '< OK' >"$work/steps.rsp"
	KVMGDB="$work/kvmgdb" "$TESTS_BUILT/rsp/replay" "$work/steps.rsp" >"$work/tap" || comment <"$work/tap"
	sed -n 's/^[0-9.]* //
		/^timer_settime/d; /^rt_sigreturn/d
		s/^ioctl([0-9]*, \([A-Z0-9_]*\).*/\1/p
		s/^recvfrom([0-9]*, "\$vCont;\(.\).*/packet \1 recvfrom/p
		s/^recvfrom([0-9]*, "\$\(.\).*/packet \1 recvfrom/p
		s/^\([a-z0-9_]*\)(.*/\1/p' "$work/trace" |
		awk '$1 == "packet" { if (line) print line; line = $2 " " $3; next } { line = line " " $1 }
			END { print line }' >"$work/calls"
}

# usual NAME LETTER CALLS: more than half of the packets with that letter had just these
usual() {
	all=$(grep -c "^$2 " "$work/calls")
	these=$(grep -c -x "$2 $3" "$work/calls")
	[ "$all" -ge 40 ] && [ "$these" -gt $((all / 2)) ]
	result $? "$1"
	grep "^$2 " "$work/calls" | sort | uniq -c | sort -rn | head -n 5 | cut -c1-100 | comment
}

# seldom NAME: the reminder was set once in its 50 ms at the most, and signals have come for it alone
seldom() {
	awk '/timer_settime\(/ { if (last && $1 - last < 0.05) early++; last = $1; set++ }
		/recvfrom.*vCont;s/ { steps++ } # the first one finds out what the host does
		steps > 1 && /rt_sigreturn/ { signals++ }
		END { printf "set %d times, %d of them early; %d signals\n", set, early, signals
			exit !(set && !early && signals <= set + 1) }' "$work/trace" >"$work/seldom"
	result $? "$1"
	comment <"$work/seldom"
}

# repeat N LINE...
repeat() {
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		printf '%s\n' "$@"
		count=$((count - 1))
	done
}

on_kvm='> qRcmd,\h{step-kvm on}
< O*
< OK'

# The first step finds out what the host does.
IFS='
'
# shellcheck disable=SC2046 # a word for each line
traced $(repeat 80 '> vCont;s:1' '< T05*')
usual "a step of a plain instruction" s "recvfrom sendto"

# shellcheck disable=SC2046 # a word for each line
traced $on_kvm $(repeat 80 '> vCont;s:1' '< T05*')
usual "a step" s "recvfrom KVM_RUN sendto"
seldom "no signals for packets"

# shellcheck disable=SC2046
traced $on_kvm $(repeat 60 '> vCont;s:1' '< T05*' '> g' '< *')
usual "a step, and the registers:" s "recvfrom KVM_RUN sendto"
usual "they are there" g "recvfrom sendto"

# From the loop's first instruction to behind its last, some 80 in all.
# shellcheck disable=SC2046
traced $on_kvm '> vCont;r1000,1004:1' '< T05*' '> vCont;r1004,100e:1' '< T05*'
IFS=' '
# shellcheck disable=SC2046
set -- $(grep '^r ' "$work/calls" | tail -n 1)
runs=0 others=-3 # the letter, and what reads and writes
for call; do
	if [ "$call" = KVM_RUN ]; then runs=$((runs + 1)); else others=$((others + 1)); fi
done
[ "$runs" -ge 60 ] && [ "$others" -lt $((runs / 4)) ]
result $? "a range: the guest runs, and nothing else is done between"
echo "$runs times; others: $others" | comment

# points Z|z: a packet for each of 10,000 breakpoints, and of 1,000 watchpoints, all but one where nothing is
points() {
	awk -v packet="$1" 'BEGIN {
		for (i = 0; i < 9999; i++) printf "> %s0,%x,1\n< OK\n", packet, 65536 + 2 * i
		printf "> %s0,1004,1\n< OK\n", packet
		for (i = 0; i < 1000; i++) printf "> %s2,%x,1\n< OK\n", packet, 131072 + 2 * i
	}'
}

# gdb takes all of them away at each stop, and sets them again.
IFS='
'
# shellcheck disable=SC2046
traced $(points Z) '> vCont;c' '<? O*' '< T05*' $(points z) $(points Z) '> vCont;c' '< T05*' \
	$(points z) $(points Z) '> vCont;c' '< T05*'
IFS=' '
for letter in Z z; do
	all=$(grep -c "^$letter " "$work/calls")
	these=$(grep -c -x "$letter recvfrom sendto" "$work/calls")
	# Now and then there is need of more memory.
	[ "$all" -ge 22000 ] && [ $((all - these)) -lt $((all / 100)) ]
	result $? "11,000 points: nothing is done for a $letter"
	echo "$these of $all" | comment
done
# The first one finds out what the host does.
grep '^c ' "$work/calls" | tail -n 2 | sed 's/ KVM_RUN//g' >"$work/continues"
[ "$(sort -u "$work/continues" | wc -l)" -eq 1 ] && [ "$(wc -w <"$work/continues")" -le 40 ]
result $? "nor for all of them when the guest goes on"
sort "$work/continues" | cut -c1-300 | comment

# An interrupt is looked at, answered, and then read. With acknowledgements none comes together with the packet before.
IFS='
'
guest=spin.bin
# shellcheck disable=SC2046
traced '! close' '! connect raw' $(repeat 40 '> vCont;c' '! interrupt' '< T02*')
IFS=' '
awk '/recvfrom\(/ { looked = /"\\3".*MSG_PEEK/ }
	/sendto\(.*T02/ { stops++; early += looked }
	END { printf "%d of %d\n", early, stops; exit !(stops == 40 && early > stops / 2) }' "$work/trace" >"$work/early"
result $? "a Ctrl-C is answered before it is read"
comment <"$work/early"
awk '/KVM_RUN/ { delivered = 0 }
	/--- SIGIO / { delivered = 1 }
	/sendto\(.*T02/ { stops++; taken += !delivered }
	END { printf "%d of %d\n", taken, stops; exit !(stops == 40 && taken > stops / 2) }' "$work/trace" >"$work/taken"
result $? "its signal is taken, and not delivered"
comment <"$work/taken"

finish
