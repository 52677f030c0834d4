; The same keys in three other ways: the type-ahead is emptied and INT 16h AH=01h polled for two; interrupts are off
; and the controller polled for four bytes, from a release on; a handler of its own hears two, and hands them on to the BIOS. A line each.
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
flush:	mov ah, 1
	int 0x16
	jz polled
	mov ah, 0
	int 0x16
	jmp flush
polled:	mov cx, 2
.wait:	mov ah, 1
	int 0x16
	jz .wait
	mov ah, 0
	int 0x16
	call char_out
	loop .wait
	call line_out

	cli
	mov cx, 4		; with the releases
.ports:	in al, 0x64
	test al, 1
	jz .ports
	in al, 0x60
	call byte_out
	loop .ports
	call line_out

	mov ax, [9 * 4]
	mov [old], ax
	mov ax, [9 * 4 + 2]
	mov [old + 2], ax
	mov word [9 * 4], heard
	mov word [9 * 4 + 2], 0
	sti
.own:	cmp byte [count], 4
	jne .own
	call line_out
	mov cx, 2
.left:	mov ah, 0
	int 0x16
	call char_out
	loop .left
	call line_out
	cli
	hlt

heard:	push ax
	in al, 0x60
	call byte_out
	inc byte [count]
	pop ax
	jmp far [old]
old:	dd 0
count:	db 0

line_out:
	mov al, 10
	jmp char_out
byte_out:
	push ax
	shr al, 4
	call digit_out
	pop ax
	and al, 15
digit_out:
	add al, '0'
	cmp al, '9'
	jbe char_out
	add al, 'a' - '0' - 10
char_out:
	mov ah, 0x0e
	push bx
	int 0x10
	pop bx
	ret
	times 510 - ($ - $$) db 0
	dw 0xaa55
