#!/bin/sh
# --keys: what a guest gets of each key, by INT 16h, by the controller's ports and by a handler of its own.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest keys.bin
need_guest keys-polled.bin
need_guest keys-modifiers.bin
need_guest keys-moment.bin
need_guest lent.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# typed KEYS: what guests/keys.asm prints, its codes alone; the shift flags, too, if they are not 0.
typed() {
	kvmgdb --gdb=none --keys="$1" "$GUESTS/keys.bin" >"$work/raw" 2>&1
	echo "status $?" >>"$work/raw"
	sed 's/ 00$//; s/ /:/; /^011b/,/^halted/d; s/^status:0$//' "$work/raw" | tr -s '\n' ' ' | sed 's/ *$//'
}

# gives NAME KEYS CODES: codes as the ones above; Esc, which ends the guest, is added.
gives() {
	got=$(typed "$2\\e")
	[ "$got" = "$3" ]
	good=$?
	result $good "$1"
	[ $good -eq 0 ] || printf 'typed    %s\nexpected %s\ngot      %s\n' "$2" "$3" "$got" | comment
}

gives 'plain characters' "\`1234567890-=qwertyuiop[]asdfghjkl;'zxcvbnm,./ \\\\" \
	"2960 0231 0332 0433 0534 0635 0736 0837 0938 0a39 0b30 0c2d 0d3d 1071 1177 1265 1372 1474 1579 1675 \
1769 186f 1970 1a5b 1b5d 1e61 1f73 2064 2166 2267 2368 246a 256b 266c 273b 2827 2c7a 2d78 2e63 2f76 3062 \
316e 326d 332c 342e 352f 3920 2b5c"
gives 'characters with Shift' '~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<lt>>?|' \
	"297e:02 0221:02 0340:02 0423:02 0524:02 0625:02 075e:02 0826:02 092a:02 0a28:02 0b29:02 0c5f:02 \
0d2b:02 1051:02 1157:02 1245:02 1352:02 1454:02 1559:02 1655:02 1749:02 184f:02 1950:02 1a7b:02 1b7d:02 \
1e41:02 1f53:02 2044:02 2146:02 2247:02 2348:02 244a:02 254b:02 264c:02 273a:02 2822:02 2c5a:02 2d58:02 \
2e43:02 2f56:02 3042:02 314e:02 324d:02 333c:02 343e:02 353f:02 2b7c:02"
gives 'control characters' '\n\r\t\b\x01\x1a' '1c0d 1c0d 0f09 0e08 1e01:04 2c1a:04'
gives 'characters of code page 437, and how they are written' '\xe4ä\<ß' '00e4 0084 333c:02 00e1'

# all MODIFIER CODES: the keys that have names, and some that have not.
all() {
	keys=
	for key in Tab BS Enter Space Up Down Left Right Home End PgUp PgDn KP1 KP2 KP3 KP4 KP5 KP6 KP7 KP8 KP9 \
		KP. KP+ KP- 'KP*' KP/ KPEnter F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 1 2 6 a '[' '\' - ';' Del; do
		keys="$keys<$1$key>"
	done
	gives "keys with '$1'" "$keys" "$2"
}

all '' "0f09 0e08 1c0d 3920 48e0 50e0 4be0 4de0 47e0 4fe0 49e0 51e0 4f00 5000 5100 4b00 4c00 4d00 4700 4800 4900 \
5300 4e2b 4a2d 372a e02f e00d 3b00 3c00 3d00 3e00 3f00 4000 4100 4200 4300 4400 8500 8600 0231 0332 0736 1e61 \
1a5b 2b5c 0c2d 273b 53e0"
all Shift- "0f00:02 0e08:02 1c0d:02 3920:02 48e0:02 50e0:02 4be0:02 4de0:02 47e0:02 4fe0:02 49e0:02 51e0:02 \
4f31:02 5032:02 5133:02 4b34:02 4c35:02 4d36:02 4737:02 4838:02 4939:02 532e:02 4e2b:02 4a2d:02 372a:02 \
e02f:02 e00d:02 5400:02 5500:02 5600:02 5700:02 5800:02 5900:02 5a00:02 5b00:02 5c00:02 5d00:02 8700:02 \
8800:02 0221:02 0340:02 075e:02 1e41:02 1a7b:02 2b7c:02 0c5f:02 273a:02 53e0:02"
# 1 and ; give nothing with Ctrl.
all Ctrl- "9400:04 0e7f:04 1c0a:04 3920:04 8de0:04 91e0:04 73e0:04 74e0:04 77e0:04 75e0:04 84e0:04 76e0:04 \
7500:04 9100:04 7600:04 7300:04 8f00:04 7400:04 7700:04 8d00:04 8400:04 9300:04 9000:04 8e00:04 9600:04 \
9500:04 e00a:04 5e00:04 5f00:04 6000:04 6100:04 6200:04 6300:04 6400:04 6500:04 6600:04 6700:04 8900:04 \
8a00:04 0300:04 071e:04 1e01:04 1a1b:04 2b1c:04 0c1f:04 93e0:04"
# The keypad's digits are characters' codes.
all Alt- "a500:08 0e00:08 1c00:08 3920:08 9800:08 a000:08 9b00:08 9d00:08 9700:08 9f00:08 9900:08 a100:08 \
0001 0002 0003 0004 0005 0006 0007 0008 0009 4e00:08 4a00:08 3700:08 a400:08 a600:08 6800:08 6900:08 6a00:08 \
6b00:08 6c00:08 6d00:08 6e00:08 6f00:08 7000:08 7100:08 8b00:08 8c00:08 7800:08 7900:08 7d00:08 1e00:08 \
1a00:08 2b00:08 8200:08 2700:08 a300:08"
gives 'NumLock' '<NumLock><KP7><Shift-KP7><Up><KP.><KP0><NumLock><KP7>' \
	'4737:20 4700:22 48e0:20 532e:20 5230:20 4700'
