; Uses x87 arithmetic, and halts.
;
; A debugger should see ST0 become 1 at the HLT, 0x1004. A KVM that emulates all guest code may not
; know the instruction at 0x1002: the debugger should see it stop there with SIGILL, and be able to
; move the program counter behind it.

	bits 16
	org 0x1000

	fninit
	fld1
	hlt
