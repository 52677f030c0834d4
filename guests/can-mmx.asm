; Adds in an MMX register, and halts.
;
; A debugger should see it come to the HLT, 0x100d. A KVM that emulates all guest code may not know the instruction at
; 0x100a: the debugger should see it stop there with SIGILL, and be able to move the program counter behind it.

	bits 16
	org 0x1000

	mov eax, cr4
	or ax, 0x200		; OSFXSR
	mov cr4, eax
	nop
	paddb mm0, mm1
	hlt
