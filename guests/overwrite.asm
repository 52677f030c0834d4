; Copies six instructions over six others that stand at 0x1100, and runs them, three times, each time with
; others before.
;
; A debugger that has set breakpoints on all six before the first copy should be stopped at each, every time,
; with AX counting from 0 to 18, and see the bytes of the copy, and the halt.

	bits 16
	org 0x1000

	mov sp, 0x1200			; the stack is in the same page
	xor ax, ax
	mov dx, 3
again:	push dx
	mov si, old
	call copy
	mov si, new
	call copy
	call place
	pop dx
	dec dx
	jnz again
	hlt

copy:	mov di, place
	mov cx, 7
	cld
	rep movsb
	ret

old:	times 7 int1
new:	times 6 inc ax
	ret

	times 0x100-($-$$) db 0x90
place:	times 7 hlt
