; A PC's text screen: 30 rows by function 0Eh, so that it scrolls, then windows that are scrolled and cleared.

	bits 16
	org 0x1000

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x1000
	mov ax, 0xb800
	mov es, ax
	mov byte [es:24 * 160 + 1], 0x1f	; what comes below gets this attribute
	mov cx, 30
	mov bl, 0
.row:	inc bl
	mov al, bl
	aam
	add ax, "00"
	xchg al, ah
	call put
	mov al, ah
	call put
	mov dx, 5
.text:	mov al, ' '
	call put
	mov al, bl
	aam
	add al, 'a'
	call put
	dec dx
	jnz .text
	mov al, 13
	call put
	mov al, 10
	call put
	loop .row
	mov ax, 0x0602			; up by 2 rows, columns 3 to 4 of rows 2 to 6
	mov bh, 0x2e
	mov cx, 0x0203
	mov dx, 0x0604
	int 0x10
	mov ax, 0x0701			; down by 1, columns 5 to 8 of rows 10 to 13
	mov cx, 0x0a05
	mov dx, 0x0d08
	int 0x10
	mov ax, 0x0600			; cleared: what is beyond the screen does not count
	mov bh, 0x07
	mov cx, 0x120a
	mov dx, 0xffff
	int 0x10
	mov ax, 0x0609			; the window has fewer rows
	mov cx, 0x1000
	mov dx, 0x1100
	int 0x10
	mov ax, 0x0601			; no window at all
	mov cx, 0x0500
	mov dx, 0x0450
	int 0x10
	mov al, [es:23 * 160 + 1]	; the attribute of a row that has scrolled in
	out 0xe9, al
	mov al, [es:2]			; a cell of the first row
	out 0xe9, al
	mov al, 10
	out 0xe9, al
	hlt

put:	push ax
	mov ah, 0x0e
	int 0x10
	pop ax
	ret
