#!/bin/sh
# ELF images: where they go and begin, what is refused, whose symbols gdb gets.

. "${srcdir:-.}/tests/lib.sh"

need_kvm
need_guest elf32.bin

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# bytes SIZE VALUE: a little-endian number, as printf's %b takes it.
bytes() {
	rest=$(($2))
	for _ in $(seq "$1"); do
		printf '\\0%o' $((rest & 255))
		rest=$((rest >> 8))
	done
}

# Of the fields of the headers: offset and size in a file of 32 bits, the same of 64 bits. The program
# headers are code (0) and data (1).
fields='
EI_CLASS 4 1 4 1
EI_DATA 5 1 5 1
EI_VERSION 6 1 6 1
e_type 16 2 16 2
e_machine 18 2 18 2
e_version 20 4 20 4
e_entry 24 4 24 8
e_phoff 28 4 32 8
e_phentsize 42 2 54 2
e_phnum 44 2 56 2
0.p_type 52 4 64 4
0.p_offset 56 4 72 8
0.p_vaddr 60 4 80 8
0.p_paddr 64 4 88 8
0.p_filesz 68 4 96 8
0.p_memsz 72 4 104 8
1.p_type 84 4 120 4
1.p_offset 88 4 128 8
1.p_vaddr 92 4 136 8
1.p_paddr 96 4 144 8
1.p_filesz 100 4 152 8
1.p_memsz 104 4 160 8
'

