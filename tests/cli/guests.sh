#!/bin/sh
# The two assemblers make the same guest.

. "${srcdir:-.}/tests/lib.sh"

need_guest sum.bin
cmp "$GUESTS/sum.bin" "$GUESTS/sum-gas.bin" | comment
cmp -s "$GUESTS/sum.bin" "$GUESTS/sum-gas.bin"
result $? "nasm's and as's sum are equal"
finish
