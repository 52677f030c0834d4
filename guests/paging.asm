; 64-bit code, for --mode=64, that makes page tables in which pages are not where they seem to be:
;
;	0x000000	the first 4 MiB, where they are
;	0x400000	the page at 0x201000
;	0x401000	the page at 0x200000
;	0x402000	nothing
;	0x403000	the page at 0x202000, read-only
;	0x404000	a page at 0x30000000, where there is no memory
;	0xffffffff80000000	the first 4 MiB again
;
; A debugger should see 0x11223344 at 0x400ffe, 0x3344 at physical 0x201ffe and 0x1122 at 0x200000,
; and the code at 0x1000 at 0xffffffff80001000, too; the halt is there.

	bits 64
	org 0x1000

tables	equ 0x10000

start:	mov edi, tables
	mov ecx, 0x5000 / 8
	xor eax, eax
	cld
	rep stosq
	mov qword [tables], tables + 0x1003
	mov qword [tables + 511 * 8], tables + 0x1003
	mov qword [tables + 0x1000], tables + 0x2003
	mov qword [tables + 0x1000 + 510 * 8], tables + 0x2003
	mov qword [tables + 0x2000], 0x83
	mov qword [tables + 0x2000 + 8], 0x200083
	mov qword [tables + 0x2000 + 2 * 8], tables + 0x3003
	mov qword [tables + 0x3000 + 0 * 8], 0x201003
	mov qword [tables + 0x3000 + 1 * 8], 0x200003
	mov qword [tables + 0x3000 + 3 * 8], 0x202001
	mov qword [tables + 0x3000 + 4 * 8], 0x30000003
	mov rax, tables
	mov cr3, rax
	mov dword [0x400ffe], 0x11223344
	mov rax, high_half
	jmp rax
high_half equ 0xffffffff80000000 + $
	mov edx, [0x400ffe]
	hlt
