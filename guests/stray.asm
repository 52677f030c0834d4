; 32-bit code, for --mode=32, that jumps to where there is no memory, and code that would have halted.
;
; A debugger should see the guest stop with SIGBUS at 0x20000000, and the halt, 0x100b, when it moves the
; program counter to 0x100a.

	bits 32
	org 0x1000

	mov eax, 5
	jmp 0x20000000
	hlt
