; A PC's graphics modes: in each, text is drawn, read back and scrolled, and pixels are written and read. What
; comes back goes to port 0xE9: a line for each mode.

	bits 16
	org 0x1000

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x1000
	mov si, modes
.mode:	lodsb
	cmp al, 0xff
	je .end
	mov [mode], al
	mov ah, 0x00
	int 0x10
	mov al, [mode]
	call hex
	; "AZ" by 0Eh in colour 3 and by 09h in colour 1, two rows below
	mov bx, 0x0003
	mov ax, 0x0e41
	int 0x10
	mov ax, 0x0e0a
	int 0x10
	mov ax, 0x0e0a
	int 0x10
	mov ax, 0x095a
	mov bx, 0x0001
	mov cx, 2
	int 0x10
	call read			; Z
	mov ax, 0x0601			; up by a row
	mov bh, 0
	xor cx, cx
	mov dx, 0x1827
	int 0x10
	call read			; nothing
	mov dx, 0x0102
	call place
	call read			; Z
	mov ax, 0x0941			; in XOR mode, but with 256 colours
	mov bx, 0x0081
	mov cx, 1
	int 0x10
	mov ax, 0x0941
	int 0x10
	call read			; Z again, or A
	; pixels
	mov ax, 0x0c01
	mov bh, 0
	mov cx, 101
	mov dx, 99
	int 0x10
	mov ax, 0x0c83			; XOR
	int 0x10
	mov ah, 0x0d
	int 0x10
	call hex
	dec cx
	mov ah, 0x0d
	int 0x10
	call hex			; its neighbour
	mov ax, 0x0cff			; outside
	mov cx, 640
	mov dx, 480
	int 0x10
	mov ah, 0x0d
	int 0x10
	call hex
	mov al, 10
	out 0xe9, al
	jmp .mode
.end:	hlt

place:	mov ah, 0x02
	mov bh, 0
	int 0x10
	ret

read:	mov ah, 0x08
	mov bh, 0
	int 0x10
	out 0xe9, al
	ret

hex:	push ax
	mov al, ' '
	out 0xe9, al
	pop ax
	push ax
	aam 16
	xchg al, ah
	call digit
	pop ax
	push ax
	aam 16
	call digit
	mov al, ' '
	out 0xe9, al
	pop ax
	ret
digit:	push ax
	add al, '0'
	cmp al, '9'
	jbe .put
	add al, 7
.put:	out 0xe9, al
	pop ax
	ret

modes:	db 0x04, 0x05, 0x06, 0x0d, 0x0e, 0x10, 0x11, 0x12, 0x13, 0xff
mode:	db 0
