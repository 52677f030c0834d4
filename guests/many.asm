; Room for 40 breakpoints: 36 at every other instruction of a row, and four in a loop that runs 3 times.
;
; A debugger should see AX count from 0 at 0x1000 to 72 at 0x1048, then, at each stop at 0x104b, BX
; 0, 72 and 144, and the halt at 0x1054.

	bits 16
	org 0x1000

	times 72 inc ax
	mov cx, 3
next:	add bx, ax
	nop
	nop
	dec cx
	jnz next
	nop
	hlt