gives 'CapsLock' '<CapsLock>aA1<CapsLock>a' '1e41:40 1e61:42 0231:40 1e61'
gives 'Ins and ScrollLock' '<Ins>a<Ctrl-Ins><KP0><ScrollLock>a' '52e0:80 1e61:80 92e0:84 5200 1e61:10'
gives 'Break empties the buffer' 'a<Break>b' '1e61 0000:04 3062'
gives 'PrtSc is no key, but with Ctrl' '<PrtSc>a<Ctrl-PrtSc>' '1e61 7200:04'
gives 'Shift alone is none' '<Shift>a<Ctrl>b<Alt>c' '1e61 3062 2e63'
gives 'a pause' 'a<wait 2s>b<wait 20ms><wait 0ms>c' '1e61 3062 2e63'

kvmgdb --gdb=none --keys='a<Ctrl-Alt-Del>b' "$GUESTS/keys.bin" >"$work/out" 2>&1
grep -q '^reset at ' "$work/out"
result $? 'Ctrl-Alt-Del resets'
# The keys that are left are typed behind it, and memory is as after power-on.
cat >"$work/expected" <<-'END'
1e61 00
3062 00
011b 00
halted at 0000:7c31
END
kvmgdb --gdb=none --on-reset=run --keys='a<Ctrl-Alt-Del>b\e' "$GUESTS/keys.bin" 2>&1 | sed '/^reset at /d' >"$work/out"
same '--on-reset=run: it begins anew' "$work/expected" "$work/out"

cat >"$work/expected" <<-'END'
ab
b02eae20
a0129221
ef
halted at 0000:7c72
END
kvmgdb --gdb=none --keys=abcdef "$GUESTS/keys-polled.bin" >"$work/out" 2>&1
same 'INT 16h AH=01h, ports, and a handler that goes on to the BIOS' "$work/expected" "$work/out"

# The BIOS's buffer holds 15.
printf 'abcdefghijklmnopqrstuvwxyz\nhalted at 0000:7c52\n' >"$work/expected"
kvmgdb --gdb=none --keys='abcdefghijklmnopqrstuvwxyz\n' "$GUESTS/lent.bin" >"$work/out" 2>&1
same 'a guest in protected mode that lends the BIOS its interrupts' "$work/expected" "$work/out"

printf '1E 9E 30 B0 1C 9C \nhalted at 0000:7c48\n' >"$work/expected"
kvmgdb --gdb=none --keys='ab\n' "$GUESTS/keys-moment.bin" >"$work/out" 2>&1
same 'a guest that has interrupts on for a moment only, again and again' "$work/expected" "$work/out"

printf '..\nhalted at 0000:7c43\n' >"$work/expected"
kvmgdb --gdb=none --keys='x<Shift><Ctrl><Alt>' "$GUESTS/keys-modifiers.bin" >"$work/out" 2>&1
same 'a guest that looks for modifiers alone' "$work/expected" "$work/out"

# refused KEYS SENTENCE: the sentence's beginning.
refused() {
	kvmgdb --gdb=none --keys="$1" "$GUESTS/keys.bin" >"$work/out" 2>&1
	status=$?
	line=$(cat "$work/out")
	[ $status -eq 2 ] && [ "${line#"kvmgdb: --keys: $2"}" != "$line" ]
	result $? "$1 is refused"
}

refused 'a<Foo>' "'<Foo>' is no key: there are <F1> to <F12>, <Enter> "
refused 'a<b' "'<b' is no key: "
refused '<>' "'<>' is no key: "
refused '<F13>' "'<F13>' is no key: "
refused '<Ctrl->' "'<Ctrl->' is no key: "
refused '<wait 3m>' "'<wait 3m>' is no key: "
refused '<wait 99999999s>' "'<wait 99999999s>' is no key: "
refused 'a\q' "'\\q' is no character: there are \\n "
refused 'aж' "'ж' is neither on the keyboard nor in code page 437"
kvmgdb --gdb=none --machine=bare --keys=a "$GUESTS/keys.bin" >"$work/out" 2>&1
echo 'kvmgdb: --keys: this machine has no keyboard' >"$work/expected"
same 'a bare machine has no keyboard' "$work/expected" "$work/out"
finish