# file CLASS [FIELD=VALUE]...: $work/elf is elf32.bin or elf64.bin with other values.
file() {
	class=$1
	shift
	cp "$GUESTS/elf$class.bin" "$work/elf"
	for change; do
		place=$(echo "$fields" | sed -n "s/^${change%=*} //p")
		[ "$class" = 32 ] || place=${place#* * }
		offset=${place%% *}
		place=${place#* }
		printf '%b' "$(bytes "${place%% *}" "${change#*=}")" |
			dd of="$work/elf" bs=1 seek="$offset" conv=notrunc status=none
	done
}

# is_refused NAME SENTENCE [OPTION]...: $work/elf is, with one sentence, where FILE stands for its name.
is_refused() {
	name=$1
	echo "kvmgdb: $2" | sed "s|FILE|$work/elf|g" >"$work/expected"
	shift 2
	kvmgdb --gdb=none "$@" "$work/elf" >"$work/stdout" 2>"$work/stderr"
	[ $? -eq 2 ] && [ ! -s "$work/stdout" ]
	result $? "$name: refused"
	same "$name: the sentence" "$work/expected" "$work/stderr"
}

# refused CLASS "[FIELD=VALUE]..." SENTENCE [OPTION]...
refused() {
	changes=$2
	# shellcheck disable=SC2086 # several
	file "$1" $2
	refused_as="$1-bit, $changes"
	sentence=$3
	shift 3
	is_refused "$refused_as" "$sentence" "$@"
}

# prints CLASS "[FIELD=VALUE]..." OUTPUT MESSAGES [OPTION]...: the guest halts.
prints() {
	printf '%s\n' "$3" >"$work/expected"
	printf '%s' "${4:+kvmgdb: $4
}" | sed "s|FILE|$work/elf|g" >"$work/messages"
	prints_as="$1-bit, $2"
	# shellcheck disable=SC2086 # several
	file "$1" $2
	shift 4
	kvmgdb --gdb=none "$@" "$work/elf" >"$work/stdout" 2>"$work/stderr"
	result $? "$prints_as $*: exit status 0"
	same "$prints_as $*: output" "$work/expected" "$work/stdout"
	same "$prints_as $*: messages" "$work/messages" "$work/stderr"
}

data='port 0x0eff <- 0x12345678 (305419896)
port 0x0eff <- 0x00000000 (0)'
stack32='port 0x0eff <- 0x03fff000 (67104768)'
stack64='port 0x0eff <- 0x03ffc000 (67092480)'
high=-0x80000000 # modulo 2^64

# Where segments go and where the program begins

prints 32 '' "$data
$stack32
halted at 0008:00100014" ''
prints 64 '' "$data
$stack64
halted at 0x100018" ''
prints 32 '' "$data
$stack32
halted at 0008:00100014" '' --type=elf
prints 32 '' "$data
$stack32
halted at 0008:00100014" "FILE: elf, 144 bytes, begins at 0008:00100000; add-symbol-file FILE -o 0x0
kvmgdb: program header 0: 0x14 bytes at 0x100000, linked at 0x100000
kvmgdb: program header 1: 0x8 bytes at 0x201000, linked at 0x201000" --verbose
prints 32 'e_entry=0x10000f' "port 0x0000 <- 0x00000000 (0)
port 0x0000 <- 0x03fff000 (67104768)
halted at 0008:00100014" '' --machine=bare
# The code without the data
prints 32 '1.p_type=4' "port 0x0eff <- 0x00000000 (0)
port 0x0eff <- 0x00000000 (0)
$stack32
halted at 0008:00100014" ''
prints 32 '1.p_filesz=0 1.p_memsz=0 1.p_paddr=0xffffffff' "port 0x0eff <- 0x00000000 (0)
port 0x0eff <- 0x00000000 (0)
$stack32
halted at 0008:00100014" ''

# Linked elsewhere: in 32-bit mode it begins where it was loaded, in 64-bit mode where it was linked.
without='without the paging that its entry'
prints 32 'e_entry=0xc0100000 0.p_vaddr=0xc0100000' "$data
$stack32
halted at 0008:00100014" "FILE begins at 0x100000, $without 0xc0100000 was linked for"
prints 64 "e_entry=$high+0x100000 0.p_vaddr=$high+0x100000" "$data
port 0x0eff <- 0x03ff9000 (67080192)
halted at 0xffffffff80100018" ''
prints 64 'e_entry=0x8000300000 0.p_vaddr=0x8000300000' "$data
port 0x0eff <- 0x03ff9000 (67080192)
halted at 0x8000300018" ''
# Code and data in one page table, the data where the code looks for it by its own address, too
prints 64 "e_entry=$high+0x100000 0.p_vaddr=$high+0x100000 1.p_vaddr=$high+0x101000" "$data
port 0x0eff <- 0x03ff6000 (67067904)
halted at 0xffffffff80100018" ''
# In memory that is mapped to itself an address is what it is.
prints 64 'e_entry=0x300000 0.p_vaddr=0x300000' "$data
$stack64
halted at 0x100018" "FILE begins at 0x100000, $without 0x300000 was linked for"
# A physical entry, as that of vmlinux
prints 64 "0.p_vaddr=$high" "$data
port 0x0eff <- 0x03ff9000 (67080192)
halted at 0x100018" ''
prints 32 '0.p_vaddr=0xc0100000' "$data
$stack32
halted at 0008:00100014" ''
# Physical addresses that nobody has filled in
prints 32 '0.p_paddr=0 1.p_paddr=0' "$data
$stack32
halted at 0008:00100014" ''
# But of a single one 0 is an address.
prints 32 '0.p_paddr=0 1.p_type=4' "port 0x0eff <- 0x00000000 (0)
port 0x0eff <- 0x00000000 (0)
$stack32
halted at 0008:00000014" "FILE begins at 0x0, $without 0x100000 was linked for"


# Another mode than that of the class
prints 64 '' "$data
$stack32
halted at 0008:00100018" '' --mode=32
prints 64 "e_entry=$high+0x100000 0.p_vaddr=$high+0x100000" "$data
$stack32
halted at 0008:00100018" "FILE begins at 0x100000, $without 0xffffffff80100000 was linked for" --mode=32
refused 32 '' '16-bit code cannot begin at 0x100000: linear entries end at 0xfffff' --mode=16
# 16-bit code that is the same in 32-bit mode, but for the size of what it writes: a stack below the image
file 32 0.p_paddr=0x8000 0.p_vaddr=0x8000 e_entry=0x8010
kvmgdb --gdb=none --machine=bare --mode=16 "$work/elf" >"$work/stdout" 2>"$work/stderr"
[ $? -eq 0 ] && [ ! -s "$work/stderr" ]
result $? "16-bit code: exit status 0"
printf 'port 0x0000 <- 0x8000 (32768)\nhalted at 0000:8014\n' >"$work/expected"
same "16-bit code: output" "$work/expected" "$work/stdout"

# Options

file 32
is_refused "--load" '--load is for raw images: give --type=raw' --load=0x1000
is_refused "--entry" '--entry is for raw images: give --type=raw' --entry=0x1000
is_refused "--entry with --type" '--entry is for raw images: give --type=raw' --type=elf --entry=0:1000
kvmgdb --gdb=none --type=raw --verbose "$work/elf" 2>&1 | grep -q '^kvmgdb: .*/elf: raw, 144 bytes, begins at 0000:1000$'
result $? "--type=raw"
head -c 3 "$work/elf" >"$work/three"
printf x >>"$work/three"
cp "$work/three" "$work/elf"
is_refused "no ELF file" 'FILE is no ELF file: it does not begin with 7f 45 4c 46; --type=raw takes it as it is' \
	--type=elf
head -c 3 "$work/three" >"$work/elf"
is_refused "three bytes" 'FILE is no ELF file: it does not begin with 7f 45 4c 46; --type=raw takes it as it is' \
	--type=elf

# The ELF header

for size in 4 15 16 51; do
	head -c "$size" "$GUESTS/elf32.bin" >"$work/elf"
	is_refused "$size bytes" 'FILE is cut off: the ELF header reaches beyond its end'
done
for size in 16 63; do
	head -c "$size" "$GUESTS/elf64.bin" >"$work/elf"
	is_refused "$size bytes of 64-bit file" 'FILE is cut off: the ELF header reaches beyond its end'
done
refused 32 EI_CLASS=0 'FILE is of ELF class 0, and neither of 32 nor of 64 bits'
refused 64 EI_CLASS=3 'FILE is of ELF class 3, and neither of 32 nor of 64 bits'
refused 32 EI_DATA=2 'FILE is big-endian, and x86 is little-endian'
refused 32 EI_DATA=0 'FILE is of an unknown byte order, and x86 is little-endian'
for class in 32 64; do
	refused $class EI_VERSION=2 'FILE is of an unknown ELF version'
	refused $class e_version=0 'FILE is of an unknown ELF version'
	refused $class e_type=0 'FILE is no executable: its e_type is unknown'
	refused $class e_type=1 'FILE is an object file: link it'
	refused $class e_type=3 'FILE is a shared library or position-independent: link it with -static -no-pie'
	refused $class e_type=4 'FILE is a core dump'
	refused $class e_type=0xfe00 'FILE is no executable: its e_type is unknown'
	refused $class e_phnum=0 'FILE has no program headers'
	refused $class e_phnum=0xffff 'FILE has too many program headers'
	refused $class e_phnum=0xfffe 'FILE is cut off: its table of program headers reaches beyond its end'
	refused $class e_phnum=4 'FILE is cut off: its table of program headers reaches beyond its end'
	refused $class e_phoff=-1 'FILE is cut off: its table of program headers reaches beyond its end'
	refused $class e_phoff=-32 'FILE is cut off: its table of program headers reaches beyond its end'
	refused $class e_phoff=$(($(wc -c <"$GUESTS/elf$class.bin") - 2 * (class == 32 ? 32 : 56) + 1)) \
		'FILE is cut off: its table of program headers reaches beyond its end'
done
refused 32 e_machine=62 'FILE is for another machine: its e_machine is 62, and 32-bit x86 is 3'
refused 64 e_machine=3 'FILE is for another machine: its e_machine is 3, and 64-bit x86 is 62'
refused 64 e_machine=183 'FILE is for another machine: its e_machine is 183, and 64-bit x86 is 62'
refused 32 e_phentsize=0 'FILE has program headers of 0 bytes instead of 32'
refused 32 e_phentsize=56 'FILE has program headers of 56 bytes instead of 32'
refused 64 e_phentsize=32 'FILE has program headers of 32 bytes instead of 56'

# The program headers

for class in 32 64; do
	refused $class 1.p_type=3 'FILE is linked dynamically, by its program header 1: link it with -static'
	refused $class 1.p_type=2 'FILE is linked dynamically, by its program header 1: link it with -static'
	refused $class '0.p_type=6 1.p_type=4' 'FILE has nothing to be loaded: no PT_LOAD with a p_memsz'
	refused $class '0.p_filesz=0 0.p_memsz=0 1.p_type=0' 'FILE has nothing to be loaded: no PT_LOAD with a p_memsz'
	refused $class 1.p_memsz=3 'program header 1 of FILE has a p_filesz of 0x4 and a smaller p_memsz of 0x3'
	refused $class '1.p_filesz=9 1.p_memsz=9' 'FILE is cut off: program header 1 reaches beyond its end'
	refused $class 1.p_offset=-1 'FILE is cut off: program header 1 reaches beyond its end'
	refused $class 1.p_offset=-4 'FILE is cut off: program header 1 reaches beyond its end'
	refused $class '1.p_filesz=-1 1.p_memsz=-1' 'FILE is cut off: program header 1 reaches beyond its end'
	refused $class 1.p_paddr=0x100010 'program headers 0 and 1 of FILE overlap at physical address 0x100010'
	refused $class 1.p_paddr=0xffff9 'program headers 1 and 0 of FILE overlap at physical address 0x100000'
	refused $class 1.p_paddr=0x100000 'program headers 0 and 1 of FILE overlap at physical address 0x100000'
	refused $class e_entry=0x200000 'the entry 0x200000 of FILE is in none of its segments'
	refused $class e_entry=0 'the entry 0x0 of FILE is in none of its segments'
	refused $class e_entry=0xfffff 'the entry 0xfffff of FILE is in none of its segments'
	refused $class e_entry=0x201008 'the entry 0x201008 of FILE is in none of its segments'
	fit='do not fit into the guest'"'"'s memory of 67108864 bytes'
	refused $class 1.p_paddr=0x3fffff9 \
		"program header 1 of FILE: 0x8 bytes at physical address 0x3fffff9 $fit: give it more with --memory"
	refused $class 1.p_memsz=0x4000000 \
		"program header 1 of FILE: 0x4000000 bytes at physical address 0x201000 $fit: give it more with --memory"
	refused $class '1.p_paddr=0xc0201000 1.p_vaddr=0xc0201000' \
		"program header 1 of FILE: 0x8 bytes at physical address 0xc0201000 $fit: give it another load address, with AT in the linker script"
done
refused 64 "1.p_paddr=$high 1.p_vaddr=$high" \
	"program header 1 of FILE: 0x8 bytes at physical address 0xffffffff80000000 $fit: give it another load address, with AT in the linker script"
refused 32 1.p_memsz=0xffffffff \
	'program header 1 of FILE has a p_memsz of 0xffffffff that leads beyond the last address from its p_paddr'
refused 32 '1.p_vaddr=-7 1.p_paddr=0x100100' \
	'program header 1 of FILE has a p_memsz of 0x8 that leads beyond the last address from its p_vaddr'
refused 64 '1.p_vaddr=-7' \
	'program header 1 of FILE has a p_memsz of 0x8 that leads beyond the last address from its p_vaddr'
refused 64 '1.p_paddr=-7' \
	'program header 1 of FILE has a p_memsz of 0x8 that leads beyond the last address from its p_paddr'
# The last byte of the address space and of memory are there to be used.
prints 32 1.p_vaddr=-8 "$data
$stack32
halted at 0008:00100014" ''
refused 64 '1.p_paddr=0x3fffff8' \
	'64-bit mode needs 20480 bytes for its tables and the stack at the end of memory, and the image reaches to 0x4000000: give the guest more with --memory'
refused 32 '1.p_paddr=0x3ffdff9' \
	'32-bit mode needs 8192 bytes for its tables and the stack at the end of memory, and the image reaches to 0x3ffe001: give the guest more with --memory'
prints 32 '1.p_paddr=0x3ffdff8' "port 0x0eff <- 0x00000000 (0)
port 0x0eff <- 0x00000000 (0)
$stack32
halted at 0008:00100014" ''

# What cannot be mapped in 64-bit mode
refused 64 "1.p_vaddr=$high+0x201001" \
	'program header 1 of FILE cannot be mapped: its p_vaddr 0xffffffff80201001 has another offset in its page than p_paddr'
canonical='is no address of 64-bit mode with 4 levels of page tables'
refused 64 1.p_vaddr=0x800000000000 \
	"program header 1 of FILE cannot be mapped: its p_vaddr 0x800000000000 $canonical"
refused 64 1.p_vaddr=-0x800000001000 \
	"program header 1 of FILE cannot be mapped: its p_vaddr 0xffff7ffffffff000 $canonical"
refused 64 '1.p_vaddr=0x7ffffffff000 1.p_memsz=0x1001' \
	"program header 1 of FILE cannot be mapped: its p_vaddr 0x7ffffffff000 $canonical"
prints 64 '1.p_vaddr=0x7ffffffff000 1.p_memsz=0x1000' "$data
port 0x0eff <- 0x03ff9000 (67080192)
halted at 0x100018" ''
prints 64 '1.p_vaddr=-0x1000 1.p_memsz=0x1000' "$data
port 0x0eff <- 0x03ff9000 (67080192)
halted at 0x100018" ''
refused 64 "0.p_vaddr=$high 1.p_vaddr=$high" \
	'the page at 0xffffffff80000000, which should be mapped to 0x201000, is another one already'
# None of that matters in 32-bit mode.
prints 64 1.p_vaddr=0x800000000001 "$data
$stack32
halted at 0008:00100018" '' --mode=32

# A segment of two pages, whose second one has the code
file 64 "e_entry=$high+0x101010" "0.p_vaddr=$high+0x100000" 0.p_filesz=0x1028 0.p_memsz=0x1028
dd if="$GUESTS/elf64.bin" of="$work/elf" bs=1 skip=176 seek=$((176 + 4112)) count=24 conv=notrunc status=none
kvmgdb --gdb=none "$work/elf" >"$work/stdout" 2>&1
result $? "two pages: exit status 0"
printf '%s\n' "$data" 'port 0x0eff <- 0x03ff9000 (67080192)' 'halted at 0xffffffff80101028' >"$work/expected"
same "two pages: output" "$work/expected" "$work/stdout"

# Between 3 and 4 GiB there is no memory, and what was linked there is mapped.
if kvmgdb --gdb=none --memory=3200M "$GUESTS/elf64.bin" 2>&1 | grep -q 'this host has only'; then
	skip "more than 3 GiB" "this host has less"
else
	prints 64 '1.p_vaddr=0xfffff000 1.p_memsz=0x1000' "$data
port 0x0eff <- 0xbfff5000 (3221180416)
halted at 0x100018" '' --memory=3200M
	refused 64 '1.p_vaddr=0xfffff000 1.p_memsz=0x1001' \
		'the page at 0x100000000, which should be mapped to 0x202000, is another one already' \
		--memory=3200M
	refused 64 'e_entry=0x100000000 0.p_paddr=0x100000000 0.p_vaddr=0x100000000' \
		'32-bit code cannot begin at 0x100000000, above 4 GiB' --memory=3200M --mode=32
fi

# A file that is larger than memory is one if what is to be loaded is not.
file 32
head -c 4194304 /dev/zero >>"$work/elf"
kvmgdb --gdb=none --memory=3M "$work/elf" >"$work/stdout" 2>&1
result $? "larger than memory: exit status 0"
printf '%s\n' "$data" 'port 0x0eff <- 0x002ff000 (3141632)' 'halted at 0008:00100014' >"$work/expected"
same "larger than memory: output" "$work/expected" "$work/stdout"
file 32 1.p_offset=0x400000
head -c 4194304 /dev/zero >>"$work/elf"
is_refused "behind the part that is read" \
	"FILE is larger than the guest's memory, and program header 1 lies behind that: give it more with --memory" \
	--memory=3M

# A Multiboot header is not acted on if the user has said that the file is an ELF executable.
multiboot='has a Multiboot header, but begins without Multiboot'"'"'s information, in'
# appended NAME PATTERN OFFSET BYTES [OPTION]...: with a header at OFFSET there is a message.
appended() {
	name=$1
	expected=$2
	offset=$3
	printf '%b' "$4" | dd of="$work/elf" bs=1 seek="$offset" conv=notrunc status=none
	shift 4
	kvmgdb --gdb=none --type=elf "$@" "$work/elf" 2>"$work/stderr" >/dev/null
	result $? "$name: exit status 0"
	printf '%s' "${expected:+kvmgdb: $work/elf $multiboot $expected
}" >"$work/expected"
	same "$name: messages" "$work/expected" "$work/stderr"
}
one=$(bytes 4 0x1badb002)$(bytes 4 3)$(bytes 4 -0x1badb002-3)
two=$(bytes 4 0xe85250d6)$(bytes 4 0)$(bytes 4 24)$(bytes 4 -0xe85250d6-24)
hint='64-bit mode; --mode=32 is the mode that Multiboot begins in'
file 32
appended "Multiboot 1" '32-bit mode' 8180 "$one"
file 32
appended "Multiboot 1, too late" '' 8192 "$one"
file 32
appended "Multiboot 1, not aligned" '' 4098 "$one"
file 32
appended "Multiboot 1, another sum" '' 4096 "$(bytes 4 0x1badb002)$(bytes 4 2)$(bytes 4 -0x1badb002-3)"
file 32
appended "Multiboot 1, cut off" '' 4096 "$(bytes 4 0x1badb002)$(bytes 4 -0x1badb002)"
file 64
appended "Multiboot 1, 64 bits" "$hint" 4096 "$one"
file 64
appended "Multiboot 1, 64 bits, --mode" '32-bit mode' 4096 "$one" --mode=32
file 64
appended "Multiboot 2" "$hint" 32752 "$two"
file 64
appended "Multiboot 2, too late" '' 32768 "$two"
file 64
appended "Multiboot 2, not aligned" '' 4100 "$two"

# Symbols

need_gdb
need_guest kernel32.elf
printf 'info symbol 0x100000\n' >"$work/script"
# symbols NAME PATTERN [ARG]...: what gdb says of the address of the first instruction.
symbols() {
	name=$1
	pattern=$2
	shift 2
	kvmgdb "$@" -- "$GDB" -nx -q -batch -x "$work/script" >"$work/out" 2>&1
	grep -q "^$pattern" "$work/out"
	result $? "$name: $pattern"
	comment <"$work/out"
}
symbols "the image's own symbols" 'start in section .text' "$GUESTS/kernel32.elf"
symbols "those of another file" 'No symbol matches' --symbols="$GUESTS/kernel64-high.elf" "$GUESTS/kernel32.elf"
symbols "another offset" 'No symbol matches' --symbols-offset=0x1000 "$GUESTS/kernel32.elf"
symbols "an offset to where it begins" 'start in section .text' --symbols-offset=-0xc0000000 \
	"$GUESTS/kernel32-high.elf"
printf 'info address weights\n' >"$work/script"
symbols "an offset for all sections" 'Symbol "weights" is at 0x21000 ' --symbols-offset=0x20000 \
	"$GUESTS/moved.elf32"
printf 'info symbol 0x100000\n' >"$work/script"
symbols "a raw image" 'No symbol' --type=raw "$GUESTS/kernel32.elf"
mkfifo "$work/pipe"
cat "$GUESTS/kernel32.elf" >"$work/pipe" &
symbols "a pipe" 'No symbol' "$work/pipe"
wait
finish
