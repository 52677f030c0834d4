; 32-bit code, for --mode=32, that reads and writes where there is no memory.
;
; A debugger should be told of both, behind the MOVs: 0x100a and, with EAX -1, 0x1010; then of the halt.

	bits 32
	org 0x1000

	mov eax, 1
	mov [0x20000000], eax
	nop
	mov eax, [0x20000000]
	nop
	hlt
