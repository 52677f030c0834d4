#!/bin/sh
# kvmgdb --gdb-script: the path of an installed script that gdb loads, or what is missing.

. "${srcdir:-.}/tests/lib.sh"

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

kvmgdb --gdb-script >"$work/out" 2>"$work/errors"
status=$?
if [ $status -eq 0 ]; then
	script=$(cat "$work/out")
	[ -r "$script" ]
	result $? "the script is there"
else
	[ $status -eq 2 ] && [ ! -s "$work/out" ]
	result $? "no script: exit status 2"
	script=$(sed -n 's/^kvmgdb: \(.*\) cannot be read: .*/\1/p' "$work/errors")
	[ -n "$script" ] && [ ! -r "$script" ]
	result $? "and the path that it would have"
fi

if [ -f Makefile ]; then
	# What make install would put there.
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s install-data DESTDIR="$work/root" >"$work/make" 2>&1
	[ -r "$work/root$script" ]
	result $? "make install puts it there"
	comment <"$work/make"
	script=$work/root$script
fi
if [ "$("$GDB" -nx -q -batch -ex 'python print(6 * 7)' 2>/dev/null)" = 42 ] && [ -r "$script" ]; then
	"$GDB" -nx -q -batch -x "$script" -ex 'help function seg' >"$work/gdb" 2>&1
	grep -q '^\$seg(SEG, OFF): ' "$work/gdb"
	result $? "gdb loads it"
	[ -z "$(find "${script%/*}" -name '*.pyc')" ]
	result $? "and writes nothing beside it"
else
	skip "gdb loads it" "no $GDB with Python"
fi
finish
