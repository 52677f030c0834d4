; Echoes keys: prints what INT 16h AH=10h returns and the shift flags, "1e61 00" a line, until Esc; then halts for good.
;
; A debugger should see a step on the INT 16h (0x7c0b) go into the BIOS's stub, the key in $ax behind it, and Ctrl-C
; while it waits stop at the INT.
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
next:	mov ah, 0x10
	int 0x16
	mov bx, ax
	mov al, bh
	call byte_out
	mov al, bl
	call byte_out
	mov al, ' '
	call char_out
	mov al, [0x417]
	call byte_out
	mov al, 10
	call char_out
	cmp bx, 0x011b
	jne next
	cli
	hlt

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
