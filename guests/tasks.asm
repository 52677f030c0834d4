; A boot sector with something of everything that is debugged in one, for the comparison in doc/compared.md:
; at 07c0:0000 calls, an interrupt and a variable, then 32-bit protected mode and 64-bit mode.
;
; nasm -f bin makes the guest, nasm -f elf32 -g -F dwarf its symbols and lines.

	bits 16
	global entry, start, next, int60, count, handler, value, protected, wide, gdt
%ifidn __OUTPUT_FORMAT__, bin
	org 0
%endif

base	equ 0x7c00

entry:	jmp 0x07c0:start - entry
start:	xor ax, ax
	mov ss, ax
	mov sp, base
	mov word [ss:0x60 * 4], handler - entry
	mov [ss:0x60 * 4 + 2], cs
	push cs
	pop ds
	mov cx, 3
next:	call count
	loop next
int60:	int 0x60
	cli
	lgdt [gdtr - entry]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp dword 0x08:base + protected - entry

count:	push bp
	mov bp, sp
	inc word [value - entry]
	pop bp
	ret

handler:
	push ax
	mov al, '!'
	out 0xe9, al
	pop ax
	iret

	bits 32
protected:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, 0x9000
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
	jmp 0x18:base + wide - entry

	bits 64
wide:	mov rax, 0x1122334455667788
	dec r8
.end:	hlt
	jmp .end

	align 8
gdt:	dq 0
	dq 0x00cf9a000000ffff	; 0x08: 32-bit code
	dq 0x00cf92000000ffff	; 0x10: data
	dq 0x00af9a000000ffff	; 0x18: 64-bit code
gdtr:	dw $ - gdt - 1
	dd base + gdt - entry
value:	dw 0

tables	equ 0x10000

	times 510-($-entry) db 0
	dw 0xaa55
