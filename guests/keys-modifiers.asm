; A boot sector that looks whether Shift is down, by INT 16h AH=02 without end, then whether Ctrl and Alt are, once in a
; tick of the timer. It takes no key, and prints a dot when it has seen Shift, and one when it has seen both others.
;
; A debugger should see them come up in bits 1 to 3 of $al behind INT 16h.

	bits 16
	org 0x7c00

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
look:	mov ah, 2
	int 0x16
	or [seen], al
	test byte [seen], 0x02
	jz look
	mov al, '.'
	out 0xe9, al

	cli
	mov word [0x1c * 4], on_tick
	mov word [0x1c * 4 + 2], 0
	sti
	mov byte [seen], 0
again:	hlt
	mov al, [seen]
	and al, 0x0c
	cmp al, 0x0c
	jne again
	mov al, '.'
	out 0xe9, al
	mov al, 10
	out 0xe9, al
	cli
	hlt

on_tick:
	push ax
	mov ah, 2
	int 0x16
	or [cs:seen], al
	pop ax
	iret

seen:	db 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
