; A boot sector that goes from real mode through 32-bit protected mode to 64-bit mode, with a letter
; to the console in each: R, P, C (64-bit paging is on, the code still 32-bit) and L.
;
; A debugger should see 16-, 32- and 64-bit instructions at `start`, `protected` and `wide`, with the
; registers of each mode, 0x1122334455667788 in RAX and at 0x8000 in the end, and the halt.

	bits 16
%ifidn __OUTPUT_FORMAT__, bin
	org 0x7c00		; else the linker's
%endif
	global start

start:	cli
	mov al, 'R'
	out 0xe9, al
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 0x08:protected

	bits 32
	align 16, nop
protected:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, 0x9000
	mov al, 'P'
	out 0xe9, al
	mov edi, tables		; three of 4 KiB each, for the first 2 MiB
	xor eax, eax
	mov ecx, 0x3000 / 4
	cld
	rep stosd
	mov dword [tables], tables + 0x1000 + 3
	mov dword [tables + 0x1000], tables + 0x2000 + 3
	mov dword [tables + 0x2000], 0x83
	mov eax, cr4
	or eax, 0x20		; PAE
	mov cr4, eax
	mov eax, tables
	mov cr3, eax
	mov ecx, 0xc0000080	; EFER
	rdmsr
	or eax, 0x100		; LME
	wrmsr
	mov eax, cr0
	or eax, 0x80000000	; PG
	mov cr0, eax
	mov al, 'C'
	out 0xe9, al
	jmp 0x18:wide

	bits 64
	align 16, nop
wide:	mov al, 'L'
	out 0xe9, al
	mov rax, 0x1122334455667788
	mov [0x8000], rax
	mov r8d, 3
next:	dec r8
	jnz next
	hlt

	align 8
gdt:	dq 0
	dq 0x00cf9a000000ffff	; 0x08: 32-bit code
	dq 0x00cf92000000ffff	; 0x10: data
	dq 0x00af9a000000ffff	; 0x18: 64-bit code
gdtr:	dw $ - gdt - 1
	dd gdt

tables	equ 0x10000

	times 510-($-$$) db 0
	dw 0xaa55
