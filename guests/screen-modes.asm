; A PC's text screen: pages, 40 columns, 50 rows, cursors. A debugger should see them at `page`,
; 0x1010, and each 16 bytes behind it.

	bits 16
	org 0x1000

start:	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x1000
	jmp go
	align 16, db 0x90
page:	jmp back
	align 16, db 0x90
scrolled: jmp back2
	align 16, db 0x90
narrow:	jmp forty
	align 16, db 0x90
many:	jmp fifty
	align 16, db 0x90
hidden:	hlt

go:	mov bh, 2			; page 2 is written while page 0 is shown
	mov dx, 0x0203
	mov ah, 0x02
	int 0x10
	mov ax, 0x0950
	mov bl, 0x1f
	mov cx, 4
	int 0x10
	mov si, two			; goes to the page that is shown
.two:	lodsb
	mov ah, 0x0e
	int 0x10
	cmp al, '!'
	jne .two
	mov ax, 0x0502
	int 0x10
	mov ax, 0x0e32
	int 0x10
	mov ah, 0x03			; the cursor of page 2, which is at 2, 4 now
	mov bh, 2
	int 0x10
	mov al, dl
	add al, '0'
	mov ah, 0x0e
	int 0x10
	mov ah, 0x0f			; 80 columns, mode 3, page 2
	int 0x10
	mov bl, al
	mov al, ah
	call hex
	mov al, bl
	call hex
	mov al, bh
	call hex
	jmp page
back:	mov dx, 0x3d4			; page 0 again, by hand, but for its first row
	mov ax, 0x000c
	out dx, ax
	mov ax, 0x500d
	out dx, ax
	jmp scrolled
back2:	mov ax, 0x0001			; 40 columns
	int 0x10
	mov cx, 42
.next:	mov ax, 0x0e2b
	int 0x10
	loop .next
	jmp narrow
forty:	mov ax, 0x0003			; 80 columns and 50 rows
	int 0x10
	mov ax, 0x1112
	mov bl, 0
	int 0x10
	mov cx, 52
.row:	mov al, cl
	call hex
	mov ax, 0x0e0d
	int 0x10
	mov ax, 0x0e0a
	int 0x10
	loop .row
	jmp many
fifty:	mov ah, 0x01			; no cursor; what was there stays, in 50 rows of 0x83: mode 3
	mov cx, 0x2000
	int 0x10
	mov ax, 0x0083
	int 0x10
	mov ah, 0x01
	mov cx, 0x2000
	int 0x10
	jmp hidden

two:	db "first row", 13, 10, "second row!"

hex:	push ax
	aam 16
	xchg al, ah
	call digit
	pop ax
	aam 16
digit:	push ax
	add al, '0'
	cmp al, '9'
	jbe .put
	add al, 7
.put:	mov ah, 0x0e
	int 0x10
	pop ax
	ret
