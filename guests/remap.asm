; 64-bit code, for --mode=64, that maps one page after the other at 0x200000 and calls what is there: first that
; at 0x3000, then, by another entry in the page table, that at 0x4000, then, by other page tables, that at
; 0x5000. Behind each change it ends a line of text.
;
; A debugger that has set breakpoints at 0x200000 and 0x200003 once `ready` is reached should be stopped at both,
; three times, with RAX 0, 1, 1, 0x11, 0x11 and 0x51, which is what the halt has, too.

	bits 64
	org 0x1000

tables	equ 0x10000
others	equ 0x20000
place	equ 0x200000

start:	cld
	mov esp, 0x8000
	mov edi, tables
	mov r8d, 0x3003
	call build
	mov edi, others
	mov r8d, 0x5003
	call build
	mov eax, tables
	mov cr3, rax
	xor eax, eax
ready:	mov ebx, place
	call rbx
	mov dword [tables + 0x3000], 0x4003
	invlpg [rbx]
	call line
	call rbx
	mov ecx, others
	mov cr3, rcx
	call line
	call rbx
	hlt

line:	push rax
	mov al, 10
	out 0xe9, al
	pop rax
	ret

; Tables at RDI that map the first 2 MiB where they are, and R8 at `place`.
build:	mov ebx, edi
	mov ecx, 0x4000 / 8
	xor eax, eax
	rep stosq
	lea eax, [rbx + 0x1003]
	mov [rbx], rax
	lea eax, [rbx + 0x2003]
	mov [rbx + 0x1000], rax
	lea eax, [rbx + 0x3003]
	mov qword [rbx + 0x2000], 0x83
	mov [rbx + 0x2008], rax
	mov [rbx + 0x3000], r8
	ret

	times 0x2000-($-$$) db 0x90
	add eax, 1
	nop
	ret
	times 0x3000-($-$$) db 0x90
	add eax, 0x10
	nop
	ret
	times 0x4000-($-$$) db 0x90
	add eax, 0x40
	nop
	ret
