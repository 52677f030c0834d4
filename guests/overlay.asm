; Copies two overlays to 0x1100, one after the other, where code stood before, ends a line of text, and runs them.
;
; A debugger that has set breakpoints at 0x1100 and 0x1103 before the first copy should be stopped at both, twice,
; with AX 0, 1, 1 and 0x11, and see the code of the overlay that runs; the halt has 0x21 in AX.

	bits 16
	org 0x1000

	xor ax, ax
	mov si, one
	call run
	mov si, two
	call run
	hlt

run:	mov di, place
	mov cx, 6
	cld
	rep movsb
	push ax
	mov al, 10
	out 0xe9, al
	pop ax
	jmp place

one:	inc ax
	nop
	nop
	nop
	nop
	ret
two:	add ax, 0x10
	add ax, 0x10
	times 0x100-($-$$) db 0x90
place:	times 6 hlt
	ret
