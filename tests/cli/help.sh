#!/bin/sh
# --version, --help and the manual page agree; an unknown option is refused.

. "${srcdir:-.}/tests/lib.sh"

version=$(kvmgdb --version)
result $? "--version succeeds"
case $version in
kvmgdb\ [0-9]*) result 0 "--version names the program and its version" ;;
*) result 1 "--version names the program and its version" ;;
esac

help=$(kvmgdb --help)
result $? "--help succeeds"

# In the page an option follows a .TP, like .BR \-g ", " \-\-gdb= \fIENDPOINT\fR
options=$(sed -n '/^\.TP/{n;s/\\-/-/g;p;}' "$srcdir/doc/kvmgdb.1" |
	grep -o -e '--[a-z][a-z-]*' | sort -u)
[ -n "$options" ]
result $? "the manual page has options"
for option in $options; do
	echo "$help" | grep -q -e "$option\>"
	result $? "--help mentions $option"
done
for option in $(echo "$help" | grep -o -e '^ *\(-[a-zA-Z], \)\?--[a-z][a-z-]*' | sed 's/.*--/--/'); do
	echo "$options" | grep -q -x -e "$option"
	result $? "the manual page has $option"
done

kvmgdb --no-such-option >/dev/null 2>&1
[ $? -eq 2 ]
result $? "an unknown option is exit status 2"

finish
