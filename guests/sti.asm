; Allows interrupts, of which there are none, and halts.
;
; A debugger that clears IF behind STI, where it is held back for an instruction, should still see the halt.

	bits 16
	org 0x1000

	cli
	sti
	nop
	nop
	hlt
