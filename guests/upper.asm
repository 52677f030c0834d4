; 32-bit code, for --mode=32, that goes to 64-bit code in the upper half: the first 2 MiB are mapped at 0 and at
; FFFFFFFF80000000h.
;
; A debugger that has set a breakpoint at 0xffffffff80001100 while this is 32-bit code should stop there, with 1 in
; $rax, and then, if it has a condition, with 2.

	bits 32
	org 0x1000

tables	equ 0x10000			; PML4, PDPT, page directory

	mov edi, tables
	xor eax, eax
	mov ecx, 0x3000 / 4
	rep stosd
	mov dword [tables], tables + 0x1003
	mov dword [tables + 511 * 8], tables + 0x1003
	mov dword [tables + 0x1000], tables + 0x2003
	mov dword [tables + 0x1000 + 510 * 8], tables + 0x2003
	mov dword [tables + 0x2000], 0x83
	mov eax, tables
	mov cr3, eax
	mov eax, cr4
	or eax, 0x20			; PAE
	mov cr4, eax
	mov ecx, 0xc0000080		; EFER
	rdmsr
	or eax, 0x100			; LME
	wrmsr
	lgdt [gdtr]
	mov eax, cr0
	or eax, 0x80000000		; PG
	mov cr0, eax
	jmp 8:begin64

	bits 64
begin64:	mov esp, 0x8000
	mov rbx, 0xffffffff80001100
	xor eax, eax
	inc eax
	call rbx
	inc eax
	call rbx
	hlt

	align 8
gdt:	dq 0
	dq 0x00209a0000000000
.end:
gdtr:	dw gdt.end - gdt - 1
	dd gdt

	times 0x100 - ($ - $$) nop
	nop				; 0x1100
	ret
