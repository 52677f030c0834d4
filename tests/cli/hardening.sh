#!/bin/sh
# What `configure` says of the program's hardening is in the program: HARDENING has its flags, CC its compiler.

. "${srcdir:-.}/tests/lib.sh"

: "${HARDENING=}" "${CC:=cc}" "${TESTS_BUILT:=tests}"
command -v readelf >/dev/null || skip_all "no readelf"
[ -n "$(echo "$HARDENING" | tr -d ' ')" ] || skip_all "configured with --disable-hardening"
[ -f "$KVMGDB" ] || fail_all "$KVMGDB is no file"

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

readelf -W -h -l -d -n "$KVMGDB" >"$work/headers" 2>&1
readelf -W --dyn-syms "$KVMGDB" >"$work/symbols" 2>&1

# has FLAG NAME COMMAND...: a test of COMMAND, where the flag is in use
has() {
	flag=$1 name=$2
	shift 2
	case " $HARDENING " in
	*" $flag "*)
		"$@"
		result $? "$name"
		;;
	*) skip "$name" "no $flag" ;;
	esac
}

# The linker tells a position-independent program from a library by this flag.
has -pie "position-independent" grep -q 'FLAGS_1.* PIE' "$work/headers"
has -Wl,-z,relro "relocations are read-only" grep -q '^  GNU_RELRO ' "$work/headers"
has -Wl,-z,now "and resolved at the start" grep -q 'FLAGS_1.* NOW' "$work/headers"
has -Wl,-z,noexecstack "the stack is not executable" grep -q '^  GNU_STACK .* RW  ' "$work/headers"
! grep -q '^  LOAD .* RWE ' "$work/headers"
result $? "nothing is writable and executable"

has -fstack-protector-strong "stack protector" grep -q ' __stack_chk_fail' "$work/symbols"
level=$(echo "$HARDENING" | sed -n 's/.*-D_FORTIFY_SOURCE=\([0-9]*\).*/\1/p')
has "-D_FORTIFY_SOURCE=$level" "checked library functions" grep -q ' __[a-z]*_chk@' "$work/symbols"
has "-D_FORTIFY_SOURCE=$level" "of which copying is one" grep -q ' __memcpy_chk@' "$work/symbols"

# Those of the C library's own objects may lack the note, and then no program here has it.
echo 'int main(void) { return 0; }' >"$work/empty.c"
case " $HARDENING " in
*" -fcf-protection "*)
	archive=$TESTS_BUILT/../src/libkvmgdb.a
	if [ -f "$archive" ]; then
		readelf -n "$archive" >"$work/archive" 2>&1
		[ "$(grep -c '^File: ' "$work/archive")" -eq "$(grep -c 'IBT, SHSTK' "$work/archive")" ]
		result $? "CET: each object of the program has the mark"
	fi
	if ! $CC -fcf-protection -o "$work/empty" "$work/empty.c" >"$work/log" 2>&1; then
		skip "CET" "$CC compiles nothing"
	elif readelf -n "$work/empty" | grep -q 'IBT, SHSTK'; then
		grep -q 'IBT, SHSTK' "$work/headers"
		result $? "CET: marked for indirect branch tracking and the shadow stack"
	else
		skip "CET: the program's mark" "the C library's start files have none"
	fi
	;;
esac
finish
