; A picture in one mode of the VGA after the other; a breakpoint at `shown` sees each of them complete.
; Run with --type=raw --machine=pc --load=0x7c00.

	bits 16
	org 0x7c00

	jmp start
	times 4 - ($ - $$) nop
shown:	ret			; at 0x7c04

%macro out_index 2		; port, value << 8 | index
	mov dx, %1
	mov ax, %2
	out dx, ax
%endmacro

start:	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	cld

; All characters, and all colours behind them.
	mov ax, 0x0003
	int 0x10
	mov ax, 0xb800
	mov es, ax
	xor ax, ax
	mov ah, 0x07
	mov bx, 2 * 80 + 4	; the cell
.row:	mov cx, 32
.cell:	mov di, bx
	shl di, 1
	stosw
	inc al
	add bx, 2
	loop .cell
	add bx, 80 - 64
	test al, al
	jnz .row
	xor bx, bx
.colour:
	mov ax, bx
	mov ah, al
	mov al, 'A'
	mov di, bx
	and di, 0x0f
	shl di, 2
	push di
	mov di, bx
	shr di, 4
	imul di, 160
	add di, 160 * 12 + 10
	pop dx
	add di, dx
	stosw
	stosw
	inc bx
	cmp bx, 0x80
	jb .colour
	mov si, box
	mov di, 160 * 12 + 100
	mov dx, 5
.line:	mov cx, 5
	mov ah, 0x1e
.char:	lodsb
	stosw
	loop .char
	add di, 160 - 10
	dec dx
	jnz .line
	mov si, text
	mov di, 160 * 22 + 10
	mov ah, 0x0f
.text:	lodsb
	test al, al
	jz .done
	stosw
	jmp .text
.done:	mov ah, 2
	mov bh, 0
	mov dx, 22 << 8 | 60
	int 0x10
	call shown

; The same in 50 lines of the font with 8 rows, with bright backgrounds, and a character of its own.
	mov ax, 0x1112
	mov bl, 0
	int 0x10
	mov ax, 0x1003
	mov bl, 0
	int 0x10
	mov ax, ds
	mov es, ax
	mov bp, heart
	mov cx, 1
	mov dx, 'A'
	mov bx, 0x0800
	mov ax, 0x1100
	int 0x10
	mov ax, 0xb800
	mov es, ax
	mov di, 160 * 49
	mov cx, 80
	mov ax, 0xf1b2
	rep stosw
	call shown

; 40 columns.
	mov ax, 0x0001
	int 0x10
	mov si, text
	call print
	call shown

; 256 colours.
	mov ax, 0x0013
	int 0x10
	mov ax, 0xa000
	mov es, ax
	xor di, di
	mov cx, 64000
	mov al, 0
.fill:	stosb
	inc al
	loop .fill
	mov dx, 0x3c8		; colour 255
	mov al, 255
	out dx, al
	inc dx
	mov al, 63
	out dx, al
	xor al, al
	out dx, al
	mov al, 32
	out dx, al
	mov si, text
	mov bl, 0x0f
	call print
	call shown

; The same memory as four planes: 320x240, with the picture of before in its upper part, two rectangles, and a split.
	out_index 0x3c4, 0x0604
	out_index 0x3d4, 0x0014
	out_index 0x3d4, 0xe317
	mov dx, 0x3c2
	mov al, 0xe3
	out dx, al
	out_index 0x3d4, 0x2c11
	out_index 0x3d4, 0x0d06
	out_index 0x3d4, 0x3e07
	out_index 0x3d4, 0xea10
	out_index 0x3d4, 0xac11
	out_index 0x3d4, 0xdf12
	out_index 0x3d4, 0xe715
	out_index 0x3d4, 0x0616
	out_index 0x3c4, 0x0f02
	mov di, 80 * 60 + 20
	mov al, 4
	call square
	out_index 0x3c4, 0x0502
	mov di, 80 * 100 + 40
	mov al, 14
	call square
	call shown
	out_index 0x3d4, 0xa418 ; the split: line 420 shows address 0
	out_index 0x3d4, 0x1f07
	out_index 0x3d4, 0x0109
	out_index 0x3d4, 0x040c
	call shown

