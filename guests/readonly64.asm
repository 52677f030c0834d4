; 64-bit code, for --mode=64, that stores a floating-point number in a page that may only be read, with CR0.WP set, and
; has no handler for what comes of it. An 'x' means that the instruction was carried out.

	bits 64
	org 0x1000

	mov edi, 0x10000		; tables: 2 MiB to be written, 2 MiB to be read
	xor eax, eax
	mov ecx, 0x3000 / 8
	rep stosq
	mov dword [0x10000], 0x11003
	mov dword [0x11000], 0x12003
	mov dword [0x12000], 0x83
	mov dword [0x12008], 0x200081
	mov rax, cr0
	or eax, 0x10000
	mov cr0, rax
	mov eax, 0x10000
	mov cr3, rax
	fninit
	fld1
	mov ebx, 0x200000
	fstp qword [rbx]
	mov al, 'x'
	out 0xe9, al
	hlt
