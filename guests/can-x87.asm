; Uses x87 arithmetic, and halts.
;
; A debugger should see ST0 become 1 at the HLT, 0x1004, also where the host's KVM does not know the instruction before
; it and the debugger's stub carries it out.

	bits 16
	org 0x1000

	fninit
	fld1
	hlt
