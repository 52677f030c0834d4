; Exceptions that the guest has no handler for: the debugger shows the instruction that raised them. The
; interrupts of the same vectors are none.
	org 0x7c00
	int 0
	xor bx, bx
divide:	div bl
	int 6
	nop
	ud2
	cli
	hlt
	times 510 - ($ - $$) db 0
	dw 0xaa55
