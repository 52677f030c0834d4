; Reads bytes from a port, all ones, over 16 others at 0x1100, and goes there with a RET behind them.
;
; A debugger that has breakpoints on some of the 16 should see all ones there, and, after it has put a NOP
; in the place of each, be stopped at its breakpoint.

	bits 16
	org 0x1000

	mov sp, 0x3000
	mov dx, 0x999
	mov di, place
	mov cx, 16
	cld
	rep insb
done:	nop				; 0x100f
	call place
	hlt

	times 0x100-($-$$) db 0x90
place:	times 16 hlt
	ret
