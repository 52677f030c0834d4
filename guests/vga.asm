; A VGA's registers and INT 10h's for colours: what is written is read back, and a wait for a retrace ends.
; Port 0xE9 gets it, in hexadecimal: a line for each subject.

	bits 16
	org 0x1000

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x1000
	mov dx, 0x3c8			; the DAC: two colours in a row
	mov al, 0x40
	out dx, al
	inc dx
	mov si, colours
	mov cx, 6
	cld
	rep outsb
	mov ax, 0x1015			; the second by the BIOS
	mov bx, 0x41
	int 0x10
	mov al, dh
	call hex
	mov al, ch
	call hex
	mov al, cl
	call hex
	mov dx, 0x3c7
	mov al, 0x40
	out dx, al
	in al, dx			; the DAC is being read
	call hex
	mov dx, 0x3c9
	mov cx, 4
.dac:	in al, dx
	call hex
	loop .dac
	call line
	mov ax, 0x1012			; three colours by a table
	mov bx, 0x50
	mov cx, 3
	mov dx, colours - 3
	int 0x10
	mov ax, 0x1017
	mov bx, 0x51
	mov cx, 1
	mov dx, buffer
	int 0x10
	mov si, buffer
	mov cx, 3
	call dump
	mov dx, 0x3da			; the attribute controller: the index first, again
	in al, dx
	mov dx, 0x3c0
	mov al, 0x31
	out dx, al
	mov al, 0x2a
	out dx, al
	mov ax, 0x1008			; the border is that now
	int 0x10
	mov al, bh
	call hex
	mov ax, 0x1000
	mov bx, 0x3b02
	int 0x10
	mov ax, 0x1003
	mov bl, 0
	int 0x10
	mov ax, 0x1009
	mov dx, buffer
	int 0x10
	mov si, buffer
	mov cx, 17
	call dump
	mov ah, 0x02			; the cursor, as the CRT controller has it
	mov bh, 0
	mov dx, 0x0a14
	int 0x10
	mov dx, 0x3d4
	mov al, 0x0e
	out dx, al
	inc dx
	in al, dx
	call hex
	dec dx
	mov ax, 0x0f
	out dx, al
	inc dx
	in al, dx
	call hex
	dec dx
	mov ax, 0xff06			; protected
	out dx, ax
	inc dx
	in al, dx
	call hex
	mov dx, 0x3b5			; of a monochrome screen: nobody
	in al, dx
	call hex
	call line
	mov ax, 0x1a00			; a VGA
	int 0x10
	call hex
	mov al, bl
	call hex
	mov ah, 0x12
	mov bl, 0x10
	int 0x10
	mov al, bh
	call hex
	mov al, bl
	call hex
	mov al, cl
	call hex
	mov ax, 0x4f00			; without VESA
	int 0x10
	cmp ax, 0x004f
	mov al, 0
	sete al
	call hex
	mov ax, 0x1130			; the 8x8 font: the letter A's first row is not blank
	mov bh, 3
	int 0x10
	mov al, [es:bp + 'A' * 8 + 3]
	test al, al
	setnz al
	call hex
	mov al, cl
	call hex
	mov al, dl
	call hex
	xor ax, ax
	mov es, ax
	mov ax, 0x1b00			; 64 bytes of state
	xor bx, bx
	mov di, buffer
	int 0x10
	call hex
	mov si, buffer + 4
	mov cx, 3
	call dump
	mov dx, 0x3da			; 70 retraces are a second, which is 18 ticks
	mov bx, [0x46c]
	mov dx, 0x3da
	mov cx, 70
	sti
.on:	in al, dx
	test al, 8
	jnz .on
.off:	in al, dx
	test al, 8
	jz .off
	loop .on
	cli
	mov ax, [0x46c]
	sub ax, bx
	call hex
	mov cx, 200			; and lines end
.shown:	in al, dx
	test al, 1
	jz .shown
.blank:	in al, dx
	test al, 1
	jnz .blank
	loop .shown
	mov al, cl
	call hex
	call line
	hlt

dump:	lodsb
	call hex
	loop dump
line:	mov al, 10
	out 0xe9, al
	ret

hex:	push ax
	push ax
	aam 16
	xchg al, ah
	call digit
	pop ax
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

	db 0, 0, 0
colours: db 1, 2, 3, 0x3d, 0x3e, 0xff
buffer:	times 64 db 0
