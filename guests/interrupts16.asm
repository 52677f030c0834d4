; Real mode: waits for interrupts, first with IF clear, then in a HLT.
;
; The handler of vector 0x20 counts in BX. A debugger that raises that interrupt should see it wait for STI
; and the instruction behind that, and end the HLT at 0x1018.

	bits 16
	org 0x1000

	xor bx, bx
	mov ds, bx
	mov ss, bx
	mov sp, 0x8000
	mov word [4 * 0x20], handler
	mov word [4 * 0x20 + 2], bx
	nop				; 0x1013
	nop
	sti
	nop				; 0x1016
	nop
	hlt
	nop
	cli
	hlt
	align 32, db 0x90
handler: inc bx				; 0x1020
	iret
