; A PC's text screen: every way to put text there, each on rows of its own, then halts.
;
; `monitor screen` should show it. What functions 0Eh and 13h of INT 10h write is on the console, too.

	bits 16
	org 0x1000

start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x1000
	; 0Eh: control characters, and a line that is too long
	mov si, teletyped
	call print
	; 09h writes with an attribute, 0Ah keeps it; the cursor stays
	mov dx, 0x0500
	call move
	mov ax, 0x0931
	mov bx, 0x001e
	mov cx, 10
	int 0x10
	mov dx, 0x0502
	call move
	mov ax, 0x0a32
	mov bx, 0x0070
	mov cx, 3
	int 0x10
	; 08h reads "2" and yellow on blue: they are written once more by 09h
	mov ah, 0x08
	mov bh, 0
	int 0x10
	mov dx, 0x0514
	call move
	mov bl, ah
	mov ah, 0x09
	mov cx, 5
	int 0x10
	; 13h: the cursor stays, or moves; attributes from BL, or from the string
	mov bp, plain
	mov ax, 0x1300
	mov bx, 0x0002
	mov cx, plain.end - plain
	mov dx, 0x0700
	int 0x10
	mov ax, 0x1301
	mov dx, 0x074c			; over the end of the row
	int 0x10
	mov bp, coloured
	mov ax, 0x1303
	mov cx, (coloured.end - coloured) / 2
	mov dx, 0x0a00
	int 0x10
	mov al, '.'			; where the cursor is now
	mov ah, 0x0e
	int 0x10
	; the memory
	mov ax, 0xb800
	mov es, ax
	mov di, 13 * 160
	mov si, direct
	mov ah, 0x4f
.next:	lodsb
	stosw
	cmp al, 0
	jne .next
	mov dx, 0x0f05
	call move
	hlt

move:	mov ah, 0x02
	mov bh, 0
	int 0x10
	ret

print:	lodsb
	test al, al
	jz .end
	mov ah, 0x0e
	mov bx, 0x7f05			; neither counts in text modes
	int 0x10
	jmp print
.end:	ret

teletyped: db "over", 13, "l", 10, 10, "x", 8, "y", 8, 8, 8, 8, 7, "z", 13, 10
	times 80 db "-"
	db "wrapped", 0x9c, 1, 13, 10, 0
plain:	db "a string"
.end:
coloured: db "c", 0x1f, "o", 0x2f, "l", 0x3f, 13, 0x07, 10, 0x07, "o", 0x4f, "r", 0x5f
.end:
direct:	db 0xc9, 0xcd, 0xbb, " B800 ", 0xe1, 0xfb, 0
