; A boot sector that paints a picture in mode 13h, 320x200 in 256 colours: a palette of its own, by the ports of the
; DAC, and rings around the middle. (pictures.asm has one in every mode.)
;
; A debugger should see mode 13h in 0x449 behind the INT 10h, 0x7f in the middle of the screen at 0xa7da0 when it
; halts, and `monitor screenshot FILE.png` the whole picture.

	bits 16
	org 0x7c00

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ax, 0x0013
	int 0x10
	mov ax, 0xa000
	mov es, ax
	cld

	mov dx, 0x3c8		; each colour a little further from blue to yellow
	mov al, 0
	out dx, al
	inc dx
	mov cx, 0
.colour: mov al, cl
	shr al, 2
	out dx, al
	mov al, cl
	shr al, 3
	out dx, al
	mov al, cl
	not al
	shr al, 2
	out dx, al
	inc cl
	jnz .colour

	xor di, di
	mov bx, -100		; Y and X from the middle
.row:	mov cx, -160
.dot:	mov ax, cx		; the square of how far it is from there, divided
	imul ax
	mov si, ax
	mov ax, bx
	imul ax
	add ax, si
	shr ax, 6
	add al, 0x7f
	stosb
	inc cx
	cmp cx, 160
	jl .dot
	inc bx
	cmp bx, 100
	jl .row
	cli
	hlt

	times 510 - ($ - $$) db 0
	dw 0xaa55