; 16 colours: the write modes. Each pair of bars is one.
	mov ax, 0x0012
	int 0x10
	mov ax, 0xa000
	mov es, ax
	out_index 0x3c4, 0x0102	; mode 0, one plane
	mov di, 0
	mov al, 0xff
	call bar
	out_index 0x3c4, 0x0f02
	out_index 0x3ce, 0x0600	; set/reset: colour 6
	out_index 0x3ce, 0x0f01
	mov di, 5
	mov al, 0
	call bar
	out_index 0x3ce, 0x0001
	out_index 0x3ce, 0x1803	; exclusive or with what is there, from the bar before
	mov di, 5
	mov al, 0x0f
	call bar_latched
	out_index 0x3ce, 0x0003	; rotated by 3
	out_index 0x3ce, 0x0303
	mov di, 10
	mov al, 0x0f
	call bar
	out_index 0x3ce, 0x0003
	out_index 0x3ce, 0x3c08	; a mask: the latches are 0
	mov di, 15
	mov al, [es:79]
	mov al, 0xff
	call bar
	out_index 0x3ce, 0x0205	; mode 2, colour 11 under a mask over colour 6
	mov di, 5
	mov al, 11
	call bar_latched
	mov di, 20
	out_index 0x3ce, 0xff08
	mov al, 13
	call bar
	out_index 0x3ce, 0x0305	; mode 3: set/reset where the byte has bits
	out_index 0x3ce, 0x0a00
	mov di, 20
	mov al, 0x81
	call bar_latched
	mov di, 25
	mov al, 0xaa
	call bar
	out_index 0x3ce, 0x0105	; mode 1: copies what is read
	mov si, 0
	mov di, 40
	mov cx, 100
.copy:	push cx
	push si
	push di
	mov cx, 30
	push ds
	mov ax, es
	mov ds, ax
	rep movsb
	pop ds
	pop di
	pop si
	pop cx
	add si, 80
	add di, 80
	loop .copy
	out_index 0x3ce, 0x0005
	out_index 0x3ce, 0x0805	; read mode 1: where colour 6 is
	out_index 0x3ce, 0x0602
	out_index 0x3ce, 0x0f07
	mov al, [es:5]		; masked by exclusive or and mode 2: so many dots are left
	mov [found], al
	out_index 0x3ce, 0x0005
	mov al, [found]
	mov di, 80 * 110
	call bar
	mov dx, 10 << 8
	mov bh, 0
	mov ah, 2
	int 0x10
	mov si, text
	mov bl, 0x0e
	call print
	call shown

; The other modes of 16 and two colours, by the BIOS's services.
	mov ax, 0x0010
	call draw
	mov ax, 0x000e
	call draw
	mov ax, 0x000d
	call draw
	mov ax, 0x0011
	call draw

; The CGA's.
	mov ax, 0x0004
	call draw
	mov ah, 0x0b		; another palette, and a background
	mov bx, 0x0100
	int 0x10
	mov ah, 0x0b
	mov bx, 0x0001
	int 0x10
	call shown
	mov ax, 0x0006
	call draw

	cli
	hlt

; A square of a colour, of 20 addresses and 80 lines.
square:	mov ah, 80
.line:	mov cx, 20
	rep stosb
	add di, 60
	dec ah
	jnz .line
	ret

; Four addresses wide, 100 lines.
bar:	mov bp, 100
.line:	mov cx, 4
	rep stosb
	add di, 76
	dec bp
	jnz .line
	ret
; The same, a byte after the other, each read before.
bar_latched:
	mov bp, 50
.line:	mov cx, 4
.byte:	mov ah, [es:di]
	stosb
	loop .byte
	add di, 76
	dec bp
	jnz .line
	ret

; Sets a mode: text, and a line of dots in each colour.
draw:	push ax
	int 0x10
	mov si, text
	mov bl, 0x0e
	call print
	mov dx, 60
.line:	mov cx, 100
	mov bh, 0
.dot:	mov ah, 0x0c
	mov al, dl
	int 0x10
	inc cx
	cmp cx, 200
	jb .dot
	inc dx
	cmp dx, 80
	jb .line
	pop ax
	call shown
	ret

print:	lodsb
	test al, al
	jz .end
	mov ah, 0x0e
	mov bh, 0
	int 0x10
	jmp print
.end:	ret

box:	db 0xc9, 0xcd, 0xd1, 0xcd, 0xbb
	db 0xba, ' ', 0xb3, ' ', 0xba
	db 0xc7, 0xc4, 0xc5, 0xc4, 0xb6
	db 0xba, 0xb0, 0xb3, 0xb2, 0xba
	db 0xc8, 0xcd, 0xcf, 0xcd, 0xbc
text:	db "The quick brown fox jumps over the lazy dog. ", 0x84, 0x94, 0x81, 0xe1, 0x82, " 0123456789", 13, 10, 0
heart:	db 0x66, 0xff, 0xff, 0xff, 0x7e, 0x3c, 0x18, 0x00
found:	db 0
