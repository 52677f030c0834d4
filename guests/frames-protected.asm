; Procedures that call each other in 16-bit protected mode, after `call outer`. A debugger should show who called whom,
; three deep at 0x1033, and come to 0x1025 when all of them are finished.

	bits 16
	org 0x1000

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x8000
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:.protected
.protected:
	mov bx, 0x10
	mov ss, bx
	mov ds, bx
	call outer
	nop
	hlt

outer:	nop
	call middle
	ret

middle:	push ax
	call far [inner_far]
	pop ax
	ret

inner:	nop
	retf

inner_far: dw inner, 8

	align 4
gdt:	dq 0
	dq 0x00009a000000ffff
	dq 0x000092000000ffff
.end:
gdtr:	dw gdt.end - gdt - 1
	dd gdt
