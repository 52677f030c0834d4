; A boot sector with a handler of its own for the keyboard, which has interrupts on for a moment only, again and again, as a
; kernel's scheduler has. It prints the scan codes.
;
; A debugger should see the flag IF off nearly wherever it stops.

	bits 16
	org 0x7c00

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	cli
	mov word [9 * 4], on_key
	mov word [9 * 4 + 2], 0
again:	sti
	nop
	nop
	cli
	mov cx, 200
busy:	in al, 0x80
	loop busy
	mov al, [key]
	test al, al
	jz again
	mov byte [key], 0
	push ax
	aam 16
	xchg al, ah
	call digit
	xchg al, ah
	call digit
	mov al, ' '
	out 0xe9, al
	pop ax
	cmp al, 0x9c			; Enter is up again
	jne again
	mov al, 10
	out 0xe9, al
	hlt

digit:	cmp al, 10
	sbb al, 0x69
	das
	out 0xe9, al
	ret

on_key:	push ax
	in al, 0x60
	mov [key], al
	mov al, 0x20
	out 0x20, al
	pop ax
	iret

key:	db 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
