; Code that is run from its first byte and then from its second, as other instructions.
;
; A debugger that has breakpoints on both bytes should be stopped at each once, and see AX 0x9090 in the end.

	bits 16
	org 0x1000

	mov sp, 0x3000
	call place
	call place + 1
	hlt
	nop				; 0x100a
	nop
	nop
	nop
place:	mov ax, 0x9090			; 0x100e
	ret
