; Adds 0 to 20 in 16-bit code, writes the sum to port 0xeff and halts.
;
; A debugger should see AX grow 0, 0, 1, 3, 6 ... 190 at `next`, 0x1004, and the halt at 0x1013, with 210.

	bits 16
	org 0x1000

	xor ax, ax
	xor bx, bx
next:	add ax, bx
	add bx, 1
	cmp bx, 20
	jle next
	mov dx, 0xeff
	out dx, al
	hlt
