; 64-bit code, for --mode=64, that raises its task priority and lowers it.
;
; A debugger should see each step end behind its instruction, CR8 5 at 0x1009 and 0 at 0x100f, and the halt at
; 0x1011.

	bits 64
	org 0x1000

	mov eax, 5
	mov cr8, rax
	xor eax, eax
	mov cr8, rax
	nop
	hlt
