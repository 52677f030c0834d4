; A kernel in a boot sector that goes from real mode to 64-bit mode at once, without 32-bit code in between, and writes
; to the screen there. (modes.asm takes the long way, for breakpoints on each leg of it.)
;
; A debugger should see real mode at 0x7c00, 64-bit mode at `wide` (0x7c70), a breakpoint there that was set in real
; mode hit, and 'k' and its colour, 0x0f6b, in $ax when it halts.

	bits 16
	org 0x7c00

	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	mov di, tables
	mov cx, 0x3000 / 4
	xor eax, eax
	cld
	rep stosd
	mov dword [tables], tables + 0x1003
	mov dword [tables + 0x1000], tables + 0x2003
	mov dword [tables + 0x2000], 0x83	; the first 2 MiB, as they are
	mov eax, 0x20		; PAE
	mov cr4, eax
	mov eax, tables
	mov cr3, eax
	mov ecx, 0xc0000080	; EFER: LME
	rdmsr
	or ah, 1
	wrmsr
	lgdt [gdtr]
	mov eax, cr0
	or eax, 0x80000001	; PG and PE
	mov cr0, eax
	jmp 0x08:wide

	times 0x70 - ($ - $$) db 0x90
	bits 64
wide:	xor eax, eax		; at 0x7c70
	mov ss, eax
	mov ds, eax
	mov es, eax
	mov esp, 0x7c00
	mov esi, text
	mov edi, 0xb8000 + 160 * 2
	mov ah, 0x0f
.next:	lodsb
	test al, al
	jz .end
	stosw
	jmp .next
.end:	mov ax, [0xb8000 + 160 * 2]
	hlt

text:	db 'kernel in 64-bit mode', 0
	align 8, db 0
gdt:	dq 0
	dq 0x00209a0000000000	; 64-bit code
gdtr:	dw $ - gdt - 1
	dd gdt

tables	equ 0x9000

	times 510 - ($ - $$) db 0
	dw 0xaa55
