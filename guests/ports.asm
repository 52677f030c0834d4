; Reads and writes ports, in all sizes, in string instructions, and to both consoles.
;
; A debugger, or the console, should see: a line for each access of a port that nobody emulates, ones
; to be read there; "COM1" and "E9" as text, but nothing of the divisor, and of the line status that
; the transmitter is empty; then the halt.

	bits 16
	org 0x1000

COM1	equ 0x3f8

	in al, 0x60
	in ax, 0x60
	in eax, 0x60
	mov dx, 0x1234
	mov eax, 0x89abcdef
	out dx, al
	out dx, ax
	out dx, eax
	in al, dx
	out dx, al
	mov di, 0x2000
	mov cx, 2
	cld
	rep insb
	mov si, text
	mov cx, 3
	rep outsb
	mov si, text
	outsw

	mov dx, COM1 + 3	; line control: DLAB
	mov al, 0x83
	out dx, al
	mov dx, COM1		; divisor: 'A', which is not to be seen
	mov al, 'A'
	out dx, al
	in al, dx
	mov bl, al		; 'A'
	mov dx, COM1 + 3	; 8N1
	mov al, 3
	out dx, al
	mov si, text
	mov cx, 5
next:	mov dx, COM1 + 5	; line status
ready:	in al, dx
	test al, 0x20
	jz ready
	mov dx, COM1
	outsb
	dec cx
	jnz next
	mov si, text.e9
	mov cx, 3
	mov dx, 0xe9
	rep outsb
	mov al, '.'		; no newline, but the next line is to begin as one
	out dx, al
	out 0x80, al
	hlt

text:	db 'COM1', 10
.e9:	db 'E9', 10
